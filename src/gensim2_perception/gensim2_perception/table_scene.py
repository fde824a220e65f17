"""A table with boxes, and what a camera sees of it: for a camera without hardware."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frames import PinholeIntrinsics

Array = NDArray[np.float64]
Colour = tuple[int, int, int]

_BACKGROUND: Colour = (35, 38, 42)
_TILE_M = 0.1
_TILES: tuple[Colour, Colour] = ((150, 140, 125), (128, 118, 104))
# Faces across x, y and z differ in brightness, as under a lamp above.
_SHADE = (0.7, 0.85, 1.0)


@dataclass(frozen=True)
class Box:
    """An upright box.

    Attributes:
        lower: Corner of smallest x, y, z in base [m].
        upper: Corner of largest x, y, z in base [m].
        colour: Red, green, blue.
    """

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    colour: Colour


@dataclass(frozen=True)
class TableScene:
    """A table whose top is z = 0 in ``base``, with boxes on it.

    Attributes:
        boxes: On the table.
        lower: Corner of the table of smallest x, y in base [m].
        upper: Corner of largest x, y [m].
    """

    boxes: tuple[Box, ...]
    lower: tuple[float, float] = (-0.2, -0.8)
    upper: tuple[float, float] = (1.2, 0.8)

    def render(
        self, T_base_optical: Array, intrinsics: PinholeIntrinsics
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Picture of an ideal depth camera, without noise.

        Args:
            T_base_optical: (4, 4), pose of the optical frame (z forward, x right, y down).
            intrinsics: Of the picture.

        Returns:
            rgb (H, W, 3) uint8 and depth (H, W) uint16 along the optical axis [mm], 0 = nothing.
        """
        u, v = np.meshgrid(np.arange(intrinsics.width), np.arange(intrinsics.height))
        x = (u - intrinsics.cx) / intrinsics.fx
        y = (v - intrinsics.cy) / intrinsics.fy
        # Length 1 along z, so that the parameter of a ray is the depth.
        rays = np.stack([x, y, np.ones(u.shape)], axis=-1) @ T_base_optical[:3, :3].T
        origin = T_base_optical[:3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            depth, rgb = self._table(origin, rays)
            for box in self.boxes:
                _draw(box, origin, rays, depth, rgb)
        depth_mm = np.where(np.isfinite(depth), np.rint(depth * 1000.0), 0.0)
        far = depth_mm > np.iinfo(np.uint16).max
        return rgb, np.where(far, 0.0, depth_mm).astype(np.uint16)

    def _table(self, origin: Array, rays: Array) -> tuple[Array, NDArray[np.uint8]]:
        depth = -origin[2] / rays[..., 2]
        p_base = origin[:2] + depth[..., None] * rays[..., :2]
        hit = (depth > 0.0) & ((p_base >= self.lower) & (p_base <= self.upper)).all(axis=-1)
        rgb = np.full((*depth.shape, 3), _BACKGROUND, np.uint8)
        tile = np.floor(p_base[hit] / _TILE_M).astype(int).sum(axis=-1) % 2
        rgb[hit] = np.array(_TILES, np.uint8)[tile]
        return np.where(hit, depth, np.inf), rgb


TABLE_WITH_BOXES = TableScene(
    boxes=(
        Box((0.48, -0.13, 0.0), (0.60, -0.01, 0.10), (200, 60, 50)),
        Box((0.58, 0.06, 0.0), (0.64, 0.14, 0.16), (50, 110, 190)),
        Box((0.40, 0.10, 0.0), (0.47, 0.17, 0.05), (90, 160, 70)),
        Box((0.66, -0.20, 0.0), (0.80, -0.12, 0.07), (225, 180, 60)),
    )
)
"""What a camera without hardware shows unless it is given something else."""


def _draw(box: Box, origin: Array, rays: Array, depth: Array, rgb: NDArray[np.uint8]) -> None:
    """Adds a box to a picture, where it is in front."""
    low, high = (np.array(box.lower) - origin) / rays, (np.array(box.upper) - origin) / rays
    entries = np.minimum(low, high)
    near, far = entries.max(axis=-1), np.maximum(low, high).min(axis=-1)
    hit = (near < far) & (near > 0.0) & (near < depth)
    depth[hit] = near[hit]
    shade = np.array(_SHADE)[entries.argmax(axis=-1)[hit]]
    rgb[hit] = (shade[:, None] * np.array(box.colour)).astype(np.uint8)
