"""Verbs that need no graph: pkg, interface, run, and how commands are found."""

import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ros2cli.cli import main

NAMES = ("die", "fail", "show", "stay", "wait")


def run_ros2(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ros2", *args],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def fake_package(tmp_path: Path) -> dict[str, str]:
    """The environment of a prefix with a package of three executables."""
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "fake_pkg").touch()
    library = tmp_path / "lib" / "fake_pkg"
    (library / "deeper").mkdir(parents=True)
    scripts = {
        "fail": "exit 3",
        "show": 'printf "%s|" "$@"',
        "deeper/die": "kill -KILL $$",
        "wait": 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done',
        "stay": "trap '' INT TERM; echo $$; exec sleep 1000",
    }
    for name, body in scripts.items():
        (library / name).write_text(f"#!/bin/sh\n{body}\n")
        (library / name).chmod(0o755)
    (library / "data.txt").write_text("not executable")
    return {"AMENT_PREFIX_PATH": f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}"}


def test_run_passes_arguments_and_the_exit_code(fake_package: dict[str, str]) -> None:
    shown = run_ros2("run", "fake_pkg", "show", "-a", "--ros-args", "x y", env=fake_package)
    assert (shown.returncode, shown.stdout) == (0, "-a|--ros-args|x y|")
    failed = run_ros2("run", "fake_pkg", "fail", env=fake_package)
    assert failed.returncode == 3
    assert "[ros2run]: Process exited with failure 3" in failed.stdout
    killed = run_ros2("run", "fake_pkg", "die", env=fake_package)
    assert killed.returncode == 137
    assert "[ros2run]: Killed" in killed.stdout


