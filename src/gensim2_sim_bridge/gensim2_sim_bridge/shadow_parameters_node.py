"""Parameters of the node ``shadow``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.ros.parameters import parameter

from .cameras import CameraConfig
from .preview import PreviewConfig
from .shadow import Array, looking_at

COLOUR_FOVY = 0.733  # rad, 42 degrees: the colour camera of a D435, which depth is aligned to


@dataclass(frozen=True)
class ShadowParameters:
    """Cameras, rates and what is shown of a plan."""

    calibration: str = parameter("", "Calibration file of the cameras; needed.")
    asset_root: str = parameter("", "Folder of imported assets; empty = procedural ones.")
    image_rate: float = parameter(
        5.0, "Overview pictures per second of wall time.", low=0.2, high=60.0
    )
    image_width: int = parameter(320, "Width of the overview, pixels.", low=64, high=1920)
    image_height: int = parameter(240, "Height of the overview, pixels.", low=64, high=1080)
    image_fovy: float = parameter(
        0.8, "Vertical field of view of the overview, rad.", low=0.2, high=2.5
    )
    look_from: tuple[float, ...] = parameter(
        (1.1, -1.35, 0.85), "Where the overview is taken from, m in base."
    )
    look_at: tuple[float, ...] = parameter((0.3, 0.0, 0.3), "What it looks at, m in base.")
    cloud_rate: float = parameter(
        1.0,
        "How often per second of wall time the cameras are shown, at most; only at the stamps of "
        "points, and while somebody listens.",
        low=0.05,
        high=30.0,
    )
    camera_width: int = parameter(320, "Width of the cameras' pictures, pixels.", low=16, high=1920)
    camera_height: int = parameter(
        240, "Height of the cameras' pictures, pixels.", low=16, high=1080
    )
    camera_fovy: float = parameter(
        COLOUR_FOVY,
        "Vertical field of view of the cameras, rad: that of the real colour camera.",
        low=0.2,
        high=2.5,
    )
    preview_speed: float = parameter(
        PreviewConfig.speed, "Seconds of a plan per second.", low=0.05, high=20.0
    )
    preview_repeats: int = parameter(
        PreviewConfig.repeats, "How often a plan is shown while nothing moves.", low=0, high=100
    )
    preview_hold: float = parameter(
        PreviewConfig.hold, "Time to stay at the end of a plan, s.", low=0.0, high=60.0
    )
    start_tolerance: float = parameter(
        PreviewConfig.start_tolerance,
        "A plan that begins further away from the arm is not shown, rad.",
        low=0.001,
        high=1.0,
    )
    motion_tolerance: float = parameter(
        PreviewConfig.motion_tolerance,
        "An arm that is further away from where it was has begun to move, rad.",
        low=0.001,
        high=1.0,
    )
    niceness: int = parameter(
        10, "How much it stands back for others once it is ready (nice).", low=0, high=19
    )

    def check(self) -> None:
        """Refuses a place that nothing can be seen from."""
        if len(self.look_from) != 3 or len(self.look_at) != 3:
            raise ValueError("look_from and look_at need three numbers each: x, y, z")
        looking_at(*self.overview())

    def overview(self) -> tuple[Array, Array]:
        """From where (3,) and at what (3,) the overview looks, m in base."""
        return np.array(self.look_from), np.array(self.look_at)

    def overview_config(self) -> CameraConfig:
        """Size and field of view of the overview."""
        return CameraConfig(self.image_width, self.image_height, self.image_fovy)

    def cameras(self) -> CameraConfig:
        """Size and field of view of the cameras."""
        return CameraConfig(self.camera_width, self.camera_height, self.camera_fovy)

    def preview(self) -> PreviewConfig:
        """How a plan is shown."""
        return PreviewConfig(
            self.preview_speed,
            self.preview_repeats,
            self.preview_hold,
            self.start_tolerance,
            self.motion_tolerance,
        )
