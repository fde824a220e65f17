"""A pinhole view of the scene in `base`, for drawings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_NEAR = 0.05  # m


@dataclass(frozen=True)
class Viewpoint:
    """Where the drawing is seen from. Points in `base` [m], z up.

    Attributes:
        name: Shown in the drawing.
        eye: Position of the viewer.
        target: Point in the middle of the drawing.
        field: Height and width of what is seen at the distance of the target [m].
    """

    name: str
    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field: float

    def fitted(self, p_base: ArrayLike, margin: float = 0.08) -> Viewpoint:
        """The same direction, moved and widened so that all points are in the drawing.

        Args:
            p_base: (N, 3) points [m]; `field` is the smallest that is used.
            margin: Share of the drawing that stays free on each side.
        """
        points = np.asarray(p_base, dtype=np.float64)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        eye = middle + np.subtract(self.eye, self.target)
        view = replace(self, eye=tuple(eye.tolist()), target=tuple(middle.tolist()))
        reach = float(np.nanmax(np.abs(view.project(points)[0])))
        return replace(view, field=self.field * max(1.0, reach / (1.0 - 2 * margin)))

    @property
    def _axes(self) -> Array:
        """Rows: right, up, forward."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])

    def project(self, p_base: ArrayLike) -> tuple[Array, Array]:
        """Maps points to the drawing.

        Args:
            p_base: (..., 3) points [m].

        Returns:
            (..., 2) position, from -1 (left, bottom) to 1 (right, top), and (...) the scale:
            length in the drawing of one metre there. Points behind the viewer are NaN.
        """
        p = (np.asarray(p_base, dtype=np.float64) - self.eye) @ self._axes.T
        distance = float(np.linalg.norm(np.subtract(self.target, self.eye)))
        depth = np.where(p[..., 2] > _NEAR, p[..., 2], np.nan)
        scale = 2.0 / self.field * distance / depth
        return p[..., :2] * scale[..., None], scale

    def depth(self, p_base: ArrayLike) -> Array:
        """(...) distance of points along the line of sight [m]."""
        return np.asarray((np.asarray(p_base, dtype=np.float64) - self.eye) @ self._axes[2])
