"""Which pixels of a depth image can lie in a box at all, told before any point is made.

Most readings lie outside the workspace or on the table. To test the whole image costs a few passes
over it; a point costs many, and a gather. The test here is a little too generous, by more than its
rounding errors, so what it drops is outside for certain, and the exact test of the points that are
left, `clouds.crop_box`, gives the same as if all of them had been made.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .frames import PinholeIntrinsics

Mask = NDArray[np.uint8]

# Share of the longest distance in question; the products and sums here err by a tenth of it.
_SLACK = 1e-5
# With so small a share of the image left the exact test is cheaper than another pass.
_FEW = 0.25
_MM_MAX_M = 65.535


def may_be_in_box(
    depth: NDArray[np.uint16] | NDArray[np.float32],
    usable: Mask,
    intrinsics: PinholeIntrinsics,
    T_a_optical: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    depth_max: float,
) -> Mask:
    """Marks the usable pixels whose point may lie in an axis-aligned box.

    With z the depth, a point is ``z * (R ray) + t``. Each coordinate of ``R ray`` changes linearly
    over the image, so it is the sum of a row and a column. The z axis of the box comes first,
    because in ``base`` it tells the table from what stands on it.

    Args:
        depth: (H, W) uint16 [mm] or float32 [m].
        usable: (H, W) uint8, not 0 where there is a reading.
        intrinsics: Of the image.
        T_a_optical: (4, 4) rigid, pose of the camera in the frame of the box.
        lower: (3,) smallest x, y, z in frame a [m].
        upper: (3,) largest x, y, z in frame a [m].
        depth_max: No usable reading is farther [m]; may be infinite, then nothing is dropped.

    Returns:
        (H, W) uint8: 0 where there is no usable reading or its point lies outside for certain.
    """
    T = np.asarray(T_a_optical, np.float64)
    low, high = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
    millimetres = depth.dtype == np.uint16
    unit = 0.001 if millimetres else 1.0
    x = (np.arange(intrinsics.width) - intrinsics.cx) / intrinsics.fx
    y = (np.arange(intrinsics.height) - intrinsics.cy) / intrinsics.fy
    longest_ray = np.sqrt(np.abs(x).max() ** 2 + np.abs(y).max() ** 2 + 1.0)
    farthest = longest_ray * (min(depth_max, _MM_MAX_M) if millimetres else depth_max)
    slack = _SLACK * (farthest + np.linalg.norm(T[:3, 3]))
    marked = usable
    if not np.isfinite(slack):
        return marked
    for axis in (2, 0, 1):
        if cv2.countNonZero(marked) < _FEW * marked.size:
            break
        row = (unit * T[axis, 0] * x).astype(np.float32)
        column = (unit * (T[axis, 1] * y + T[axis, 2])).astype(np.float32)
        along = column[:, None] + row
        cv2.multiply(depth, along, dst=along, dtype=cv2.CV_32F)
        least, most = low[axis] - T[axis, 3] - slack, high[axis] - T[axis, 3] + slack
        marked = marked & cv2.inRange(along, float(least), float(most))
    return marked
