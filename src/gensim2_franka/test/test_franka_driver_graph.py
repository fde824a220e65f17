"""The driver on a real graph, over libfranka's protocol, and everything that can go wrong.

fake_robot, franka_driver and the client are processes of their own.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from franka_processes import FrankaClient, start_driver, start_fake
from gensim2_control.ros.conversions import seconds
from mock_process import GUARD, graph_environment

from gensim2_msgs.msg import FrankaState, RobotStatus

DOMAIN = 1 + (os.getpid() + 46) % 95
ADDRESS = f"127.{2 + os.getpid() % 250}.255.1"


@pytest.fixture(scope="module")
def fake() -> Iterator[subprocess.Popen[str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in graph_environment(DOMAIN).items():
            patch.setenv(name, value)
        process = start_fake(DOMAIN, ADDRESS)
        yield process
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=GUARD)
        assert process.returncode == 0 and "Traceback" not in output, output


@pytest.fixture(scope="module")
def driver(fake: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    process = start_driver(DOMAIN, ADDRESS)
    yield process
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    assert "Traceback" not in output, output


@pytest.fixture(scope="module")
def connected(driver: subprocess.Popen[str]) -> Iterator[FrankaClient]:
    client = FrankaClient(DOMAIN)
    yield client
    client.close()


@pytest.fixture
def client(connected: FrankaClient) -> FrankaClient:
    """A client of a robot that is healthy, at home and has no object in its hand."""
    connected.inject(fault="none", object_position=-1.0)
    connected.wait("robot_status", lambda m: True)
    recover(connected)
    assert connected.call("robot/home").success
    connected.status(RobotStatus.IDLE, motion_possible=True, in_motion=False)
    return connected


def recover(client: FrankaClient) -> None:
    """Call robot/recover until the robot is ready; while it decelerates it is not."""
    deadline = time.monotonic() + GUARD
    while not (answer := client.call("robot/recover")).success:
        assert time.monotonic() < deadline, answer.message
    client.status(RobotStatus.IDLE)


def test_the_robot_tells_its_state_and_holds_its_arm(client: FrankaClient) -> None:
    state = client.wait("franka_state", lambda m: m.mode == FrankaState.MOVE)
    assert state.control_command_success_rate > 0.9
    assert list(state.errors) == []
    assert state.hand_width == pytest.approx(0.08, abs=2e-3)
    with client.news:
        client.heard["joint_states"].clear()
        assert client.news.wait_for(lambda: len(client.heard["joint_states"]) >= 20, GUARD)
        stamps = [seconds(m.header.stamp) for m in client.heard["joint_states"][:20]]
    assert (np.diff(stamps) > 0).all()
    # Measurements carry ROS time, so that clouds and joints can be put together.
    assert abs(client.node.get_clock().now().nanoseconds * 1e-9 - stamps[-1]) < 1.0


def test_a_goal_is_followed_closely(client: FrankaClient) -> None:
    trajectory = client.move(0.5)
    with client.news:
        client.heard["fr3_arm_controller/controller_state"].clear()
    status, result = client.end(client.send(trajectory))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_string
    np.testing.assert_allclose(client.q(), trajectory.q[-1], atol=0.02)
    with client.news:
        states = list(client.heard["fr3_arm_controller/controller_state"])
    worst = max(np.abs(state.error.positions).max() for state in states)
    print(f"largest tracking error {worst:.4f} rad in {len(states)} states")
    assert len(states) > 10 and worst <= 0.02


def test_the_hand_grasps_opens_and_measures_itself(client: FrankaClient) -> None:
    client.inject(object_position=0.02)
    status, result = client.end(client.grip(0.0, 20.0))
    assert status == GoalStatus.STATUS_SUCCEEDED and result.stalled
    assert result.position == pytest.approx(0.02, abs=1e-3), "width within 2 mm"
    client.wait("franka_state", lambda m: m.is_grasped)
    client.inject(object_position=-1.0)
    status, result = client.end(client.grip(0.04))
    assert status == GoalStatus.STATUS_SUCCEEDED and result.reached_goal
    assert client.call("fr3_gripper/homing").success
    client.wait("franka_state", lambda m: m.hand_max_width == pytest.approx(0.08, abs=2e-3))


@pytest.mark.parametrize(
    ("fault", "mode"),
    [
        ("joint_reflex", RobotStatus.REFLEX),
        ("communication_constraints_violation", RobotStatus.REFLEX),
        ("user_stop", RobotStatus.USER_STOPPED),
        ("network", RobotStatus.COMM_LOST),
        ("hand", RobotStatus.COMM_LOST),
    ],
)
def test_a_stopped_robot_ends_the_goal_and_waits_for_recovery(
    client: FrankaClient, fault: str, mode: int
) -> None:
    """The error is named, nothing moves afterwards, nothing recovers by itself."""
    handle = client.send(client.move(0.8))
    client.status(RobotStatus.MOVING, in_motion=True)
    client.inject(fault=fault)
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_ABORTED
    stopped = client.status(mode, motion_possible=False)
    if fault.startswith(("joint", "communication")):
        assert fault in stopped.errors and fault in result.error_string
    if fault == "hand":
        while "decelerating" in (refused := client.call("robot/recover")).message:
            pass  # the arm still has its connection
        assert not refused.success and "the hand" in refused.message, refused.message
    client.inject(fault="none")
    if mode == RobotStatus.COMM_LOST:
        recover(client)
    rested = client.q()
    if mode != RobotStatus.COMM_LOST:
        assert not client.send(client.move(0.1)).accepted
        client.status(mode, motion_possible=False)
        recover(client)
    np.testing.assert_allclose(client.q(), rested, atol=0.01)
    status, result = client.end(client.send(client.move(0.1)))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_string


def test_a_robot_that_is_restarted_is_found_again_by_recover(
    client: FrankaClient, fake: subprocess.Popen[str]
) -> None:
    """The driver survives; before, it says that the connection is gone."""
    fake.send_signal(signal.SIGSTOP)
    try:
        client.status(RobotStatus.COMM_LOST, motion_possible=False)
        client.wait(
            "diagnostics",
            lambda m: any("no connection" in s.message for s in m.status),
        )
    finally:
        fake.send_signal(signal.SIGCONT)
    recover(client)
    status, result = client.end(client.send(client.move(0.1)))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_string


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (("robot_ip:=127.1.1.1", "connect_timeout:=0.1"), "no connection.*127.1.1.1.*FCI"),
        (("robot_ip:=''",), "robot_ip is empty"),
        (("allow_non_rt:=false",), "allow_non_rt"),
        (("stiffness:=[1.0]",), "stiffness must hold 7"),
    ],
)
def test_a_start_that_cannot_succeed_says_why(parameters: tuple[str, ...], text: str) -> None:
    process = start_driver(1 + (os.getpid() + 47) % 95, ADDRESS, *parameters)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode != 0
    assert re.search(text, output.replace("\n", " ")), output
    assert "Traceback" not in output, output


def test_a_robot_that_takes_the_connection_and_says_nothing_does_not_hold_the_driver() -> None:
    """As one that serves another client; libfranka itself would wait for its answer for ever."""
    address = f"127.{2 + os.getpid() % 250}.255.2"
    with socket.create_server((address, 1337)) as silent:
        silent.settimeout(GUARD)
        process = start_driver(1 + (os.getpid() + 47) % 95, address)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=GUARD)
    assert "Traceback" not in output, output
