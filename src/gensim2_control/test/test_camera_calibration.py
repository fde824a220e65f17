"""The calibration file: numbers survive, mistakes are found by name."""

from pathlib import Path

import numpy as np
import pytest
from gensim2_control.camera_calibration import (
    CalibrationError,
    CameraCalibration,
    CameraCalibrations,
    optical_frame,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

GOOD = "cameras: {left_camera: {parent: base, xyz: [0, 0.6, 0.5], xyzw: [0, 0, 0, 1]}}"


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_file_round_trip_is_exact(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    T = np.eye(4)
    T[:3, :3] = Rotation.random(rng=rng).as_matrix()
    T[:3, 3] = rng.uniform(-1, 1, 3)
    camera = CameraCalibration.from_matrix("fr3_hand", T)
    assert np.allclose(camera.matrix, T, atol=1e-12)
    path = tmp_path_factory.mktemp("calibration") / "cameras.yaml"
    written = CameraCalibrations(cameras={"wrist_camera": camera})
    written.dump(path)
    assert np.allclose(
        CameraCalibrations.load(path).cameras["wrist_camera"].matrix, camera.matrix, atol=1e-15
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("xyzw: [0, 0, 0, 1]", "xyzw: [0, 0, 0, 2]", "cameras.left_camera.xyzw.*length 2"),
        ("xyzw: [0, 0, 0, 1]", "xyzw: [0, 0, 1]", "cameras.left_camera.xyzw"),
        ("0.6", ".nan", "cameras.left_camera.xyz.1.*finite"),
        ("parent: base, ", "", "cameras.left_camera.parent.*required"),
        ("parent: base", "parent: base, rpy: 0", "cameras.left_camera.rpy.*not permitted"),
        ("left_camera", "'left camera'", "letters, digits"),
        ("cameras", "camera", "cameras.*required"),
        ("{left", "{{left", "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, text: str) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD)
    assert optical_frame(next(iter(CameraCalibrations.load(path).cameras))).startswith(
        "left_camera_"
    )
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(CalibrationError, match=text) as error:
        CameraCalibrations.load(path)
    assert str(path) in str(error.value)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="No such file"):
        CameraCalibrations.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "T", [2 * np.eye(4), np.diag([1.0, 1, -1, 1]), np.eye(3), np.eye(4) * np.nan]
)
def test_only_rigid_matrices_are_poses(T: np.ndarray) -> None:
    with pytest.raises(CalibrationError):
        CameraCalibration.from_matrix("base", T)