def test_run_hands_a_termination_on_to_the_child(fake_package: dict[str, str]) -> None:
    process = subprocess.Popen(
        ["ros2", "run", "fake_pkg", "wait"],
        env={**os.environ, **fake_package},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 5


def test_a_killed_run_leaves_no_orphan(fake_package: dict[str, str]) -> None:
    process = subprocess.Popen(
        ["ros2", "run", "fake_pkg", "stay"],
        env={**os.environ, **fake_package},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = os.pidfd_open(int(process.stdout.readline()))
    process.kill()
    try:
        assert select.select([child], [], [], 60)[0]
    except AssertionError:
        signal.pidfd_send_signal(child, signal.SIGKILL)
        raise
    finally:
        os.close(child)
        process.communicate(timeout=60)


# Tells at SIGTERM how many SIGINTs there were; "aside": in a process group of its own. It takes
# signals one by one, the lower number first: a handler can be overtaken by the next signal's.
COUNTER = """#!{python}
import os, signal, sys
awaited = [signal.SIGINT, signal.SIGTERM]
signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
if "aside" in sys.argv:
    os.setpgid(0, 0)
print("up", flush=True)
count = 0
while signal.sigwait(awaited) == signal.SIGINT:
    count += 1
print("interrupts:", count)
"""


@pytest.fixture
def counter(fake_package: dict[str, str], tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "lib" / "fake_pkg" / "counter"
    path.write_text(COUNTER.format(python=sys.executable))
    path.chmod(0o755)
    return {**os.environ, **fake_package}


@pytest.mark.parametrize(("argument", "interrupts"), [("", 1), ("aside", 0)])
def test_ctrl_c_is_left_to_the_terminal(
    counter: dict[str, str], argument: str, interrupts: int
) -> None:
    """Wherever standard input is: twice the same signal may count once, hence "aside"."""
    master, slave = pty.openpty()
    take_terminal = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "os.dup2(os.open(os.devnull, os.O_RDONLY), 0); os.execvp(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", take_terminal, "ros2", "run", "fake_pkg", "counter", argument],
        env=counter,
        stdin=slave,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    os.write(master, b"\x03")
    assert os.read(master, 2) == b"^C"  # shown when everybody has got the signal
    process.terminate()
    out, _ = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert (process.returncode, out) == (0, f"interrupts: {interrupts}\n")


@pytest.mark.parametrize("new_session", [True, False])
def test_an_interrupt_in_the_background_reaches_the_child(
    counter: dict[str, str], new_session: bool
) -> None:
    """Without a terminal, or in a group of its own; a script lets it be ignored, besides."""
    process = subprocess.Popen(
        ["ros2", "run", "fake_pkg", "counter"],
        env=counter,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=new_session,
        process_group=None if new_session else 0,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "interrupts: 1\n")


def test_run_says_what_is_missing(fake_package: dict[str, str]) -> None:
    no_package = run_ros2("run", "no_such_pkg", "x", env=fake_package)
    assert no_package.returncode == 1
    assert "Package 'no_such_pkg' not found" in no_package.stderr
    no_executable = run_ros2("run", "fake_pkg", "data.txt", env=fake_package)
    assert no_executable.returncode == 1
    assert "No executable found" in no_executable.stderr
    assert ", ".join(NAMES) in no_executable.stderr


def test_pkg_executables_lists_those_of_the_package(fake_package: dict[str, str]) -> None:
    listed = run_ros2("pkg", "executables", "fake_pkg", env=fake_package)
    assert listed.stdout.splitlines() == [f"fake_pkg {n}" for n in NAMES]


def test_pkg_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pkg", "list"]) == 0
    packages = capsys.readouterr().out.split()
    assert {"std_msgs", "ros2cli", "control_msgs"} <= set(packages)
    assert packages == sorted(packages)
    assert main(["pkg", "prefix", "--share", "std_msgs"]) == 0
    assert Path(capsys.readouterr().out.strip(), "package.xml").is_file()
    assert main(["pkg", "xml", "std_msgs", "-t", "name"]) == 0
    assert capsys.readouterr().out == "std_msgs\n"
    assert main(["pkg", "xml", "std_msgs", "-t", "nothing"]) == 1
    assert main(["pkg", "prefix", "no_such_pkg"]) == 1
    assert "Package not found" in capsys.readouterr().err


def test_interface_show_expands_nested_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interface", "show", "control_msgs/action/GripperCommand", "--no-comments"]) == 0
    assert capsys.readouterr().out == textwrap.dedent("""\
        GripperCommand command
        \tfloat64 position
        \tfloat64 max_effort
        ---
        float64 position
        float64 effort
        bool stalled
        bool reached_goal
        ---
        float64 position
        float64 effort
        bool stalled
        bool reached_goal
        """)
    assert main(["interface", "show", "sensor_msgs/msg/JointState"]) == 0
    shown = capsys.readouterr().out
    assert "#" in shown
    assert "\tbuiltin_interfaces/Time stamp\n\t\tint32 sec\n" in shown


def test_every_installed_interface_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interface", "list"]) == 0
    names = [line.strip() for line in capsys.readouterr().out.splitlines() if "/" in line]
    assert len(names) > 100
    for name in names:
        assert main(["interface", "show", name]) == 0, name


def test_interface_list_and_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interface", "package", "std_srvs"]) == 0
    assert capsys.readouterr().out.split() == [
        f"std_srvs/srv/{name}" for name in ("Empty", "SetBool", "Trigger")
    ]
    assert main(["interface", "list", "-a"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Actions:"
    assert "    control_msgs/action/FollowJointTrajectory" in lines
    assert main(["interface", "proto", "std_srvs/srv/SetBool"]) == 0
    assert capsys.readouterr().out == '"data: false\n"\n'


@pytest.mark.parametrize(
    "name", ["std_msgs/msg/Nope", "no_pkg/msg/String", "String", "std_msgs/String", "a/b/c/d", "//"]
)
def test_unknown_interfaces_are_an_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interface", "show", name]) == 1
    assert capsys.readouterr().err


@pytest.fixture
def contributed_commands(tmp_path: Path) -> dict[str, str]:
    """An installed distribution with one good and one broken command."""
    (tmp_path / "greeter.py").write_text(
        textwrap.dedent('''
        class Hello:
            """Greet somebody."""
            def add_arguments(self, parser, cli_name):
                parser.add_argument("who")
            def main(self, *, parser, args):
                print("hello", args.who)
                return 4
        ''')
    )
    info = tmp_path / "greeter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ros2cli.command]\nhello = greeter:Hello\nbroken = greeter_that_is_gone:Hello\n"
    )
    return {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}


def test_other_packages_contribute_commands(contributed_commands: dict[str, str]) -> None:
    done = run_ros2("hello", "you", env=contributed_commands)
    assert (done.returncode, done.stdout) == (4, "hello you\n")


def test_a_broken_command_does_not_spoil_the_others(
    contributed_commands: dict[str, str],
) -> None:
    shown = run_ros2("--help", env=contributed_commands)
    assert shown.returncode == 0
    assert "Greet somebody." in shown.stdout
    assert "Various topic related sub-commands." in shown.stdout
    broken = run_ros2("broken", env=contributed_commands)
    assert broken.returncode == 1
    assert "'broken'" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    assert run_ros2("no_such_command").returncode == 2
    assert run_ros2("topic", "no_such_verb").returncode == 2
    assert run_ros2("topic").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        ("topic echo /x --nonsense", "usage: ros2 topic echo "),
        ("topic echo --timeout", "usage: ros2 topic echo "),
        ("topic echo", "usage: ros2 topic echo "),
        ("topic --nonsense", "usage: ros2 topic "),
        ("run --nonsense x y", "usage: ros2 run "),
        ("--nonsense", "usage: ros2 "),
    ],
)
def test_wrong_arguments_show_the_usage_of_what_they_were_given_to(
    arguments: str, usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments.split())
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(usage)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"set -o pipefail; ros2 interface list | {sys.executable} -c 'input()'"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
