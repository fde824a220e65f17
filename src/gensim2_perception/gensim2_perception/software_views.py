"""What a camera without hardware sees: the built-in scene, or pictures from a file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray

from .frames import PinholeIntrinsics
from .recorded_scene import RecordedView
from .table_scene import TableScene

BASE = "base"
# Vertical fields of view of a D435; that of the depth is wider than that of the colour.
COLOUR_FOVY_RAD = math.radians(42.0)
DEPTH_FOVY_RAD = math.radians(58.0)
# The depth imager sits beside the colour imager.
DEPTH_X_M = -0.015


@dataclass(frozen=True)
class SoftwareView:
    """What the two imagers of a camera see.

    Attributes:
        colour: Intrinsics of the colour imager.
        depth: Intrinsics of the depth imager.
        T_colour_depth: (4, 4), pose of the depth imager's optical frame in that of the colour
            imager.
        rgb: (N, H, W, 3) uint8, shown one after the other and again from the start.
        depth_mm: (N, H, W) uint16 along the optical axis of the depth imager [mm], 0 = nothing.
    """

    colour: PinholeIntrinsics
    depth: PinholeIntrinsics
    T_colour_depth: NDArray[np.float64]
    rgb: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]

    def __post_init__(self) -> None:
        count = len(self.rgb)
        colour = (count, self.colour.height, self.colour.width, 3)
        depth = (count, self.depth.height, self.depth.width)
        if count == 0 or self.rgb.shape != colour or self.depth_mm.shape != depth:
            raise ValueError(
                f"software camera: as many colour as depth images are needed, at least one, of "
                f"the sizes of the intrinsics; got {self.rgb.shape} and {self.depth_mm.shape}"
            )
        if (self.colour.width, self.colour.height) != (self.depth.width, self.depth.height):
            raise ValueError("software camera: colour and depth must be of one size")


def intrinsics_of(width: int, height: int, fovy_rad: float) -> PinholeIntrinsics:
    """An ideal camera: square pixels, the axis in the middle."""
    f = 0.5 * height / math.tan(0.5 * fovy_rad)
    return PinholeIntrinsics(width, height, f, f, 0.5 * (width - 1), 0.5 * (height - 1))


def home_pose(
    calibrations: CameraCalibrations, camera: str, kinematics: Fr3Kinematics | None
) -> NDArray[np.float64]:
    """T_base_optical of a camera while the arm stands at home.

    Args:
        calibrations: where the cameras sit.
        camera: name of the camera.
        kinematics: of the robot; needed for a camera that sits on it.

    Raises:
        CalibrationError: the camera is not in the calibration, its parent is no link, or the
            kinematics are needed and missing.
    """
    if camera not in calibrations.cameras:
        raise CalibrationError(
            f"camera {camera} is not in the calibration; there are: "
            f"{', '.join(calibrations.cameras)}"
        )
    calibration = calibrations.cameras[camera]
    if calibration.parent == BASE:
        return calibration.matrix
    if kinematics is None:
        raise CalibrationError(
            f"camera {camera} sits on {calibration.parent}: its pose needs robot_description"
        )
    if calibration.parent not in kinematics.links:
        raise CalibrationError(f"camera {camera}: {calibration.parent!r} is no link of the robot")
    return kinematics.fk(HOME_Q, calibration.parent) @ calibration.matrix


def rendered_view(
    scene: TableScene, T_base_optical: NDArray[np.float64], width: int, height: int
) -> SoftwareView:
    """A scene as a D435 at a pose sees it: the depth imager beside the colour imager."""
    colour = intrinsics_of(width, height, COLOUR_FOVY_RAD)
    depth = intrinsics_of(width, height, DEPTH_FOVY_RAD)
    T_colour_depth = np.eye(4)
    T_colour_depth[0, 3] = DEPTH_X_M
    rgb, _ = scene.render(T_base_optical, colour)
    _, depth_mm = scene.render(T_base_optical @ T_colour_depth, depth)
    return SoftwareView(colour, depth, T_colour_depth, rgb[None], depth_mm[None])


def recorded_view(view: RecordedView) -> SoftwareView:
    """Pictures from a file; their depth is aligned already, hence of the colour imager."""
    return SoftwareView(view.intrinsics, view.intrinsics, np.eye(4), view.rgb, view.depth_mm)
