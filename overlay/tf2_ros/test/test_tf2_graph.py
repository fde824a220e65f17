"""Broadcasters, listener and buffer over a real graph."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import tf2_ros
from geometry_msgs.msg import TransformStamped
from rclpy.clock import ClockType
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from tf2_ros.buffer_interface import TransformRegistration, TypeException

DOMAIN = 1 + (os.getpid() + 63) % 95
# A guard against hanging, not a requirement.
PATIENCE = Duration(seconds=30)


def transform(parent: str, child: str, x: float, stamp: Time | None = None) -> TransformStamped:
    header = Header(frame_id=parent, stamp=(stamp or Time()).to_msg())
    message = TransformStamped(header=header, child_frame_id=child)
    message.transform.translation.x = x
    return message


@pytest.fixture
def context() -> Iterator[Context]:
    context = Context()
    context.init(args=[], domain_id=DOMAIN)
    yield context
    context.try_shutdown()


@pytest.fixture
def make_node(context: Context) -> Iterator[Callable[..., Node]]:
    """Makes nodes that are spun in one thread."""
    executor = SingleThreadedExecutor(context=context)

    def spin() -> None:
        with suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()

    def make(name: str, **parameters: object) -> Node:
        overrides = [Parameter(key, value=value) for key, value in parameters.items()]
        node = Node(name, context=context, parameter_overrides=overrides)
        executor.add_node(node)
        return node

    yield make
    executor.shutdown()
    context.try_shutdown()
    thread.join(30)


def test_latecomers_get_all_static_transforms(make_node: Callable[..., Node]) -> None:
    broadcaster = tf2_ros.StaticTransformBroadcaster(make_node("sender"))
    broadcaster.sendTransform(transform("w", "a", 1.0))
    broadcaster.sendTransform([transform("a", "b", 1.0), transform("a", "c", 1.0)])
    broadcaster.sendTransform(transform("a", "c", 5.0))
    buffer = tf2_ros.Buffer()
    tf2_ros.TransformListener(buffer, make_node("receiver"))
    found = buffer.lookup_transform("w", "c", Time(), PATIENCE)
    assert found.transform.translation.x == 6.0
    assert (found.header.frame_id, found.child_frame_id) == ("w", "c")
    assert buffer.can_transform("b", "c", Time())


def test_a_lookup_waits_for_the_transform_it_needs(make_node: Callable[..., Node]) -> None:
    broadcaster = tf2_ros.TransformBroadcaster(make_node("sender"))
    node = make_node("receiver")
    buffer = tf2_ros.Buffer(node=node)
    tf2_ros.TransformListener(buffer, node)
    missing = buffer.wait_for_transform_async("w", "a", Time(seconds=15))
    ticks = iter(range(10, 1_000_000))
    node.create_timer(
        0.01,
        lambda: broadcaster.sendTransform(
            transform("w", "a", float(tick := next(ticks)), Time(seconds=tick))
        ),
    )
    found = buffer.lookup_transform("w", "a", Time(seconds=12.5), PATIENCE)
    assert found.transform.translation.x == 12.5
    assert Time.from_msg(found.header.stamp) == Time(seconds=12.5, clock_type=ClockType.ROS_TIME)
    done = threading.Event()
    missing.add_done_callback(lambda _: done.set())
    assert done.wait(30)
    assert buffer.lookup_transform("w", "a", Time(seconds=15)).transform.translation.x == 15.0


def test_a_lookup_gives_up_with_the_reason() -> None:
    buffer = tf2_ros.Buffer()
    buffer.set_transform_static(transform("w", "a", 1.0), "me")
    with pytest.raises(tf2_ros.LookupException, match='"nope" passed to lookupTransform'):
        buffer.lookup_transform("w", "nope", Time(), Duration(seconds=0.01))
    possible, reason = buffer.can_transform("w", "nope", Time(), return_debug_tuple=True)
    assert not possible
    assert "nope" in reason
    assert not buffer.set_transform(transform("a", "a", 1.0), "me")
    assert "parent: w" in buffer.all_frames_as_yaml()


def test_async_lookup_resumes_when_the_transform_arrives() -> None:
    buffer = tf2_ros.Buffer()
    lookup = buffer.lookup_transform_async("w", "a", Time())
    pending = lookup.send(None)
    assert pending is None or not pending.done()
    buffer.set_transform_static(transform("w", "a", 3.0), "me")
    with pytest.raises(StopIteration) as end:
        lookup.send(None)
    assert end.value.value.transform.translation.x == 3.0


def test_transform_needs_a_registered_type() -> None:
    class Unknown:
        header = Header(frame_id="a")

    buffer = tf2_ros.Buffer()
    buffer.set_transform_static(transform("w", "a", 1.0), "me")
    with pytest.raises(TypeException, match="import tf2_geometry_msgs"):
        buffer.transform(Unknown(), "w")
    TransformRegistration().add(Unknown, lambda thing, found: (thing, found))
    thing = Unknown()
    assert buffer.transform(thing, "w")[0] is thing
    assert buffer.transform(thing, "w")[1].transform.translation.x == 1.0


def test_the_past_is_forgotten_when_the_clock_jumps_back(make_node: Callable[..., Node]) -> None:
    sender = make_node("sender")
    clock = sender.create_publisher(Clock, "/clock", QoSProfile(depth=1))
    broadcaster = tf2_ros.TransformBroadcaster(sender)
    static = tf2_ros.StaticTransformBroadcaster(sender)
    static.sendTransform(transform("a", "tool", 1.0))
    node = make_node("receiver", use_sim_time=True)
    buffer = tf2_ros.Buffer()
    tf2_ros.TransformListener(buffer, node)

    seconds = [50.0]
    sender.create_timer(0.01, lambda: clock.publish(Clock(clock=Time(seconds=seconds[0]).to_msg())))
    sender.create_timer(
        0.01,
        lambda: broadcaster.sendTransform(
            transform("w", "a", seconds[0], Time(seconds=seconds[0]))
        ),
    )
    before = buffer.lookup_transform("w", "tool", Time(), PATIENCE)
    assert before.transform.translation.x == 51.0
    seconds[0] = 3.0
    after = buffer.lookup_transform("w", "tool", Time(seconds=3), PATIENCE)
    assert after.transform.translation.x == 4.0
    assert buffer.get_latest_common_time("w", "a") <= Time(seconds=3, clock_type=ClockType.ROS_TIME)


def test_spin_thread_fills_the_buffer_and_can_be_stopped(context: Context) -> None:
    sender = Node("sender", context=context)
    tf2_ros.StaticTransformBroadcaster(sender).sendTransform(transform("w", "a", 2.0))
    node = Node("receiver", context=context)
    buffer = tf2_ros.Buffer()
    listener = tf2_ros.TransformListener(buffer, node, spin_thread=True)
    assert buffer.lookup_transform("w", "a", Time(), PATIENCE).transform.translation.x == 2.0
    listener.unregister()
    assert not listener.dedicated_listener_thread.is_alive()


def test_static_transform_publisher_process(make_node: Callable[..., Node]) -> None:
    command = (
        "ros2 run tf2_ros static_transform_publisher --x 1 --yaw 3.141592653589793 "
        "--frame-id w --child-frame-id eye --ros-args -r __node:=eye_tf"
    )
    process = subprocess.Popen(
        command.split(),
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        node = make_node("receiver")
        buffer = tf2_ros.Buffer()
        tf2_ros.TransformListener(buffer, node)
        found = buffer.lookup_transform("w", "eye", Time(), PATIENCE)
        assert found.transform.translation.x == 1.0
        assert found.transform.rotation.z == pytest.approx(1.0)
        assert node.wait_for_node("/eye_tf", 30.0)
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


# Gets a signal at the end of a function, and two more while it ends.
INTERRUPTED = """
import os, signal, sys
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from tf2_ros.static_transform_publisher_node import main

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
def test_signals_end_it_cleanly_at_any_time(place: str, number: int) -> None:
    arguments = ["--frame-id", "w", "--child-frame-id", "eye"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, place, str(int(number)), *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
