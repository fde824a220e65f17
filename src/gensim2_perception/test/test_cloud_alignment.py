"""Aligning two cameras by what both see."""

from __future__ import annotations

import numpy as np
import pytest
from board_scenes import pose
from cloud_scenes import BOXES, LEFT, OPPOSITE, RIGHT, WALLS, cloud
from gensim2_perception.calibration_errors import CalibrationRefusedError
from gensim2_perception.cloud_alignment import CameraCloud, align_clouds
from gensim2_perception.hand_eye import pose_difference
from gensim2_perception.static_transforms import inverse
from numpy.typing import NDArray


def seen(T: NDArray, rng: np.random.Generator, boxes: tuple = BOXES) -> CameraCloud:
    return CameraCloud(cloud(T, rng, boxes), T[:3, 3])


def misplaced(seen: CameraCloud, T_base_cam: NDArray, T_base_wrong: NDArray) -> CameraCloud:
    """The cloud as it is computed with a wrong calibration."""
    T = T_base_wrong @ inverse(T_base_cam)
    return CameraCloud(seen.points @ T[:3, :3].T + T[:3, 3], T_base_wrong[:3, 3])


@pytest.mark.parametrize("seed", range(2))
def test_a_centimetre_and_a_degree_and_a_half_are_mended(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fixed, moving = seen(LEFT, rng), seen(RIGHT, rng)
    turn, shift = rng.normal(size=(2, 3))
    turn *= np.radians(1.5) / np.linalg.norm(turn)
    shift *= 0.010 / np.linalg.norm(shift)
    T_base_wrong = RIGHT @ pose(tuple(turn), tuple(shift))
    found = align_clouds(fixed, misplaced(moving, RIGHT, T_base_wrong), rng)
    distance, angle = pose_difference(found.T_base_corrected @ T_base_wrong, RIGHT)
    print(f"{distance * 1e3:.2f} mm, {np.degrees(angle):.3f} deg")
    assert distance <= 1e-3
    assert np.degrees(angle) <= 0.1
    assert found.after_mm < 1.0 < found.before_mm
    assert found.overlap > 0.5


def test_a_right_calibration_stays() -> None:
    rng = np.random.default_rng(0)
    found = align_clouds(seen(LEFT, rng), seen(RIGHT, rng), rng)
    distance, angle = pose_difference(found.T_base_corrected @ RIGHT, RIGHT)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1


def test_a_bare_table_is_refused_with_the_open_directions() -> None:
    """Any shift along the table and any turn upon it would fit."""
    rng = np.random.default_rng(0)
    with pytest.raises(
        CalibrationRefusedError, match="rotation about z, shift along x, shift along y of base"
    ):
        align_clouds(seen(LEFT, rng, ()), seen(RIGHT, rng, ()), rng)


def test_cameras_that_see_different_sides_are_refused() -> None:
    """The front of a thin wall is not its back, though both are near each other."""
    rng = np.random.default_rng(0)
    for boxes in (BOXES, WALLS):
        with pytest.raises(CalibrationRefusedError, match="directions open"):
            align_clouds(seen(OPPOSITE, rng, boxes), seen(RIGHT, rng, boxes), rng)


def test_too_little_overlap_and_too_few_points_are_refused() -> None:
    rng = np.random.default_rng(0)
    whole = seen(LEFT, rng)
    left = CameraCloud(whole.points[whole.points[:, 1] > 0.05], whole.p_base_cam)
    right = CameraCloud(whole.points[whole.points[:, 1] < -0.05], whole.p_base_cam)
    with pytest.raises(CalibrationRefusedError, match="at least 30%"):
        align_clouds(left, right, rng)
    with pytest.raises(CalibrationRefusedError, match="second cloud has 100 points"):
        align_clouds(whole, CameraCloud(whole.points[:100], whole.p_base_cam), rng)
    broken = np.full((1000, 3), np.nan)
    with pytest.raises(CalibrationRefusedError, match="first cloud has 0 points"):
        align_clouds(CameraCloud(broken, whole.p_base_cam), whole, rng)
