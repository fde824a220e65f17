"""The verbs that look at a graph, against a node in a process of its own."""

import contextlib
import fcntl
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ros2cli import graph

HERE = Path(__file__).parent
PROFILE = HERE.parents[2] / "launch" / "config" / "fastdds_profile.xml"
# A guard against hanging, not a requirement.
TIMEOUT_S = 60


def environment() -> dict[str, str]:
    env = {
        **os.environ,
        "ROS_DOMAIN_ID": str(1 + (os.getpid() + 54) % 95),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "PYTHONUNBUFFERED": "1",
    }
    if PROFILE.is_file():
        env.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))
    return env


_started: list[subprocess.Popen[str]] = []


def start(*command: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _started.append(process)
    return process


def together(*commands: str) -> list[subprocess.CompletedProcess[str]]:
    """Run several `ros2` command lines at the same time: most of their time is waiting."""

    def run(command: str) -> subprocess.CompletedProcess[str]:
        process = start("ros2", *shlex.split(command))
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    with ThreadPoolExecutor(max_workers=6) as pool:
        return list(pool.map(run, commands))


def outputs(*commands: str) -> list[str]:
    """What several `ros2` command lines print; all must succeed."""
    done = together(*commands)
    for each in done:
        assert each.returncode == 0, each
    return [each.stdout for each in done]


def output(command: str) -> str:
    return outputs(command)[0]


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What a process prints up to the line that contains `text`."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"the process ended without '{text}':\n{seen}")


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ctrl-C: the exit code and what else was printed; there must be no traceback."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in out + err, err
    return process.returncode, out


@pytest.fixture(scope="module", autouse=True)
def lab() -> Iterator[None]:
    process = start(sys.executable, str(HERE / "cli_lab_node.py"))
    try:
        read_until(process, "ready")
        yield
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    finally:
        # Whatever went wrong, nothing may be left behind on this domain.
        for each in _started:
            each.kill()


def test_node_list_and_info() -> None:
    names, info = outputs("node list", "node info /lab/bench")
    assert names == "/lab/bench\n/lab/gate\n"
    assert info.startswith("/lab/bench\n  Subscribers:\n    /lab/inbox: std_msgs/msg/String\n")
    assert "  Publishers:\n    /lab/chatter: std_msgs/msg/String\n" in info
    assert "    /lab/switch: std_srvs/srv/SetBool\n" in info
    assert "  Action Servers:\n    /lab/grip: control_msgs/action/GripperCommand\n" in info
    assert "_hidden" not in info


def test_topic_list_type_and_info() -> None:
    listed, hidden, type_name, info, verbose = outputs(
        "topic list -t",
        "topic list --include-hidden-topics",
        "topic type lab/chatter",
        "topic info /lab/chatter",
        "topic info -v /lab/latest",
    )
    topics = listed.splitlines()
    assert "/lab/chatter [std_msgs/msg/String]" in topics
    assert topics == sorted(topics)
    assert not [topic for topic in topics if "_action" in topic or "_hidden" in topic]
    assert "/lab/_hidden" in hidden.splitlines()
    assert type_name == "std_msgs/msg/String\n"
    assert info == "Type: std_msgs/msg/String\nPublisher count: 1\nSubscription count: 0\n"
    assert "Node name: bench\nNode namespace: /lab\n" in verbose
    assert "Durability: TRANSIENT_LOCAL" in verbose
    assert "RIHS01_" in verbose


def test_topic_echo_hears_every_kind_of_publisher() -> None:
    chatter, latched, samples, csv, brief = outputs(
        "topic echo --once lab/chatter",
        "topic echo --once /lab/latest --field data",
        "topic echo --once /lab/samples",
        "topic echo --once -f --csv /lab/samples --field data",
        "topic echo --once --no-arr --no-str --no-daemon --spin-time 0 /lab/samples",
    )
    assert re.fullmatch(r"data: hello \d+\n---\n", chatter)
    assert latched == "nothing yet\n---\n"
    data = yaml.safe_load(samples.removesuffix("---\n"))["data"]
    assert (len(data), data[127:]) == (129, [127.0, "..."])
    assert csv == ",".join(str(float(i)) for i in range(1000)) + "\n"
    assert "data: '<sequence type: double, length: 1000>'\n" in brief


@pytest.mark.parametrize(
    ("verb", "line"), [("echo", "hello"), ("hz", "average rate: "), ("bw", "B/s from ")]
)
def test_topic_streams_end_cleanly_on_ctrl_c(verb: str, line: str) -> None:
    process = start("ros2", "topic", verb, "/lab/chatter")
    read_until(process, line)
    assert interrupt(process)[0] == 2


def test_topic_pub_once_waits_for_its_reader_and_arrives() -> None:
    printed = output("topic pub --once /lab/inbox std_msgs/msg/String '{data: x1}'")
    assert "publisher: beginning loop\npublishing #1: std_msgs.msg.String(data='x1')\n" in printed
    assert output("topic echo --once /lab/latest --field data") == "x1\n---\n"


def test_what_the_middleware_complains_of_is_not_part_of_what_is_printed() -> None:
    """Shared memory that is being given up by a process that ends: it takes another port."""
    domain = int(environment()["ROS_DOMAIN_ID"])
    first = 7400 + 250 * domain + 11
    with contextlib.ExitStack() as held:
        for port in range(first + 2, first + 10, 2):
            Path(f"/dev/shm/fastrtps_port{port}").unlink(missing_ok=True)
            file = Path(f"/dev/shm/fastrtps_port{port}_el")
            lock = held.enter_context(file.open("a"))
            held.callback(file.unlink, missing_ok=True)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (done,) = together("topic echo --once /lab/latest --field data")
    assert "open_and_lock_file failed" in done.stderr
    assert re.fullmatch(r"(x1|nothing yet)\n---\n", done.stdout)


def test_topic_pub_repeats_with_the_time_of_publishing() -> None:
    reader = start("ros2", "topic", "echo", "/stamps", "std_msgs/msg/Header")
    printed = output("topic pub -t 3 -r 50 /stamps std_msgs/msg/Header '{stamp: now}'")
    assert printed.count("publishing #") == 3
    assert len(set(re.findall(r"sec=(\d+), nanosec=(\d+)", printed))) == 3
    read_until(reader, "stamp:")
    assert interrupt(reader)[0] == 2


def test_topic_pub_without_reader_is_interrupted_cleanly() -> None:
    process = start("ros2", "topic", "pub", "--once", "/nobody", "std_msgs/msg/Empty")
    read_until(process, "Waiting for at least 1 matching subscription(s)...")
    assert interrupt(process)[0] == 2


def test_service_verbs() -> None:
    listed, type_name, answer = outputs(
        "service list -t",
        "service type /lab/switch",
        "service call /lab/switch std_srvs/srv/SetBool '{data: true}'",
    )
    services = listed.splitlines()
    assert "/lab/switch [std_srvs/srv/SetBool]" in services
    assert not [service for service in services if "_action" in service]
    assert type_name == "std_srvs/srv/SetBool\n"
    assert answer.endswith(
        "requester: making request: std_srvs.srv.SetBool_Request(data=True)\n\n"
        "response:\nstd_srvs.srv.SetBool_Response(success=True, message='on')\n\n"
    )


def test_action_list_info_and_type() -> None:
    listed, info, type_name = outputs(
        "action list -t", "action info /lab/grip -t", "action type /lab/grip"
    )
    assert listed == "/lab/grip [control_msgs/action/GripperCommand]\n"
    assert info == (
        "Action: /lab/grip\nAction clients: 0\nAction servers: 1\n"
        "    /lab/bench [control_msgs/action/GripperCommand]\n"
    )
    assert type_name == "control_msgs/action/GripperCommand\n"


def send_goal(goal: str) -> str:
    return f"action send_goal -f /lab/grip control_msgs/action/GripperCommand '{goal}'"


def test_action_send_goal_tells_how_it_ends() -> None:
    succeeded, rejected, aborted = together(
        send_goal("{command: {position: 0.5}}"),
        send_goal("{command: {position: -1}}"),
        send_goal("{command: {position: 2}}"),
    )
    printed = succeeded.stdout
    assert "Sending goal:\n     command:\n       position: 0.5\n       max_effort: 0.0\n" in printed
    assert re.search(r"Goal accepted with ID: [0-9a-f]{32}\n", printed)
    assert "Feedback:\n    position: 0.25\n" in printed
    assert "Result:\n    position: 0.5\n" in printed
    assert printed.endswith("Goal finished with status: SUCCEEDED\n")
    assert succeeded.returncode == 0
    assert "Goal was rejected." in rejected.stdout
    assert rejected.returncode == 1
    assert aborted.stdout.endswith("Goal finished with status: ABORTED\n")
    assert aborted.returncode == 1


def test_action_goal_is_cancelled_by_ctrl_c() -> None:
    process = start("ros2", *shlex.split(send_goal("{command: {max_effort: 99}}")))
    read_until(process, "Feedback:")
    code, printed = interrupt(process)
    assert code == 2
    assert "Canceling goal...\n" in printed
    assert printed.endswith("Goal canceled.\n")


def test_no_goal_is_sent_before_answers_of_the_server_arrive() -> None:
    printed = output("action send_goal /lab/_shy control_msgs/action/GripperCommand")
    assert printed.endswith("Goal finished with status: SUCCEEDED\n")


def test_the_wait_for_a_server_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a time that runs an hour per look at the clock."""
    hours = itertools.count(step=3600.0)
    monkeypatch.setattr(graph, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    monkeypatch.setattr(graph.Session, "spin", lambda *_: None)
    looks = itertools.count()
    graph.Session().require_server("service '/x'", lambda: next(looks) > 9, list, "a/srv/B", None)
    process = start("ros2", "service", "call", "/none", "std_srvs/srv/Empty")
    read_until(process, "waiting for service to become available...")
    assert interrupt(process)[0] == 2


def test_an_answer_that_does_not_come_is_mentioned_once() -> None:
    hasty = (
        "import sys; from ros2cli import cli; from ros2cli.commands import service; "
        "service._SILENCE_S = 0.1; sys.exit(cli.main(sys.argv[1:]))"
    )
    call = ("service", "call", "/lab/mute", "std_srvs/srv/SetBool")
    process = start(sys.executable, "-c", hasty, *call)
    assert process.stderr is not None
    assert "no answer yet after 0.1 s" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=TIMEOUT_S)[1] == ""
    assert process.returncode == 2


def test_param_list_get_describe() -> None:
    listed, all_nodes, boolean, integer, strings, described = outputs(
        "param list /lab/bench",
        "param list",
        "param get /lab/bench active",
        "param get /lab/bench limits.count",
        "param get /lab/bench limits.names",
        "param describe /lab/bench speed",
    )
    names = listed.splitlines()
    assert names == sorted(names)
    assert "  limits.count" in names
    assert all_nodes == "/lab/bench:\n" + listed
    assert boolean == "Boolean value is: True\n"
    assert integer == "Integer value is: 2\n"
    assert strings == "String values are: ['a', 'b']\n"
    assert described == (
        "Parameter name: speed\n  Type: double\n  Description: How fast\n  Constraints:\n"
        "    Min value: 0.0\n    Max value: 2.0\n"
    )


def test_param_set_and_dump_and_load(tmp_path: Path) -> None:
    assert output("param set /lab/bench speed 0.5") == "Set parameter successful\n"
    value, dumped = outputs("param get /lab/bench speed", "param dump /lab/bench")
    assert value == "Double value is: 0.5\n"
    document = yaml.safe_load(dumped)
    parameters = document["/lab/bench"]["ros__parameters"]
    assert parameters["limits"] == {"count": 2, "names": ["a", "b"]}
    document["/lab/bench"]["ros__parameters"] = {"limits": {"count": 5}, "active": False}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(document))
    loaded = output(f"param load /lab/bench {tmp_path / 'p.yaml'}")
    assert "Set parameter limits.count successful\n" in loaded
    assert output("param get /lab/bench limits.count") == "Integer value is: 5\n"


def test_lifecycle_nodes_and_their_states() -> None:
    nodes, hidden, count, state, states, side = outputs(
        "lifecycle nodes",
        "lifecycle nodes -a",
        "lifecycle nodes -c",
        "lifecycle get /lab/gate",
        "lifecycle get",
        "lifecycle get --include-hidden-nodes lab/_side_gate",
    )
    assert nodes == "/lab/gate\n"
    assert hidden == "/lab/_side_gate\n/lab/gate\n"
    assert count == "1\n"
    assert state == side == "unconfigured [1]\n"
    assert states == "/lab/gate: unconfigured [1]\n"


def test_lifecycle_list_shows_what_can_be_set_and_everything() -> None:
    now, always = outputs("lifecycle list /lab/gate", "lifecycle list /lab/gate -a")
    assert now == (
        "- configure [1]\n\tStart: unconfigured\n\tGoal: configuring\n"
        "- shutdown [5]\n\tStart: unconfigured\n\tGoal: shuttingdown\n"
    )
    assert always.startswith("- configure [1]\n\tStart: unconfigured\n\tGoal: configuring\n")
    assert "- deactivate [4]\n\tStart: active\n\tGoal: deactivating\n" in always
    assert always.count("- ") == 25


def test_lifecycle_set_goes_from_state_to_state() -> None:
    for transition, state in (("configure", "inactive [2]"), ("3", "active [3]")):
        assert output(f"lifecycle set /lab/gate {transition}") == "Transitioning successful\n"
        assert output("lifecycle get /lab/gate") == f"{state}\n"
    (unknown,) = together("lifecycle set /lab/gate configure")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == (
        "Unknown transition requested, available ones are:\n- deactivate [4]\n- shutdown [7]\n"
    )
    outputs("lifecycle set /lab/gate deactivate")
    outputs("lifecycle set /lab/gate cleanup")
    (failed,) = together("lifecycle set /lab/gate configure")
    assert (failed.returncode, failed.stderr) == (1, "Transitioning failed\n")
    assert output("lifecycle get /lab/gate") == "unconfigured [1]\n"


def test_what_cannot_be_done_is_exit_code_1_with_a_reason() -> None:
    complaints = {
        "service call --timeout 0.2 /none std_srvs/srv/Empty": (
            "No server of the service '/none' appeared within 0.2 s"
        ),
        "service call --timeout 2 /lab/mute std_srvs/srv/SetBool": "no answer within 2 s",
        "action send_goal --timeout 0.2 /none control_msgs/action/GripperCommand": (
            "No server of the action '/none' appeared within 0.2 s"
        ),
        "topic info /nope": "Unknown topic '/nope'",
        "topic type /nope": "Could not determine the type for the passed topic",
        "topic hz /nope": "topic [/nope] does not appear to be published yet",
        "topic echo --once --timeout 0.1 /lab/inbox": "no message on '/lab/inbox' within 0.1 s",
        "topic echo --once /lab/chatter --field nope": "invalid field 'nope': no 'nope' in ''",
        "topic pub /t std_msgs/msg/Nope": "The passed message type is invalid",
        "topic pub /t std_msgs/msg/String '{x: 1}'": "'x' is not a field of std_msgs/msg/String",
        "topic pub 't t' std_msgs/msg/String": "'t t' is not a valid name",
        "service type /nope": "Unknown service '/nope'",
        "service call /none std_srvs/srv/Nope": "The passed service type is invalid",
        "service call /lab/switch std_srvs/srv/Trigger": (
            "has the type std_srvs/srv/SetBool, not std_srvs/srv/Trigger"
        ),
        "action info /nope": "Unknown action '/nope'",
        "action send_goal /x no_pkg/action/X": "The passed action type is invalid",
        "action send_goal /lab/grip control_msgs/action/FollowJointTrajectory": (
            "has the type control_msgs/action/GripperCommand, not control_msgs/action/Follow"
        ),
        "node info /nope": "Unable to find node '/nope'",
        "lifecycle get /nope": "Node not found",
        "lifecycle set /lab/_side_gate configure": "Node not found",
        "lifecycle list /lab/bench": "The node '/lab/bench' has no lifecycle",
        "param get /nope x": "Node not found",
        "param get /lab/bench nope": "Parameter not set",
        "param describe /lab/bench nope": "has no parameter nope",
        "param set /lab/bench speed 7.5": "Setting parameter failed",
    }
    for done, complaint in zip(together(*complaints), complaints.values(), strict=True):
        assert done.returncode == 1, done
        assert complaint in done.stderr
