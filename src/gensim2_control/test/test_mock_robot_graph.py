"""The body contract on a real graph: mock_robot is a process, the client is this one.

What is asserted here is what a client or an operator relies upon: that a goal ends with a reason,
that stop answers while a goal runs, and that a robot does not go on when its client is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from gensim2_control.hardware import ARM_JOINTS, HOME_Q, JOINTS, Fault
from gensim2_control.ros.conversions import seconds, trajectory_to_msg
from gensim2_control.ros.heartbeat import ClientHeartbeat
from gensim2_control.trajectory import Trajectory
from mock_process import (
    ARM,
    GUARD,
    Client,
    doomed_client,
    graph_environment,
    start_robot,
    time_of_rest,
)
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import RobotStatus

DOMAIN = 1 + os.getpid() % 95
HOME = np.array(HOME_Q)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        environment = graph_environment(DOMAIN)
        for name in environment.keys() - os.environ.keys():
            patch.setenv(name, environment[name])
        patch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
        yield environment


@pytest.fixture(scope="module")
def robot(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = start_robot(environment)
    yield process
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    assert "Traceback" not in output


@pytest.fixture(scope="module")
def connected(robot: subprocess.Popen[str]) -> Iterator[Client]:
    client = Client(DOMAIN)
    yield client
    client.close()


@pytest.fixture
def client(connected: Client) -> Client:
    """A client of a robot that is healthy, at home and has no object in its hand."""
    connected.inject(fault="none", blocked_joint=0, object_position=-1.0)
    assert connected.call("robot/recover").success
    connected.status(RobotStatus.IDLE)
    assert connected.call("robot/home").success
    connected.status(RobotStatus.IDLE, motion_possible=True, in_motion=False)
    connected.feedback.clear()
    return connected


def test_states_are_published_with_all_joints_and_rising_stamps(client: Client) -> None:
    with client.news:
        client.heard["joint_states"].clear()
        assert client.news.wait_for(lambda: len(client.heard["joint_states"]) >= 20, GUARD)
        messages = client.heard["joint_states"][:20]
    assert list(messages[0].name) == list(JOINTS)
    assert len(messages[0].position) == len(messages[0].velocity) == len(messages[0].effort) == 9
    stamps = [seconds(m.header.stamp) for m in messages]
    assert (np.diff(stamps) > 0).all()
    arm = client.wait(f"{ARM}/controller_state", lambda m: True, fresh=True)
    assert list(arm.joint_names) == list(ARM_JOINTS)
    np.testing.assert_allclose(arm.error.positions, 0.0, atol=1e-3)
    hand = client.wait("fr3_gripper/controller_state", lambda m: True, fresh=True)
    assert list(hand.joint_names) == ["fr3_finger_joint1"]


def test_who_comes_late_learns_the_condition_at_once(client: Client) -> None:
    late = Client(DOMAIN)
    assert late.status(RobotStatus.IDLE).motion_possible
    late.close()


def test_a_goal_is_followed_with_joints_in_any_order(client: Client) -> None:
    trajectory = client.move(0.3)
    message = trajectory_to_msg(trajectory)
    message.joint_names = message.joint_names[::-1]
    for point in message.points:
        for field in ("positions", "velocities", "accelerations"):
            setattr(point, field, getattr(point, field)[::-1])
    handle = client.send(message)
    client.status(RobotStatus.MOVING, in_motion=True)
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (result.error_code, result.error_string) == (0, "")
    np.testing.assert_allclose(client.q(), trajectory.q[-1], atol=0.02)
    assert client.feedback
    assert list(client.feedback[0].feedback.joint_names) == list(ARM_JOINTS)


def test_malformed_goals_are_rejected_and_the_reason_can_be_found(client: Client) -> None:
    message = trajectory_to_msg(client.move(0.1))
    message.joint_names[6] = "panda_joint7"
    assert not client.send(message).accepted
    client.wait("diagnostics", lambda m: "unknown: panda_joint7" in str(m.status[0].values))
    message = trajectory_to_msg(client.move(0.1))
    message.points[1].velocities[0] = 0.5
    assert not client.send(message).accepted
    message = trajectory_to_msg(client.move(0.1), stamp=12.0)
    assert not client.send(message).accepted


def test_unsafe_goals_are_aborted_with_code_and_text_before_anything_moves(client: Client) -> None:
    before = client.q()
    far = np.vstack([before, before])
    far[1, 0] += 3.0
    cases = [
        (Trajectory(np.array([0.0, 9.0]), far), "position limit: fr3_joint1"),
        (Trajectory(np.array([0.0, 0.1]), far), "limit"),
        (Trajectory(np.array([0.0, 5.0]), np.vstack([before + 0.1] * 2)), "starts too far away"),
    ]
    for trajectory, text in cases:
        status, result = client.end(client.send(trajectory))
        assert status == GoalStatus.STATUS_ABORTED
        assert result.error_code == FollowJointTrajectory.Result.INVALID_GOAL
        assert text in result.error_string
    np.testing.assert_allclose(client.q(), before, atol=1e-3)


def test_cancel_brings_the_arm_to_rest_short_of_the_goal(client: Client) -> None:
    trajectory = client.move(1.0, speed=0.5)
    handle = client.send(trajectory)
    client.wait("joint_states", lambda m: m.velocity[0] > 0.2)
    client.result(handle.cancel_goal_async())
    status, _ = client.end(handle)
    assert status == GoalStatus.STATUS_CANCELED
    state = client.status(RobotStatus.IDLE, in_motion=False)
    assert state.motion_possible
    reached = client.q()
    assert reached[0] < trajectory.q[-1, 0] - 0.1
    np.testing.assert_allclose(client.q(), reached, atol=1e-3)


def test_a_new_goal_preempts_the_old_one(client: Client) -> None:
    first = client.send(client.move(1.0))
    client.wait("joint_states", lambda m: m.velocity[0] > 0.1)
    second = client.send(Trajectory(np.array([2.0]), HOME[None]))
    status, result = client.end(first)
    assert status == GoalStatus.STATUS_ABORTED
    assert "preempted" in result.error_string
    assert client.end(second)[0] == GoalStatus.STATUS_SUCCEEDED
    np.testing.assert_allclose(client.q(), HOME, atol=0.02)


def test_stop_answers_while_a_goal_runs_and_latches(client: Client) -> None:
    handle = client.send(client.move(1.5, speed=0.1))
    client.wait("joint_states", lambda m: m.velocity[0] > 0.05)
    assert client.call("robot/stop").success
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert "STOP_REQUESTED" in result.error_string
    state = client.status(RobotStatus.STOPPED, in_motion=False)
    assert not state.motion_possible
    assert state.error_code == Fault.STOP_REQUESTED
    assert list(state.errors) == ["STOP_REQUESTED"]
    assert not client.send(client.move(0.1)).accepted
    assert not client.grip(0.0).accepted
    assert not client.call("robot/home").success
    assert client.call("robot/recover").success
    client.status(RobotStatus.IDLE, motion_possible=True)


def test_a_blocked_arm_is_reported_with_joint_and_amount(client: Client) -> None:
    client.inject(blocked_joint=1)
    tolerance = [JointTolerance(name="fr3_joint1", position=0.05)]
    status, result = client.end(client.send(client.move(0.5), path_tolerance=tolerance))
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_code == FollowJointTrajectory.Result.PATH_TOLERANCE_VIOLATED
    assert "fr3_joint1 is off by" in result.error_string


def test_the_gripper_speaks_of_one_finger_joint_everywhere(client: Client) -> None:
    status, result = client.end(client.grip(0.01))
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (result.reached_goal, result.stalled) == (True, False)
    assert result.position == pytest.approx(0.01, abs=2e-3)
    measured = client.wait("joint_states", lambda m: True, fresh=True)
    assert measured.position[7] == pytest.approx(0.01, abs=2e-3)
    assert all(0.0 <= m.feedback.position <= 0.04 for m in client.feedback)
    assert not client.grip(0.08).accepted
    assert client.end(client.grip(0.04))[0] == GoalStatus.STATUS_SUCCEEDED


def test_a_grasp_is_a_success_that_says_stalled(client: Client) -> None:
    assert client.end(client.grip(0.04))[1].reached_goal
    client.inject(object_position=0.015)
    status, result = client.end(client.grip(0.0, effort=25.0))
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (result.reached_goal, result.stalled) == (False, True)
    assert result.position == pytest.approx(0.015, abs=1e-3)
    assert result.effort == pytest.approx(25.0)


def test_a_reflex_ends_the_goal_and_waits_for_the_operator(client: Client) -> None:
    handle = client.send(client.move(1.0))
    client.wait("joint_states", lambda m: m.velocity[0] > 0.1)
    client.inject(fault="reflex")
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert "REFLEX: mock_reflex" in result.error_string
    state = client.status(RobotStatus.REFLEX)
    assert state.in_error
    assert not state.drives_powered
    client.inject(fault="user_stop")
    client.status(RobotStatus.USER_STOPPED, e_stopped=True)
    answer = client.call("robot/recover")
    assert not answer.success
    assert "stop is pressed" in answer.message
    client.inject(fault="none")
    assert client.call("robot/recover").success
    client.status(RobotStatus.IDLE, motion_possible=True)


def test_streamed_chunks_lead_the_arm_but_not_from_two_sides(client: Client) -> None:
    one = client.node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
    target = HOME.copy()
    target[0] += 0.1
    chunk = trajectory_to_msg(Trajectory(np.array([1.0]), target[None]))
    while one.get_subscription_count() == 0:
        time.sleep(0.01)
    one.publish(chunk)
    client.wait("joint_states", lambda m: m.position[0] > 0.09)
    client.status(RobotStatus.IDLE, in_motion=False)
    two = client.node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
    while two.get_subscription_count() == 0:
        time.sleep(0.01)
    chunk.points[0].positions[0] = 0.0
    one.publish(chunk)
    client.wait("diagnostics", lambda m: "only one may lead" in str(m.status[0].values))
    assert client.q()[0] > 0.09
    client.node.destroy_publisher(one)
    client.node.destroy_publisher(two)


@pytest.mark.parametrize("defect", ["nan", "joints", "limit"])
def test_a_bad_chunk_stops_its_stream_in_time(
    client: Client, defect: str, record_property: Callable[[str, object], None]
) -> None:
    publisher = client.node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
    share = np.array([0.25, 0.5, 0.75, 1.0])
    way = client.q() + np.outer(1.5 * share, np.eye(7)[0])
    good = trajectory_to_msg(Trajectory(1.9 * share, way))
    bad = trajectory_to_msg(Trajectory(1.9 * share, way))
    if defect == "nan":
        bad.points[0].positions[3] = float("nan")
    elif defect == "joints":
        bad.joint_names[0] = "panda_joint1"
    else:
        bad.points[0].positions[0] = 4.0
    try:
        while publisher.get_subscription_count() == 0:
            time.sleep(0.01)
        publisher.publish(good)
        client.wait("joint_states", lambda m: m.velocity[0] > 0.5, fresh=True)
        publisher.publish(bad)
        began = seconds(client.heard["joint_states"][-1].header.stamp)
        took = time_of_rest(client) - began
    finally:
        client.node.destroy_publisher(publisher)
    print(f"bad chunk ({defect}): at rest after {took:.3f} s")
    record_property(f"time to rest, bad chunk ({defect}), s", round(took, 4))
    assert took <= 0.3
    assert client.q()[0] < way[-1, 0] - 0.2
    client.status(RobotStatus.IDLE, motion_possible=True)
    client.wait("diagnostics", lambda m: "joint_trajectory" in str(m.status[0].values))


def test_a_killed_client_stops_the_robot(
    client: Client, environment: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    """A dead action client does not cancel its goal: without the heartbeat the arm goes on."""
    with doomed_client(client, environment) as doomed:
        doomed.kill()
        began = seconds(client.heard["joint_states"][-1].header.stamp)
        state = client.status(RobotStatus.STOPPED, in_motion=False)
        took = time_of_rest(client) - began
    print(f"client killed: at rest after {took:.3f} s")
    record_property("time to rest, client killed, s", round(took, 4))
    assert took <= 1.0
    assert state.error_code == Fault.HEARTBEAT_LOST
    assert client.q()[0] < 1.4


def test_a_client_that_hangs_stops_the_robot_though_others_live(
    client: Client, environment: dict[str, str]
) -> None:
    heartbeat = ClientHeartbeat(client.node)
    try:
        with doomed_client(client, environment, "hang"):
            state = client.status(RobotStatus.STOPPED, in_motion=False)
            client.wait("diagnostics", lambda m: "/doomed" in str(m.status[0]))
    finally:
        heartbeat.close()
    assert state.error_code == Fault.HEARTBEAT_LOST
    assert client.q()[0] < 1.4


def test_ctrl_c_brings_the_arm_to_rest_and_tells_the_client(environment: dict[str, str]) -> None:
    process = start_robot({**environment, "ROS_DOMAIN_ID": str(DOMAIN + 1)})
    client = Client(DOMAIN + 1)
    try:
        client.status(RobotStatus.IDLE, motion_possible=True)
        handle = client.send(client.move(1.0))
        client.wait("joint_states", lambda m: m.velocity[0] > 0.1)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        status, result = client.end(handle)
        assert status == GoalStatus.STATUS_ABORTED
        assert "the node is shut down" in result.error_string
        client.status(RobotStatus.STOPPED, in_motion=False)
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=GUARD)
        client.close()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_an_unknown_parameter_ends_the_start_with_a_message(environment: dict[str, str]) -> None:
    process = start_robot(environment, "goal_tolerence:=0.1")
    try:
        output, _ = process.communicate(timeout=GUARD)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "unknown parameter goal_tolerence, did you mean goal_tolerance?" in output
    assert "Traceback" not in output
