"""What is wanted of a RealSense camera; plain values, checked."""

from __future__ import annotations

from dataclasses import dataclass

HOLE_FILLING = ("off", "left", "farthest", "nearest")
"""How pixels without depth are filled, and after which neighbour."""

# The wire format is uint16 in millimetres.
FARTHEST_M = 65.535


@dataclass(frozen=True)
class StreamSettings:
    """Profile of the colour and the depth stream alike.

    Attributes:
        width: Columns.
        height: Rows.
        fps: Frames per second.
    """

    width: int = 640
    height: int = 480
    fps: int = 30

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.fps) <= 0:
            raise ValueError(f"stream: width, height and fps must be positive, got {self}")

    def __str__(self) -> str:
        return f"{self.width} x {self.height} at {self.fps} fps"


@dataclass(frozen=True)
class FilterSettings:
    """What is done to the depth before it is aligned to the colour image.

    Attributes:
        decimation: Depth is reduced by this factor, which calms it; 0 = off, else 2 to 8. The
            aligned image has the size of the colour image all the same.
        spatial: Smooth within the image while keeping edges.
        temporal: Smooth over time; moving objects leave a short trail.
        hole_filling: One of `HOLE_FILLING`. What is filled was not measured.
        depth_min_m: Nearer readings become 0 [m].
        depth_max_m: Farther readings become 0 [m].
    """

    decimation: int = 0
    spatial: bool = False
    temporal: bool = False
    hole_filling: str = "off"
    depth_min_m: float = 0.0
    depth_max_m: float = FARTHEST_M

    def __post_init__(self) -> None:
        if self.decimation not in (0, *range(2, 9)):
            raise ValueError(f"decimation must be 0 (off) or 2 to 8, got {self.decimation}")
        if self.hole_filling not in HOLE_FILLING:
            raise ValueError(
                f"hole_filling {self.hole_filling!r} is not one of {', '.join(HOLE_FILLING)}"
            )
        if not 0.0 <= self.depth_min_m < self.depth_max_m:
            raise ValueError(
                "depth range is empty: 0 <= depth_min < depth_max does not hold for "
                f"{self.depth_min_m} and {self.depth_max_m}"
            )


@dataclass(frozen=True)
class DeviceSettings:
    """Which camera, and how it is set.

    Attributes:
        serial: Serial number; empty = the first one found.
        preset: Name of the visual preset; empty = as it is.
        global_time: Let librealsense translate the camera's clock to that of this computer.
    """

    serial: str = ""
    preset: str = ""
    global_time: bool = True


@dataclass(frozen=True)
class CaptureSettings:
    """When a camera counts as silent.

    Attributes:
        frame_timeout_s: A frame that takes longer is counted as missing, and one whose stamp is
            farther from now than this is not passed on [s].
        reset_after: So many missing frames in a row, and the camera is reset.
        retry_s: Pause before a camera is looked for again [s].
        rebase: Stamps count from the arrival of the first frame: of a recording.
    """

    frame_timeout_s: float = 1.0
    reset_after: int = 5
    retry_s: float = 1.0
    rebase: bool = False

    def __post_init__(self) -> None:
        if self.frame_timeout_s <= 0.0 or self.retry_s <= 0.0 or self.reset_after < 1:
            raise ValueError(
                "capture: frame_timeout and the pause must be positive and reset_after at least "
                f"1, got {self.frame_timeout_s}, {self.retry_s}, {self.reset_after}"
            )
