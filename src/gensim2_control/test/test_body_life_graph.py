"""The life of a node that hosts a body, as a lifecycle manager and its clients see it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import State, Transition
from mock_process import GUARD, Client, graph_environment, life, life_state, start_robot

from gensim2_msgs.msg import RobotStatus

DOMAIN = 1 + (os.getpid() + 30) % 95


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(DOMAIN)
    yield client
    client.close()


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


def move(client: Client, offset: float) -> None:
    client.status(RobotStatus.IDLE, motion_possible=True)
    status, result = client.end(client.send(client.move(offset, speed=0.5)))
    assert status == GoalStatus.STATUS_SUCCEEDED, result


def topics(client: Client) -> set[str]:
    return {name for name, _ in client.node.get_topic_names_and_types()}


def test_the_whole_life(client: Client) -> None:
    process = start_robot(graph_environment(DOMAIN), "autostart:=false")
    try:
        assert life_state(client) == State.PRIMARY_STATE_UNCONFIGURED
        client.wait("diagnostics", lambda m: m.status[0].message == "unconfigured")
        assert not client.node.count_publishers("joint_states")
        # Asked for at the wrong time it is refused, and does not end the node.
        assert not life(client, Transition.TRANSITION_ACTIVATE)
        assert life(client, Transition.TRANSITION_CONFIGURE)
        # A robot that nobody looks after takes no goals, and says why.
        assert client.status(RobotStatus.DISCONNECTED).motion_possible is False
        client.wait("diagnostics", lambda m: "activate it" in m.status[0].message)
        assert not client.grip(0.0).accepted
        refused = client.call("robot/home")
        assert not refused.success and "no measurement" in refused.message
        assert "activate it" in client.call("robot/recover").message
        assert life(client, Transition.TRANSITION_ACTIVATE)
        move(client, 0.2)

        # Deactivated in the middle of a motion it slows down and tells the client.
        handle = client.send(client.move(1.0))
        client.wait("joint_states", lambda m: m.velocity[0] > 0.1)
        assert life(client, Transition.TRANSITION_DEACTIVATE)
        status, result = client.end(handle)
        assert status == GoalStatus.STATUS_ABORTED and "inactive" in result.error_string
        client.status(RobotStatus.DISCONNECTED)
        assert abs(client.heard["joint_states"][-1].velocity[0]) < 0.01
        refused = client.call("robot/home")
        assert not refused.success and "activate it" in refused.message
        assert life(client, Transition.TRANSITION_ACTIVATE)
        move(client, 0.1)

        assert life(client, Transition.TRANSITION_DEACTIVATE)
        assert life(client, Transition.TRANSITION_CLEANUP)
        while client.node.count_publishers("joint_states"):
            client.wait("diagnostics", lambda m: True, fresh=True)
        client.wait("diagnostics", lambda m: m.status[0].message == "unconfigured")
        assert life(client, Transition.TRANSITION_CONFIGURE)
        assert life(client, Transition.TRANSITION_ACTIVATE)
        client.wait("joint_states", lambda m: abs(m.position[0]) < 1e-6)
        move(client, 0.1)
        assert life(client, Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert life_state(client) == State.PRIMARY_STATE_FINALIZED
        end(process)
    finally:
        process.kill()


def test_a_latched_fault_outlives_deactivation(client: Client) -> None:
    """Going through inactive is no recovery."""
    process = start_robot(graph_environment(DOMAIN))
    try:
        client.status(RobotStatus.IDLE, motion_possible=True)
        assert client.call("robot/stop").success
        client.status(RobotStatus.STOPPED)
        assert life(client, Transition.TRANSITION_DEACTIVATE)
        client.status(RobotStatus.DISCONNECTED)
        assert life(client, Transition.TRANSITION_ACTIVATE)
        client.status(RobotStatus.STOPPED, motion_possible=False)
        assert client.call("robot/recover").success
        move(client, 0.1)
        end(process)
    finally:
        process.kill()


def test_a_configure_that_fails_can_be_repeated(client: Client, tmp_path: Path) -> None:
    process = start_robot(
        graph_environment(DOMAIN), "autostart:=false", f"urdf:={tmp_path / 'robot.urdf'}"
    )
    try:
        assert not life(client, Transition.TRANSITION_CONFIGURE)
        assert life_state(client) == State.PRIMARY_STATE_UNCONFIGURED
        assert not life(client, Transition.TRANSITION_CONFIGURE)
        urdf = Path(__file__).resolve().parents[3] / "launch" / "urdf" / "fr3.urdf"
        (tmp_path / "robot.urdf").write_text(urdf.read_text())
        assert life(client, Transition.TRANSITION_CONFIGURE)
        assert life(client, Transition.TRANSITION_ACTIVATE)
        move(client, 0.1)
        assert "cannot read the robot description" in end(process)
    finally:
        process.kill()


def test_a_start_that_fails_ends_the_process_with_a_message(tmp_path: Path) -> None:
    process = start_robot(graph_environment(DOMAIN), f"urdf:={tmp_path / 'robot.urdf'}")
    try:
        output, _ = process.communicate(timeout=GUARD)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "error: cannot read the robot description" in output
    assert "Traceback" not in output
