"""A table with boxes, as clouds of two depth cameras with noise."""

from __future__ import annotations

import numpy as np
from gensim2_perception.frames import PinholeIntrinsics
from numpy.typing import NDArray
from perception_scenes import look_at

INTRINSICS = PinholeIntrinsics(320, 240, 300.0, 300.0, 159.5, 119.5)
LEFT = look_at((0.15, 0.32, 0.55), (0.62, 0.0, 0.05))
RIGHT = look_at((0.20, -0.36, 0.50), (0.62, 0.0, 0.05))
# Looks into RIGHT's face: both see the table and the lids of the boxes, but no side.
OPPOSITE = look_at((1.05, 0.40, 0.5), (0.62, 0.0, 0.05))
# Lower and upper corner of boxes, and the angle they are turned by about z [m, rad].
BOXES = (
    ((-0.10, -0.08, 0.0), (0.10, 0.08, 0.20), (0.66, -0.02), 0.6),
    ((-0.06, -0.07, 0.0), (0.06, 0.07, 0.16), (0.52, -0.20), 0.0),
    ((-0.08, -0.08, 0.0), (0.08, 0.08, 0.18), (0.58, 0.24), -0.6),
)
# Two centimetres thick, across the line of sight of RIGHT and OPPOSITE.
WALLS = (
    ((-0.01, -0.12, 0.0), (0.01, 0.12, 0.2), (0.56, -0.18), 1.1),
    ((-0.01, -0.12, 0.0), (0.01, 0.12, 0.2), (0.72, 0.10), 0.3),
)


def cloud(
    T_base_cam: NDArray[np.float64],
    rng: np.random.Generator,
    boxes: tuple = BOXES,
    noise: float = 0.001,
) -> NDArray[np.float64]:
    """Points (N, 3) in base of what a camera sees; noise along the rays [m, 1 sigma]."""
    K = INTRINSICS
    u, v = np.meshgrid(np.arange(K.width), np.arange(K.height))
    ray = np.stack([(u - K.cx) / K.fx, (v - K.cy) / K.fy, np.ones(u.shape)], -1).reshape(-1, 3)
    ray = ray @ T_base_cam[:3, :3].T
    origin = T_base_cam[:3, 3]
    with np.errstate(divide="ignore"):
        depth = np.where(ray[:, 2] < 0.0, -origin[2] / ray[:, 2], np.inf)
        for low, high, (x, y), angle in boxes:
            R = np.array(
                [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
            )
            o, d = R @ (origin - [x, y, 0.0]), ray @ R.T
            first, second = (np.array(low) - o) / d, (np.array(high) - o) / d
            near = np.minimum(first, second).max(axis=1)
            far = np.maximum(first, second).min(axis=1)
            depth = np.where((near < far) & (near > 0.0), np.minimum(depth, near), depth)
    depth = depth + rng.normal(0.0, noise, depth.shape)
    points = origin + depth[:, None] * ray
    inside = (points > (0.2, -0.45, -0.02)) & (points < (1.0, 0.45, 0.5))
    return points[np.isfinite(depth) & inside.all(axis=1)]
