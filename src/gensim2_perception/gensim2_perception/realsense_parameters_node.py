"""Parameters of the node `realsense_camera`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gensim2_control.ros.parameters import parameter

from .realsense_settings import (
    FARTHEST_M,
    HOLE_FILLING,
    CaptureSettings,
    DeviceSettings,
    FilterSettings,
    StreamSettings,
)

SOURCES = ("device", "bag", "software")


@dataclass(frozen=True)
class RealsenseParameters:
    """See the descriptions; the defaults suit a D435."""

    camera: str = parameter("wrist_camera", "Name of the camera: prefix of its topics and frames.")
    source: str = parameter(
        "device",
        "Where frames come from: a camera, a recording, or a camera without hardware.",
        choices=SOURCES,
    )
    serial: str = parameter("", "device: serial number; empty = the first one found.")
    bag: str = parameter("", "bag: recording of librealsense, .db3 or .bag.")
    bag_loop: bool = parameter(
        False, "bag: begin again at the end; without it the node ends there, with code 0."
    )
    scene: str = parameter(
        "",
        "software: folder or file of a recorded scene; empty = the built-in table with boxes, "
        "seen from the calibrated pose.",
    )
    calibration: str = parameter(
        "",
        "Calibration file of the cameras; with it the static transforms of this one are "
        "published. Needed for the built-in scene.",
    )
    width: int = parameter(640, "Columns of colour and depth.", low=1, high=4096)
    height: int = parameter(480, "Rows of colour and depth.", low=1, high=4096)
    fps: int = parameter(30, "Frames per second.", low=1, high=300)
    preset: str = parameter("", "device: name of the visual preset; empty = as it is.")
    global_time: bool = parameter(
        True, "device: stamps in the time of this computer, translated by librealsense."
    )
    decimation: int = parameter(
        0, "Reduce the depth by this factor before the filters: 2 to 8; 0 = off.", low=0, high=8
    )
    spatial: bool = parameter(False, "Smooth the depth within the image, keeping edges.")
    temporal: bool = parameter(False, "Smooth the depth over time.")
    hole_filling: str = parameter(
        "off", "Fill pixels without depth from which neighbour.", choices=HOLE_FILLING
    )
    depth_min: float = parameter(0.0, "Nearer readings become 0 [m].", low=0.0, high=FARTHEST_M)
    depth_max: float = parameter(
        FARTHEST_M, "Farther readings become 0 [m].", low=0.0, high=FARTHEST_M
    )
    frame_timeout: float = parameter(
        1.0,
        "A frame that takes longer counts as missing; one that is older is not published [s].",
        low=0.05,
        high=60.0,
    )
    reset_after: int = parameter(
        5, "So many missing frames in a row, and the camera is reset.", low=1, high=1000
    )

    def check(self) -> None:
        """Refuses combinations that make no sense, with a ValueError."""
        if not self.camera.isidentifier():
            raise ValueError(
                f"parameter camera: {self.camera!r} must be letters, digits and underscores"
            )
        if self.source == "bag" and not Path(self.bag).is_file():
            raise ValueError(f"parameter bag: there is no file {self.bag!r}")
        if self.source == "software" and not (self.scene or self.calibration):
            raise ValueError(
                "parameter calibration: the built-in scene needs the calibration file, "
                "launch/config/cameras.yaml"
            )
        self.filters()

    def stream(self) -> StreamSettings:
        """The profile wanted."""
        return StreamSettings(self.width, self.height, self.fps)

    def device(self) -> DeviceSettings:
        """Which camera."""
        return DeviceSettings(self.serial, self.preset, self.global_time)

    def filters(self) -> FilterSettings:
        """What is done to the depth."""
        return FilterSettings(
            decimation=self.decimation,
            spatial=self.spatial,
            temporal=self.temporal,
            hole_filling=self.hole_filling,
            depth_min_m=self.depth_min,
            depth_max_m=self.depth_max,
        )

    def capture(self) -> CaptureSettings:
        """When it is silent."""
        return CaptureSettings(
            frame_timeout_s=self.frame_timeout,
            reset_after=self.reset_after,
            rebase=self.source == "bag",
        )
