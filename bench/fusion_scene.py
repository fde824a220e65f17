"""What three depth cameras of 640 x 480 see of a table with boxes, noise and gaps included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ament_index_python.packages import get_package_share_directory
from gensim2_control.camera_calibration import CameraCalibrations, optical_frame
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_perception.software_views import COLOUR_FOVY_RAD, home_pose, intrinsics_of
from gensim2_perception.static_transforms import Transform
from gensim2_perception.table_scene import TABLE_WITH_BOXES
from numpy.typing import NDArray

from gensim2_perception import frames

WIDTH, HEIGHT = 640, 480
# Of a stereo camera: noise grows with the square of the distance; some pixels have no depth.
_NOISE_MM_AT_1_M = 1.5
_GAPS = 0.03


def camera_poses() -> dict[str, Transform]:
    """Gives T_base_optical of every calibrated camera while the arm stands at home."""
    share = Path(get_package_share_directory("gensim2"))
    calibrations = CameraCalibrations.load(share / "config" / "cameras.yaml")
    kinematics = Fr3Kinematics.from_urdf(resolve_packages(robot_description()))
    return {name: home_pose(calibrations, name, kinematics) for name in calibrations.cameras}


def frame_sets(
    poses: dict[str, Transform], count: int, seed: int
) -> list[Sequence[frames.CameraFrame]]:
    """Makes sets of pictures that differ in their noise.

    Args:
        poses: T_base_optical by camera.
        count: How many.
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    intrinsics = intrinsics_of(WIDTH, HEIGHT, COLOUR_FOVY_RAD)
    seen = {camera: TABLE_WITH_BOXES.render(T, intrinsics) for camera, T in poses.items()}
    return [
        [
            frames.CameraFrame(
                camera, i, optical_frame(camera), rgb, _measured(depth_mm, rng), intrinsics
            )
            for camera, (rgb, depth_mm) in seen.items()
        ]
        for i in range(count)
    ]


def _measured(depth_mm: NDArray[np.uint16], rng: np.random.Generator) -> NDArray[np.uint16]:
    sigma = _NOISE_MM_AT_1_M * (depth_mm / 1000.0) ** 2
    noisy = np.rint(depth_mm + rng.normal(size=depth_mm.shape) * sigma)
    noisy[(depth_mm == 0) | (rng.random(depth_mm.shape) < _GAPS)] = 0
    return noisy.clip(0, np.iinfo(np.uint16).max).astype(np.uint16)
