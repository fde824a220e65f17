"""A synthetic scene: a table and a box, ray-cast into depth images."""

from __future__ import annotations

import numpy as np
from gensim2_perception.frames import CameraFrame, PinholeIntrinsics
from numpy.typing import NDArray

BOX = (np.array([0.5, -0.15, 0.0]), np.array([0.75, 0.15, 0.25]))
BOX_RGB = (200, 30, 90)
TABLE_RGB = (60, 70, 80)
INTRINSICS = PinholeIntrinsics(160, 120, 150.0, 150.0, 79.5, 59.5)


def look_at(eye: tuple[float, float, float], target: tuple[float, float, float]) -> NDArray:
    """T_base_optical of a camera at `eye` looking at `target`, image upright."""
    z = np.subtract(target, eye)
    z = z / np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    T[:3, 3] = eye
    return T


CAMERAS = {
    "wrist_camera": look_at((0.3, 0.05, 0.7), (0.62, 0.0, 0.1)),
    "left_camera": look_at((0.42, 0.7, 0.5), (0.62, 0.0, 0.1)),
    "right_camera": look_at((0.52, -0.7, 0.45), (0.62, 0.0, 0.1)),
}


def ray_cast(
    T_base_optical: NDArray, intrinsics: PinholeIntrinsics = INTRINSICS
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Depth in millimetres and colour of the scene."""
    u, v = np.meshgrid(np.arange(intrinsics.width), np.arange(intrinsics.height))
    ray = np.stack(
        [
            (u - intrinsics.cx) / intrinsics.fx,
            (v - intrinsics.cy) / intrinsics.fy,
            np.ones(u.shape),
        ],
        axis=-1,
    )
    direction = ray @ T_base_optical[:3, :3].T
    origin = T_base_optical[:3, 3]
    with np.errstate(divide="ignore"):
        table = np.where(direction[..., 2] < 0.0, -origin[2] / direction[..., 2], np.inf)
        low, high = (BOX[0] - origin) / direction, (BOX[1] - origin) / direction
    near, far = np.minimum(low, high).max(axis=-1), np.maximum(low, high).min(axis=-1)
    box = np.where((near < far) & (near > 0.0), near, np.inf)
    # The ray has unit length along z, so its parameter is the depth.
    depth = np.minimum(table, box)
    rgb = np.where((box < table)[..., None], BOX_RGB, TABLE_RGB).astype(np.uint8)
    depth_mm = np.where(depth < 10.0, np.round(depth * 1000.0), 0.0).astype(np.uint16)
    return depth_mm, rgb


def frame(camera: str, stamp_ns: int, T_base_optical: NDArray | None = None) -> CameraFrame:
    """Frame of one of `CAMERAS`, or of a camera of that name somewhere else."""
    depth, rgb = ray_cast(CAMERAS[camera] if T_base_optical is None else T_base_optical)
    return CameraFrame(camera, stamp_ns, f"{camera}_color_optical_frame", rgb, depth, INTRINSICS)


def distance_to_box(xyz: NDArray) -> NDArray[np.float64]:
    """Distance of points to the surface of the box [m]."""
    outside = np.maximum(np.maximum(BOX[0] - xyz, xyz - BOX[1]), 0.0)
    inside = np.minimum(xyz - BOX[0], BOX[1] - xyz).min(axis=1)
    return np.where(
        (outside > 0.0).any(axis=1), np.linalg.norm(outside, axis=1), np.maximum(inside, 0.0)
    )
