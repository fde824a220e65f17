"""The closed form: exact where the data are, and deaf to a minority of wrong poses."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_perception.calibration_errors import CalibrationRefusedError
from gensim2_perception.hand_eye import (
    check_turns,
    pose_difference,
    solve_hand_eye,
    solve_with_outliers,
)
from gensim2_perception.static_transforms import inverse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

SEEDS = st.integers(0, 2**32 - 1)


def random_poses(rng: np.random.Generator, count: int, turn: float) -> NDArray[np.float64]:
    T = np.tile(np.eye(4), (count, 1, 1))
    T[:, :3, :3] = Rotation.from_rotvec(rng.uniform(-turn, turn, (count, 3))).as_matrix()
    T[:, :3, 3] = rng.uniform(-1.0, 1.0, (count, 3))
    return T


@given(SEEDS, st.integers(3, 12))
@settings(max_examples=60, deadline=None)
def test_exact_poses_give_the_exact_transforms(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    T_parent_cam, T_carrier_board = random_poses(rng, 2, 1.8)
    T_parent_carrier = random_poses(rng, count, 0.7)
    T_cam_board = inverse(T_parent_cam) @ T_parent_carrier @ T_carrier_board
    try:
        found = solve_hand_eye(T_parent_carrier, T_cam_board)
    except CalibrationRefusedError:
        # Three random poses may turn about nearly one axis.
        assert count == 3
        return
    np.testing.assert_allclose(found.T_parent_cam, T_parent_cam, atol=1e-5)
    np.testing.assert_allclose(found.T_carrier_board, T_carrier_board, atol=1e-5)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_other_frames_of_the_robot_change_the_result_as_they_should(seed: int) -> None:
    """Moving the base moves the camera in base and nothing else."""
    rng = np.random.default_rng(seed)
    T_parent_cam, T_carrier_board, T_new_old = random_poses(rng, 3, 1.8)
    T_parent_carrier = random_poses(rng, 10, 0.7)
    T_cam_board = inverse(T_parent_cam) @ T_parent_carrier @ T_carrier_board
    # Wrong by a little, so that the least squares have something to weigh.
    T_cam_board[:, :3, 3] += rng.normal(0.0, 1e-3, (10, 3))
    one = solve_hand_eye(T_parent_carrier, T_cam_board)
    other = solve_hand_eye(T_new_old @ T_parent_carrier, T_cam_board)
    np.testing.assert_allclose(other.T_parent_cam, T_new_old @ one.T_parent_cam, atol=1e-8)
    np.testing.assert_allclose(other.T_carrier_board, one.T_carrier_board, atol=1e-8)


@given(SEEDS)
@settings(max_examples=8, deadline=None)
def test_a_quarter_of_wrong_views_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T_parent_cam, T_carrier_board = random_poses(rng, 2, 1.8)
    T_parent_carrier = random_poses(rng, 12, 0.7)
    T_cam_board = inverse(T_parent_cam) @ T_parent_carrier @ T_carrier_board
    T_cam_board[:3] = random_poses(rng, 3, 1.0)
    found = solve_with_outliers(T_parent_carrier, T_cam_board, rng)
    distance, angle = pose_difference(found.T_parent_cam, T_parent_cam)
    assert distance < 1e-6 and angle < 1e-6


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_inverse_and_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T = random_poses(rng, 5, 1.8)
    np.testing.assert_allclose(T @ inverse(T), np.tile(np.eye(4), (5, 1, 1)), atol=1e-12)
    moved = T.copy()
    moved[:, :3, :3] = T[:, :3, :3] @ Rotation.from_rotvec([0.0, 0.3, 0.0]).as_matrix()
    moved[:, 0, 3] += 0.25
    distance, angle = pose_difference(T, moved)
    np.testing.assert_allclose(distance, 0.25, atol=1e-12)
    np.testing.assert_allclose(angle, 0.3, atol=1e-9)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_the_axis_the_hand_turned_about_is_named(axis: str) -> None:
    """In the hand's own frame, which is what an operator turns."""
    T = np.tile(np.eye(4), (10, 1, 1))
    tool_down = Rotation.from_euler("xyz", [3.0, 0.2, 0.7])
    turns = np.linspace(-0.6, 0.6, 10)[:, None] * np.eye(3)["xyz".index(axis)]
    T[:, :3, :3] = (tool_down * Rotation.from_rotvec(turns)).as_matrix()
    others = " and ".join(name for name in "xyz" if name != axis)
    with pytest.raises(CalibrationRefusedError, match=rf"its {axis} axis only.*about {others}$"):
        check_turns(T)


def test_a_hand_that_did_not_turn_is_refused() -> None:
    T = np.tile(np.eye(4), (10, 1, 1))
    T[:, :3, 3] = np.random.default_rng(0).uniform(-0.2, 0.2, (10, 3))
    with pytest.raises(CalibrationRefusedError, match="hardly turned"):
        check_turns(T)
    with pytest.raises(CalibrationRefusedError):
        solve_hand_eye(T, T)
