"""Two bodies on one graph: the second does not start, and of two at once none moves."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import Transition
from mock_process import GUARD, Client, graph_environment, life, start_robot
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from gensim2_msgs.msg import RobotStatus

DOMAIN = 1 + (os.getpid() + 33) % 95


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(DOMAIN)
    yield client
    client.close()


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output


def test_the_second_of_two_graphs_does_not_start_and_the_first_goes_on(client: Client) -> None:
    first = start_robot(graph_environment(DOMAIN))
    try:
        client.status(RobotStatus.IDLE, motion_possible=True)
        handle = client.send(client.move(1.0))
        second = start_robot(graph_environment(DOMAIN))
        try:
            output, _ = second.communicate(timeout=GUARD)
        finally:
            second.kill()
        assert second.returncode == 1, output
        error = next(line for line in output.splitlines() if line.startswith("error: "))
        assert "node /mock_robot" in error, output
        assert "publishes /joint_states and serves /robot/stop: two bodies" in error
        assert f"ROS_DOMAIN_ID is {DOMAIN}" in error and "namespace" in error
        assert "Traceback" not in output
        assert client.end(handle)[0] == GoalStatus.STATUS_SUCCEEDED
        end(first)
    finally:
        first.kill()


def test_another_namespace_is_another_robot(client: Client) -> None:
    first = start_robot(graph_environment(DOMAIN))
    try:
        client.status(RobotStatus.IDLE, motion_possible=True)
        second = start_robot(graph_environment(DOMAIN), remap="__ns:=/left")
        try:
            service = client.node.create_client(Trigger, "left/robot/home")
            assert service.wait_for_service(GUARD)
            assert client.call("robot/home").success
            end(second)
        finally:
            second.kill()
        end(first)
    finally:
        first.kill()


def test_one_that_comes_later_at_run_time_stops_the_motion(client: Client) -> None:
    """As where two start at the same time, and neither has seen the other."""
    process = start_robot(graph_environment(DOMAIN))
    rival = Client(DOMAIN)
    try:
        client.status(RobotStatus.IDLE, motion_possible=True)
        handle = client.send(client.move(2.0, speed=0.05))
        client.wait("joint_states", lambda m: m.velocity[0] > 0.05)
        publisher = rival.node.create_publisher(JointState, "joint_states", 10)
        status, result = client.end(handle)
        assert status == GoalStatus.STATUS_ABORTED
        assert "node /test_client publishes /joint_states: two bodies" in result.error_string
        client.status(RobotStatus.IDLE, motion_possible=False, in_motion=False)
        diagnosed = client.wait("diagnostics", lambda m: m.status[0].level == b"\2")
        assert "two bodies on one domain" in diagnosed.status[0].message
        assert not client.grip(0.0).accepted
        refused = client.call("robot/home")
        assert not refused.success and "ROS_DOMAIN_ID" in refused.message
        rival.node.destroy_publisher(publisher)
        client.status(RobotStatus.IDLE, motion_possible=True)
        assert client.call("robot/home").success, "nothing is latched"
        end(process)
    finally:
        process.kill()
        rival.close()


def test_of_two_that_start_at_the_same_time_never_both_obey(client: Client) -> None:
    """Either one has seen the other and gives up, or both refuse goals."""
    processes = [start_robot(graph_environment(DOMAIN)) for _ in range(2)]

    def one_gave_up() -> bool:
        return any(process.poll() is not None for process in processes)

    def settled(_: object) -> bool:
        # Each of them reports once a second: four in a row are of both.
        newest = client.heard["diagnostics"][-4:]
        both = len(newest) == 4 and all("two bodies" in str(m.status[0].message) for m in newest)
        return one_gave_up() or both

    try:
        client.wait("diagnostics", settled)
        if one_gave_up():
            client.status(RobotStatus.IDLE, motion_possible=True)
        else:
            assert not client.grip(0.0).accepted
            client.status(RobotStatus.IDLE, motion_possible=False)
        for process in processes:
            process.send_signal(signal.SIGINT)
        codes = [process.wait(GUARD) for process in processes]
        assert sorted(codes) in ([0, 0], [0, 1])
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=GUARD)


def test_a_killed_one_is_waited_for_and_a_living_one_is_not(client: Client) -> None:
    """Whoever lived when it was killed sees it until its lease ends."""
    killed = start_robot(graph_environment(DOMAIN))
    client.status(RobotStatus.IDLE, motion_possible=True)
    waiting = start_robot(graph_environment(DOMAIN), "autostart:=false", remap="__node:=second")
    try:
        assert not life(client, Transition.TRANSITION_CONFIGURE, "second")
        killed.kill()
        killed.communicate(timeout=GUARD)
        assert life(client, Transition.TRANSITION_CONFIGURE, "second")
        assert life(client, Transition.TRANSITION_ACTIVATE, "second")
        client.wait("robot_status", lambda m: m.motion_possible, fresh=True)
        assert client.call("robot/home").success
        waiting.send_signal(signal.SIGINT)
        output, _ = waiting.communicate(timeout=GUARD)
        assert waiting.returncode == 0, output
        assert output.count("in case it was killed just now") == 2, "said once each time"
        assert "/second: node /mock_robot publishes /joint_states" in output, output
    finally:
        killed.kill()
        waiting.kill()
