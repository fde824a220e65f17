"""What a calibration found, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .calibration_board import Detection
from .static_transforms import inverse

Array = NDArray[np.float64]


class Arrangement(str, Enum):
    """Where camera and board are fixed."""

    EYE_TO_HAND = "eye_to_hand"
    """The camera stands beside the robot, the board is in the hand: gives T_base_cam."""
    EYE_IN_HAND = "eye_in_hand"
    """The camera is on the hand, the board lies still: gives T_hand_cam."""

    @property
    def parent(self) -> str:
        """The frame the camera is fixed to, as the calibration file names it."""
        return "base" if self is Arrangement.EYE_TO_HAND else "fr3_hand"

    @property
    def carrier(self) -> str:
        """The frame the board is fixed to."""
        return "fr3_hand" if self is Arrangement.EYE_TO_HAND else "base"

    def parent_to_carrier(self, T_base_hand: Array) -> Array:
        """T_parent_carrier (..., 4, 4) from the forward kinematics."""
        return T_base_hand if self is Arrangement.EYE_TO_HAND else inverse(T_base_hand)


@dataclass(frozen=True)
class CalibrationView:
    """One picture of the board and where the hand was.

    Attributes:
        name: For the reader, such as `view_003`.
        T_base_hand: (4, 4).
        detection: The corners found, None if the board was not found.
    """

    name: str
    T_base_hand: Array
    detection: Detection | None


@dataclass(frozen=True)
class ViewReport:
    """How one view fits the result.

    Attributes:
        name: Of the view.
        refusal: Why it was left out; empty if it was used.
        corners: Number of corners found.
        tilt_deg: Between the board's normal and the line of sight; 0 = seen from straight ahead.
        rms_px: Of the distances between corners and reprojected corners [pixel].
        position_mm: Distance between the board's pose by the picture alone and by the result.
        rotation_deg: The same for the orientation.
        reprojected: (N, 2) corners as the result predicts them [pixel].
        T_cam_board: (4, 4) pose of the board as the result predicts it.
    """

    name: str
    refusal: str
    corners: int
    tilt_deg: float
    rms_px: float
    position_mm: float
    rotation_deg: float
    reprojected: Array
    T_cam_board: Array

    @property
    def used(self) -> bool:
        """Whether it contributed to the result."""
        return not self.refusal


@dataclass(frozen=True)
class CalibrationReport:
    """Result of a calibration.

    Attributes:
        arrangement: Where camera and board are fixed.
        T_parent_cam: (4, 4) the optical frame in `arrangement.parent`.
        T_carrier_board: (4, 4) the board in `arrangement.carrier`.
        sigma_position_mm: (3,) standard deviation of the position along x, y, z of the parent.
        sigma_rotation_deg: (3,) of the orientation, about the same axes.
        rms_px: Over all corners of the used views.
        position_rms_mm: Over the used views.
        rotation_rms_deg: Over the used views.
        views: All of them, in the order they were given.
    """

    arrangement: Arrangement
    T_parent_cam: Array
    T_carrier_board: Array
    sigma_position_mm: Array
    sigma_rotation_deg: Array
    rms_px: float
    position_rms_mm: float
    rotation_rms_deg: float
    views: tuple[ViewReport, ...]

    @property
    def used(self) -> tuple[ViewReport, ...]:
        """The views that contributed."""
        return tuple(view for view in self.views if view.used)
