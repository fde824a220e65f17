"""Cartesian paths: they reach the poses they claim to reach and stop before those they cannot."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_kpam.arm_model import ArmModel
from gensim2_kpam.cartesian import ANGLE_LIMIT, JUMP_LIMIT, POSITION_LIMIT, Unreachable
from gensim2_kpam.tool import HAND_LINK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kpam_scenes import HOME, Array, pose_error
from scipy.spatial.transform import Rotation

from gensim2_kpam import cartesian
from gensim2_tasks import se3

UNIT = arrays(float, 3, elements={"min_value": -1.0, "max_value": 1.0})
# About the middle of the workspace in front of the robot.
OFFSETS = arrays(float, 7, elements={"min_value": -0.35, "max_value": 0.35})
MIDDLE = np.array([0.0, 0.2, 0.0, -2.1, 0.0, 2.3, 0.785])


def check_path(
    path: Array, poses: list[Array], arm: ArmModel, kinematics: Fr3Kinematics, q_start: Array
) -> None:
    """Every configuration reaches its pose, within limits and without a jump."""
    assert len(path) <= len(poses)
    for q, T in zip(path, poses, strict=False):
        distance, angle = pose_error(kinematics.fk(q, HAND_LINK), T)
        assert distance <= POSITION_LIMIT
        assert angle <= ANGLE_LIMIT * 1.01
        assert arm.within_limits(q)
    if len(path):
        assert np.max(np.abs(np.diff(path, axis=0)), initial=0.0) <= JUMP_LIMIT
        assert np.max(np.abs(path[0] - q_start)) < 0.1


@settings(max_examples=40, deadline=None)
@given(UNIT, UNIT, st.floats(0.0, 0.5))
def test_interpolation_is_straight_even_and_complete(
    step: Array, turn: Array, distance: float
) -> None:
    T_from = se3.transform((0.4, 0.1, 0.3), Rotation.from_rotvec([3.0, 0.2, 0.1]))
    turned = Rotation.from_rotvec(turn) * Rotation.from_matrix(T_from[:3, :3])
    T_to = se3.transform(T_from[:3, 3] + distance * step, turned)
    poses = cartesian.interpolate(T_from, T_to)
    assert np.allclose([poses[0], poses[-1]], [T_from, T_to], atol=1e-9)
    whole = pose_error(T_from, T_to)
    parts = [pose_error(a, b) for a, b in pairwise(poses)]
    assert sum(p for p, _ in parts) == pytest.approx(whole[0], abs=1e-9)  # straight
    assert sum(r for _, r in parts) == pytest.approx(whole[1], abs=1e-6)
    assert max(p for p, _ in parts) <= cartesian.STEP + 1e-9
    assert max(r for _, r in parts) <= cartesian.STEP_ANGLE + 1e-6


@settings(max_examples=40, deadline=None)
@given(OFFSETS, OFFSETS)
def test_reachable_poses_are_reached(
    arm: ArmModel, kinematics: Fr3Kinematics, offset: Array, way: Array
) -> None:
    q_start = MIDDLE + offset
    keys = [arm.fk(q_start + share * 0.5 * way) for share in (0.0, 1.0)]
    poses = cartesian.through(keys)
    path = cartesian.follow(arm, poses, q_start)
    assert not isinstance(path, Unreachable), path
    assert len(path) == len(poses)
    check_path(path, poses, arm, kinematics, q_start)


@settings(max_examples=40, deadline=None)
@given(OFFSETS, UNIT, UNIT)
def test_a_partial_path_stops_before_what_is_out_of_reach(
    arm: ArmModel, kinematics: Fr3Kinematics, offset: Array, direction: Array, turn: Array
) -> None:
    """Farther and farther out: whatever the direction, the arm ends somewhere."""
    q_start = MIDDLE + offset
    norm = float(np.linalg.norm(direction))
    direction = direction / norm if norm > 0.1 else np.array([0.0, 0.0, 1.0])
    T_start = arm.fk(q_start)
    rotation = Rotation.from_rotvec(0.5 * turn) * Rotation.from_matrix(T_start[:3, :3])
    poses = cartesian.interpolate(
        T_start, se3.transform(T_start[:3, 3] + 2.0 * direction, rotation)
    )
    path = cartesian.follow(arm, poses, q_start, partial=True)
    check_path(path, poses, arm, kinematics, q_start)
    assert 1 <= len(path) < len(poses)
    whole = cartesian.follow(arm, poses, q_start)
    assert isinstance(whole, Unreachable)
    assert whole.fraction == pytest.approx(len(path) / (len(poses) - 1))
    assert whole.reason


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_turn_ends_where_the_wrist_does(
    arm: ArmModel, kinematics: Fr3Kinematics, way: float
) -> None:
    """In place, where only the rotation goes out of reach."""
    T = arm.fk(MIDDLE)
    turns = [Rotation.from_euler("z", way * 1.2 * i) for i in range(6)]
    poses = cartesian.through([T @ se3.transform(rotation=turn) for turn in turns])
    path = cartesian.follow(arm, poses, MIDDLE, partial=True)
    check_path(path, poses, arm, kinematics, MIDDLE)
    assert 0.2 * len(poses) < len(path) < len(poses)


def test_a_pose_elsewhere_is_not_jumped_to(arm: ArmModel) -> None:
    T = arm.fk(HOME)
    far = se3.transform((-0.3, 0.3, 0.0)) @ T
    path = cartesian.follow(arm, [T, far], HOME, partial=True)
    assert len(path) == 1
