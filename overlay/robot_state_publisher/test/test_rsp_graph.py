"""The node as a process: joint states in, transforms and the description out."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import Header, String
from tf2_ros import Buffer, TransformListener

DOMAIN = 1 + (os.getpid() + 45) % 95
# A guard against hanging, not a requirement.
PATIENCE_S = 30
URDF = """<robot name="r"><link name="a"/><link name="b"/><link name="tool"/>
<joint name="slide" type="prismatic"><parent link="a"/><child link="b"/>
  <axis xyz="0 0 1"/></joint>
<joint name="mount" type="fixed"><parent link="b"/><child link="tool"/>
  <origin xyz="1 0 0"/></joint></robot>"""


@pytest.fixture
def node() -> Iterator[Node]:
    """A node that is spun in a thread."""
    context = Context()
    context.init(args=[], domain_id=DOMAIN)
    node = Node("observer", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        with suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    yield node
    executor.shutdown()
    context.try_shutdown()
    thread.join(PATIENCE_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the node; it must end cleanly on Ctrl-C."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["ros2", "run", "robot_state_publisher", "robot_state_publisher", *arguments],
            env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in errors, errors


@pytest.fixture
def parameter_file(tmp_path: Path) -> Path:
    path = tmp_path / "parameters.yaml"
    text = URDF.replace("\n", " ").replace("'", "''")
    path.write_text(f"/**:\n  ros__parameters:\n    robot_description: '{text}'\n")
    return path


def wait_for(future: Any) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(PATIENCE_S)
    return future.result()


def test_joint_states_become_transforms(
    node: Node, start: Callable[..., object], parameter_file: Path
) -> None:
    start("--ros-args", "--params-file", str(parameter_file), "-p", "frame_prefix:=left/")
    buffer = Buffer()
    TransformListener(buffer, node)
    publisher = node.create_publisher(JointState, "joint_states", 10)
    stamp = node.get_clock().now()
    state = JointState(name=["slide"], position=[0.25])
    state.header.stamp = stamp.to_msg()
    timer = node.create_timer(0.05, lambda: publisher.publish(state))
    patience = Duration(seconds=PATIENCE_S)
    found = buffer.lookup_transform("left/a", "left/tool", stamp, patience)
    timer.cancel()
    translation = found.transform.translation
    assert (translation.x, translation.y, translation.z) == (1.0, 0.0, 0.25)
    assert Time.from_msg(found.header.stamp) == stamp


def test_the_description_is_latched_and_can_be_changed(
    node: Node, start: Callable[..., object], parameter_file: Path
) -> None:
    start("--ros-args", "--params-file", str(parameter_file))
    texts: list[str] = []
    arrived = threading.Condition()

    def receive(message: String) -> None:
        with arrived:
            texts.append(message.data)
            arrived.notify_all()

    latched = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_subscription(String, "robot_description", receive, latched)
    with arrived:
        assert arrived.wait_for(lambda: texts, PATIENCE_S)
    assert texts[0].startswith("<robot")

    client = node.create_client(SetParameters, "/robot_state_publisher/set_parameters")
    assert client.wait_for_service(PATIENCE_S)

    def change(text: str) -> Any:
        parameter = Parameter("robot_description", value=text).to_parameter_msg()
        return wait_for(client.call_async(SetParameters.Request(parameters=[parameter])))

    refused = change("<robot name='r'/>").results[0]
    assert not refused.successful
    assert "no links" in refused.reason
    assert change(URDF.replace("1 0 0", "7 0 0")).results[0].successful
    with arrived:
        assert arrived.wait_for(lambda: "7 0 0" in texts[-1], PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the parameter 'robot_description' must be given"),
        (["--ros-args", "-p", "robot_description:=<robot/>"], "the robot has no links"),
        (["/no/such/file.urdf"], "/no/such/file.urdf"),
    ],
)
def test_without_a_usable_description_it_does_not_start(
    arguments: list[str], complaint: str
) -> None:
    done = subprocess.run(
        ["ros2", "run", "robot_state_publisher", "robot_state_publisher", *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_name_stands_for_its_content(
    node: Node, start: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "r.urdf").write_text(URDF)
    start(str(tmp_path / "r.urdf"))
    buffer = Buffer()
    TransformListener(buffer, node)
    header: Header = buffer.lookup_transform(
        "b", "tool", Time(), Duration(seconds=PATIENCE_S)
    ).header
    assert header.frame_id == "b"


# Gets a signal at the end of a function, and two more while it ends.
INTERRUPTED = """
import os, signal, sys
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_state_publisher.robot_state_publisher_node import main

def interrupted(function):
    def call(*args, **kwargs):
        function(*args, **kwargs)
        os.kill(os.getpid(), number)
        while rclpy.ok():
            pass
    return call

def end(node):
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    destroy(node)

_, place, number, *arguments = sys.argv
number = int(number)
owner, name = {
    "init": (rclpy, "init"),
    "node": (Node, "__init__"),
    "spin": (SingleThreadedExecutor, "spin_once"),
}[place]
setattr(owner, name, interrupted(getattr(owner, name)))
destroy, Node.destroy_node = Node.destroy_node, end
sys.exit(main(["node", *arguments]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", ["init", "node", "spin"])
def test_signals_end_it_cleanly_at_any_time(tmp_path: Path, place: str, number: int) -> None:
    (tmp_path / "r.urdf").write_text(URDF)
    arguments = [str(tmp_path / "r.urdf")]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, place, str(int(number)), *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
