"""Whoever leads the arm dies, hangs or sends nonsense: how soon, and how far, the arm stops.

Over libfranka's protocol, with every client a process of its own. The times are those of the
measurements; they are printed, and stand in docs/sim2real.md.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from franka_processes import FrankaClient, start_driver, start_fake
from gensim2_control.hardware import Fault
from gensim2_control.ros.conversions import seconds, stamp_from_seconds, trajectory_to_msg
from gensim2_control.trajectory import Trajectory
from mock_process import ARM, GUARD, doomed_client, graph_environment, time_of_rest
from rclpy.publisher import Publisher
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import RobotStatus

DOMAIN = 1 + (os.getpid() + 49) % 95
ADDRESS = f"127.{2 + os.getpid() % 250}.253.1"
CLIENT_BOUND, CHUNK_BOUND = 1.0, 0.3
"""Longest times to rest, s: after the loss of a controller, and after a bad command."""


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in graph_environment(DOMAIN).items():
            patch.setenv(name, value)
        yield graph_environment(DOMAIN)


@pytest.fixture(scope="module")
def connected(environment: dict[str, str]) -> Iterator[FrankaClient]:
    processes = [start_fake(DOMAIN, ADDRESS), start_driver(DOMAIN, ADDRESS)]
    client = FrankaClient(DOMAIN)
    yield client
    client.close()
    for process in reversed(processes):
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=GUARD)
        assert process.returncode == 0 and "Traceback" not in output, output


@pytest.fixture
def client(connected: FrankaClient) -> FrankaClient:
    """A client of a robot at home that accepts goals."""
    connected.wait("robot_status", lambda m: m.mode != RobotStatus.DISCONNECTED)
    deadline = time.monotonic() + GUARD
    while not (answer := connected.call("robot/recover")).success:
        assert time.monotonic() < deadline, answer.message
    connected.status(RobotStatus.IDLE, motion_possible=True)
    assert connected.call("robot/home").success
    connected.status(RobotStatus.IDLE, motion_possible=True, in_motion=False)
    return connected


def told(
    client: FrankaClient, what: str, began: float, q_began: float, note: Callable[..., None]
) -> float:
    """Wait for rest; print, note and return the time it took, s."""
    took = time_of_rest(client) - began
    way = abs(float(client.q()[0]) - q_began)
    print(f"{what}: at rest after {took:.3f} s and {way:.3f} rad")
    note(f"time to rest, {what}, s", round(took, 4))
    note(f"way to rest, {what}, rad", round(way, 4))
    return took


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_a_lost_controller_stops_the_arm(
    client: FrankaClient,
    environment: dict[str, str],
    how: str,
    record_property: Callable[..., None],
) -> None:
    """Expert, policy and manager are such clients. A dead one does not cancel its goal."""
    with doomed_client(client, environment) as doomed:
        doomed.send_signal(signal.Signals[how])
        state = client.heard["joint_states"][-1]
        began, q_began = seconds(state.header.stamp), state.position[0]
        status = client.status(RobotStatus.STOPPED, in_motion=False)
        took = told(client, f"controller {how}", began, q_began, record_property)
    assert took <= CLIENT_BOUND
    assert status.error_code == Fault.HEARTBEAT_LOST
    rested = client.q()
    threading.Event().wait(0.3)
    np.testing.assert_allclose(client.q(), rested, atol=2e-3, err_msg="no motion afterwards")


def _nan(chunk: JointTrajectory, _: float) -> None:
    chunk.points[0].positions[3] = float("nan")


def _wrong_joint(chunk: JointTrajectory, _: float) -> None:
    chunk.joint_names[0] = "panda_joint1"


def _doubled_joint(chunk: JointTrajectory, _: float) -> None:
    chunk.joint_names[1] = chunk.joint_names[0]


def _jump(chunk: JointTrajectory, _: float) -> None:
    chunk.points[0].positions[0] += 0.8
    chunk.points[0].time_from_start.sec = 0
    chunk.points[0].time_from_start.nanosec = 100_000_000


def _outside(chunk: JointTrajectory, _: float) -> None:
    chunk.points[0].positions[0] = 4.0


BAD: dict[str, Callable[[JointTrajectory, float], None]] = {
    "NaN": _nan,
    "wrong joint": _wrong_joint,
    "doubled joint": _doubled_joint,
    "jump": _jump,
    "out of limits": _outside,
}


@pytest.fixture
def stream(client: FrankaClient) -> Iterator[Publisher]:
    publisher = client.node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
    deadline = time.monotonic() + GUARD
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    yield publisher
    client.node.destroy_publisher(publisher)


def far_chunk(client: FrankaClient, way: float = 1.5) -> JointTrajectory:
    """A chunk that moves joint 1 by `way` rad in 1.9 s, in steps that a stream may have."""
    share = np.linspace(0.25, 1.0, 4)
    points = client.q() + np.outer(share * way, np.eye(7)[0])
    return trajectory_to_msg(Trajectory(1.9 * share, points))


@pytest.mark.parametrize("case", BAD)
def test_a_bad_chunk_stops_its_stream(
    client: FrankaClient, stream: Publisher, case: str, record_property: Callable[..., None]
) -> None:
    good, bad = far_chunk(client), far_chunk(client)
    BAD[case](bad, 0.0)
    stream.publish(good)
    client.wait("joint_states", lambda m: m.velocity[0] > 0.5, fresh=True)
    stream.publish(bad)
    state = client.heard["joint_states"][-1]
    took = told(
        client, f"{case} chunk", seconds(state.header.stamp), state.position[0], record_property
    )
    assert took <= CHUNK_BOUND
    client.status(RobotStatus.IDLE, motion_possible=True)


def test_a_stale_chunk_leads_nowhere(client: FrankaClient, stream: Publisher) -> None:
    """It is a quarter of a second old, and says so."""
    rested = client.q()
    chunk = far_chunk(client)
    now = client.node.get_clock().now().nanoseconds * 1e-9
    chunk.header.stamp = stamp_from_seconds(now - 0.25)
    stream.publish(chunk)
    client.wait("diagnostics", lambda m: "old" in str(m.status[0].values))
    np.testing.assert_allclose(client.q(), rested, atol=2e-3)


def test_a_stream_that_falls_silent_comes_to_rest(
    client: FrankaClient, stream: Publisher, record_property: Callable[..., None]
) -> None:
    """The chunk runs out, nobody goes on at its last velocity."""
    q = client.q()
    chunk = Trajectory(
        np.array([0.3, 0.5]),
        np.array([q + 0.06 * np.eye(7)[0], q + 0.14 * np.eye(7)[0]]),
        np.array([0.4 * np.eye(7)[0]] * 2),
    )
    stream.publish(trajectory_to_msg(chunk))
    client.wait("joint_states", lambda m: m.velocity[0] > 0.2, fresh=True)
    state = client.heard["joint_states"][-1]
    took = told(
        client,
        "stream falls silent",
        seconds(state.header.stamp),
        state.position[0],
        record_property,
    )
    assert took <= CLIENT_BOUND
    client.status(RobotStatus.IDLE, motion_possible=True)


def test_a_flood_of_chunks_is_followed_or_refused_but_the_loop_keeps_its_time(
    client: FrankaClient, stream: Publisher
) -> None:
    """A thousand at once: the newest counts, and joint states go on."""
    chunk = far_chunk(client, 0.2)
    with client.news:
        client.heard["joint_states"].clear()
    for _ in range(1000):
        stream.publish(chunk)
    client.wait("joint_states", lambda m: m.position[0] > 0.15)
    client.status(RobotStatus.IDLE, motion_possible=True, in_motion=False)
    with client.news:
        stamps = [seconds(m.header.stamp) for m in client.heard["joint_states"]]
    gap = float(np.diff(stamps).max())
    print(f"flood of chunks: longest time between two joint states {gap:.3f} s")
    assert gap <= 0.3


def test_a_storm_of_service_calls_does_not_hold_up_a_stop(client: FrankaClient) -> None:
    """Two hundred calls wait; the stop among them is carried out at once."""
    handle = client.send(client.move(1.2))
    client.wait("joint_states", lambda m: m.velocity[0] > 0.1, fresh=True)
    service = client.node.create_client(Trigger, "robot/confirm")
    assert service.wait_for_service(GUARD)
    calls = [service.call_async(Trigger.Request()) for _ in range(200)]
    assert client.call("robot/stop").success
    began = seconds(client.heard["joint_states"][-1].header.stamp)
    took = time_of_rest(client) - began
    print(f"stop in a storm of service calls: at rest after {took:.3f} s")
    assert took <= CLIENT_BOUND
    assert "STOP_REQUESTED" in client.end(handle)[1].error_string
    # A middleware keeps ten calls and drops the others; those it kept are answered.
    assert any(call.done() for call in calls)
    client.node.destroy_client(service)


def test_two_leaders_are_not_followed(client: FrankaClient, stream: Publisher) -> None:
    """Nobody knows which of them is right."""
    rested = client.q()
    second = client.node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
    try:
        deadline = time.monotonic() + GUARD
        while second.get_subscription_count() == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        stream.publish(far_chunk(client))
        client.wait("diagnostics", lambda m: "only one may lead" in str(m.status[0].values))
    finally:
        client.node.destroy_publisher(second)
    np.testing.assert_allclose(client.q(), rested, atol=2e-3)
