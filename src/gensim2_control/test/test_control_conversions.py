"""A wrong order of joints or quaternion entries moves the wrong joint, or turns the hand over."""

from __future__ import annotations

import numpy as np
import pytest
from control_msgs.msg import JointTolerance
from gensim2_control.goals import ArmCode, TrajectoryRejected
from gensim2_control.hardware import JOINTS
from gensim2_control.ros import conversions as c
from gensim2_control.ros.state_publisher import Due
from gensim2_control.trajectory import Trajectory
from geometry_msgs.msg import Pose, Quaternion
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

RNG = np.random.default_rng(3)


@given(st.integers(0, 2_000_000_000_000_000))
@settings(deadline=None)
def test_stamps_of_control_steps_are_exact(microseconds: int) -> None:
    """Recorder and fusion match by equality of stamps: a rounding error loses frames."""
    stamp = c.stamp_from_seconds(microseconds / 1e6)
    assert abs(stamp.sec * 10**9 + stamp.nanosec - microseconds * 1000) <= 250
    step = microseconds % 10**8
    exact = c.stamp_from_seconds(step * 0.005)
    assert exact.sec * 10**9 + exact.nanosec == step * 5_000_000
    assert c.seconds(exact) == pytest.approx(step * 0.005, abs=1e-9)


def test_negative_durations_survive() -> None:
    assert c.seconds(c.duration_from_seconds(-1.0)) == -1.0
    assert c.seconds(c.duration_from_seconds(-0.25)) == -0.25


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_trajectories_survive_the_way_through_a_message(derivatives: int) -> None:
    arrays = RNG.normal(size=(derivatives + 1, 4, 7))
    trajectory = Trajectory(np.array([0.0, 0.5, 1.25, 2.0]), *arrays)
    message = c.trajectory_to_msg(trajectory)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 0)
    back = c.trajectory_from_msg(message)
    np.testing.assert_array_equal(back.t, trajectory.t)
    np.testing.assert_array_equal(back.q, trajectory.q)
    for name in ("dq", "ddq"):
        given, got = getattr(trajectory, name), getattr(back, name)
        assert (given is None) == (got is None)
        if given is not None:
            np.testing.assert_array_equal(got, given)


def test_joints_of_a_trajectory_are_matched_by_name() -> None:
    message = c.trajectory_to_msg(Trajectory(np.array([1.0]), np.arange(7.0)[None]))
    message.joint_names = list(reversed(message.joint_names))
    np.testing.assert_array_equal(c.trajectory_from_msg(message).q[0], np.arange(7.0)[::-1])


def test_points_of_unequal_size_are_refused() -> None:
    message = c.trajectory_to_msg(
        Trajectory(np.array([0.0, 1.0]), np.zeros((2, 7)), np.zeros((2, 7)))
    )
    message.points[1].velocities = [0.0] * 6
    with pytest.raises(TrajectoryRejected, match="point 1 has 6 velocities"):
        c.trajectory_from_msg(message)
    message.points[1].velocities = []
    with pytest.raises(TrajectoryRejected, match="point 1 has 0 velocities"):
        c.trajectory_from_msg(message)
    message.points = []
    with pytest.raises(TrajectoryRejected, match="no points"):
        c.trajectory_from_msg(message)


def test_tolerances_are_matched_by_name() -> None:
    given = [JointTolerance(name="fr3_joint3", position=0.5), JointTolerance(name="fr3_joint1")]
    np.testing.assert_array_equal(c.tolerances_from_msg(given), [0, 0, 0.5, 0, 0, 0, 0])
    with pytest.raises(TrajectoryRejected) as rejection:
        c.tolerances_from_msg([JointTolerance(name="elbow")])
    assert rejection.value.code is ArmCode.INVALID_JOINTS


def test_joint_states_name_every_value() -> None:
    q, dq, tau = RNG.normal(size=(3, 9))
    message = c.joint_state_to_msg(12.345, q, dq, tau)
    assert list(message.name) == list(JOINTS)
    assert c.seconds(message.header.stamp) == 12.345
    given = (message.position, message.velocity, message.effort)
    for values, expected in zip(given, (q, dq, tau), strict=True):
        np.testing.assert_array_equal(values, expected)


def test_poses_are_xyzw_with_positive_w() -> None:
    T = np.eye(4)
    T[:3, :3] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    T[:3, 3] = [1.0, 2.0, 3.0]
    pose = c.matrix_to_pose(T)
    half = np.sqrt(0.5)
    assert (pose.orientation.z, pose.orientation.w) == (pytest.approx(half), pytest.approx(half))
    for _ in range(20):
        T[:3, :3] = Rotation.random(rng=RNG).as_matrix()
        np.testing.assert_allclose(c.pose_to_matrix(c.matrix_to_pose(T)), T, atol=1e-12)
        transform = c.matrix_to_transform(T)
        p, o = transform.translation, transform.rotation
        np.testing.assert_allclose([p.x, p.y, p.z], T[:3, 3])
        turn = Rotation.from_quat([o.x, o.y, o.z, o.w]).as_matrix()
        np.testing.assert_allclose(turn, T[:3, :3], atol=1e-12)
        assert transform.rotation.w >= 0
    with pytest.raises(ValueError, match="norm"):
        c.pose_to_matrix(Pose(orientation=Quaternion(x=0.0, y=0.0, z=0.0, w=0.0)))


def test_joint_states_leave_on_a_grid_of_the_clock() -> None:
    """Stamps must not depend on when the publisher started, nor on rounding."""
    due = Due(100.0)
    published = [k for k in range(1000) if due.at(k * 0.005)]
    assert published == list(range(0, 1000, 2))
    assert not due.at(999 * 0.005), "time stands still"
    assert due.at(0.0), "the clock was set back"
