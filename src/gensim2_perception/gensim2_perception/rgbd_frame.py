"""One picture of a depth camera, and the clock of its stamp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .frames import PinholeIntrinsics

_MM = 1000.0


class TimeDomain(Enum):
    """Whose clock a stamp is of."""

    HARDWARE = "hardware clock"
    """Of the camera: begins anywhere and drifts."""
    SYSTEM = "system time"
    """Of this computer when the frame arrived."""
    GLOBAL = "global time"
    """Of this computer, translated from the camera's by librealsense."""


@dataclass(frozen=True)
class RgbdFrame:
    """Colour and depth of one instant; the depth is aligned to the colour image.

    Attributes:
        stamp_ns: Time of the colour image [ns], of the clock `domain`.
        domain: Whose clock that is.
        rgb: (H, W, 3) uint8.
        depth_mm: (H, W) uint16 along the optical axis of the colour camera [mm]; 0 = no reading.
        intrinsics: Of the colour image, hence of both.
        distortion: k1, k2, p1, p2, k3 of the colour image.
    """

    stamp_ns: int
    domain: TimeDomain
    rgb: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]
    intrinsics: PinholeIntrinsics
    distortion: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        size = (self.intrinsics.height, self.intrinsics.width)
        if self.rgb.shape != (*size, 3) or self.depth_mm.shape != size:
            raise ValueError(
                f"colour {self.rgb.shape}, depth {self.depth_mm.shape} and intrinsics {size} do "
                "not belong together"
            )


def to_millimetres(raw: NDArray[np.uint16], unit_m: float) -> NDArray[np.uint16]:
    """Depth in millimetres from the units of a camera.

    Args:
        raw: (H, W), 0 = no reading.
        unit_m: What one step is [m]: 0.001 for most, 0.0001 for a D405, or as it was set.

    Returns:
        (H, W) uint16 [mm], rounded to the nearest. What is too far for 16 bits becomes 65535; a
        reading nearer than half a millimetre becomes 0, no reading.

    Raises:
        ValueError: the unit is not positive.
    """
    if not (math.isfinite(unit_m) and unit_m > 0.0):
        raise ValueError(f"depth unit must be positive, got {unit_m} m")
    factor = unit_m * _MM
    # Units come as float32: 0.001 is 0.0010000000475 there.
    if math.isclose(factor, 1.0, rel_tol=1e-6):
        return raw.copy()
    scaled = np.rint(raw * np.float32(factor))
    return np.minimum(scaled, np.iinfo(np.uint16).max).astype(np.uint16)


def clamp(
    depth_mm: NDArray[np.uint16], depth_min_m: float, depth_max_m: float
) -> NDArray[np.uint16]:
    """The image with 0 where the reading is nearer or farther than the limits [m]."""
    outside = (depth_mm < depth_min_m * _MM) | (depth_mm > depth_max_m * _MM)
    return np.where(outside, np.uint16(0), depth_mm)
