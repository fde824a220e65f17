"""What one camera delivers: the pinhole model and a registered colour and depth image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PinholeIntrinsics:
    """Pinhole camera without distortion.

    The centre of the top left pixel is (u, v) = (0, 0), as in OpenCV and sensor_msgs/CameraInfo,
    so a symmetric camera has ``cx = (width - 1) / 2``. Graphics libraries often put the *corner*
    of that pixel at 0; their ``width / 2`` is half a pixel too large here.

    Attributes:
        width: Columns of the image.
        height: Rows of the image.
        fx: Focal length along the columns [pixel].
        fy: Focal length along the rows [pixel].
        cx: Column of the optical axis [pixel].
        cy: Row of the optical axis [pixel].
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(
                f"pinhole camera: image size {self.width} x {self.height} is not positive"
            )
        if not all(math.isfinite(v) for v in (self.fx, self.fy, self.cx, self.cy)) or (
            self.fx <= 0.0 or self.fy <= 0.0
        ):
            raise ValueError(
                "pinhole camera: fx and fy must be positive and everything finite, got "
                f"fx={self.fx} fy={self.fy} cx={self.cx} cy={self.cy}; "
                "is the camera calibrated (CameraInfo.k all zero means it is not)?"
            )

    @classmethod
    def from_k(cls, width: int, height: int, k: Sequence[float]) -> PinholeIntrinsics:
        """Builds the model from the row-major 3 x 3 matrix of a CameraInfo.

        Raises:
            ValueError: the matrix is not 9 numbers, or holds no usable focal length.
        """
        if len(k) != 9:
            raise ValueError(f"camera matrix: expected 9 numbers, row by row, got {len(k)}")
        return cls(int(width), int(height), float(k[0]), float(k[4]), float(k[2]), float(k[5]))


@dataclass(frozen=True)
class CameraFrame:
    """Colour and depth of one camera at one instant; the depth is registered to the colour image.

    Attributes:
        camera: Name, for example ``left_camera``.
        stamp_ns: Time of acquisition [ns], the clock of the message headers.
        frame_id: Optical frame of the colour camera (z forward, x right, y down).
        rgb: (H, W, 3) uint8.
        depth: (H, W) uint16 in millimetres with 0 = no reading, or float32 in metres with
            NaN, infinity or 0 = no reading.
        intrinsics: Of the colour image, hence of both.
    """

    camera: str
    stamp_ns: int
    frame_id: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.uint16] | NDArray[np.float32]
    intrinsics: PinholeIntrinsics

    def __post_init__(self) -> None:
        size = (self.intrinsics.height, self.intrinsics.width)
        if self.rgb.shape != (*size, 3) or self.depth.shape != size:
            raise ValueError(
                f"{self.camera}: colour {self.rgb.shape}, depth {self.depth.shape} and camera_info "
                f"{size} do not belong together; publish the depth aligned to the colour image"
            )
