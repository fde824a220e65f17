"""Draws primitives: what markers, keypoints and plans are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh
import viser
from numpy.typing import NDArray

from gensim2_view.markers import Arrow, Lines, Primitive, Solids, Text

_UNIT = {
    "sphere": trimesh.creation.icosphere(subdivisions=2, radius=0.5),
    "box": trimesh.creation.box(extents=(1.0, 1.0, 1.0)),
    "cylinder": trimesh.creation.cylinder(radius=0.5, height=1.0, sections=24),
}
_THINNEST = 0.0015
"""Lines that are given no width are drawn this wide, m."""


def spheres(positions: NDArray[np.float64], diameter: float, color: tuple[int, int, int]) -> Solids:
    """Return balls of one size and colour at positions (N, 3), m in base."""
    count = len(positions)
    return Solids(
        "sphere",
        positions.reshape(-1, 3),
        np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
        np.full((count, 3), diameter),
        np.tile(np.array(color, dtype=np.uint8), (count, 1)),
        1.0,
    )


def polyline(points: NDArray[np.float64], width: float, color: tuple[int, int, int]) -> Lines:
    """Return a line through points (N, 3), m in base."""
    pairs = np.stack([points[:-1], points[1:]], axis=1)
    return Lines(pairs, np.tile(np.array(color, dtype=np.uint8), (len(pairs), 2, 1)), width)


def add(scene: viser.SceneApi, name: str, item: Primitive) -> Any:
    """Draw a primitive under a name, in place of what had the name; return its handle, or None."""
    if isinstance(item, Text):
        # What the browser is given is shown as text.
        return scene.add_label(
            name, item.text, position=item.position, font_screen_scale=0.7, anchor="bottom-center"
        )
    if isinstance(item, Arrow):
        return scene.add_arrows(
            name,
            item.points[None],
            item.color,
            shaft_radius=item.shaft_radius,
            head_radius=item.head_radius,
            head_length=item.head_length,
        )
    if isinstance(item, Lines):
        if not len(item.points):
            return None
        width = max(item.width, _THINNEST)
        return scene.add_line_segments(name, item.points, item.colors, thickness=width)
    if not len(item.positions):
        return None
    mesh = _UNIT[item.shape]
    return scene.add_batched_meshes_simple(
        name,
        mesh.vertices,
        mesh.faces,
        batched_wxyzs=item.wxyz,
        batched_positions=item.positions,
        batched_scales=item.scales,
        batched_colors=item.colors,
        opacity=item.opacity if item.opacity < 1.0 else None,
        flat_shading=item.shape == "box",
        lod="off",
        cast_shadow=False,
        receive_shadow=False,
    )


class Group:
    """Primitives under one name in the tree of the scene, replaced as a whole.

    Names are numbers: what the graph calls things would not do for the tree.
    """

    def __init__(self, scene: viser.SceneApi, name: str) -> None:
        self._scene = scene
        self.frame = scene.add_frame(name, show_axes=False)
        self._name = name
        self._drawn: list[tuple[Primitive, Any]] = []

    def show(self, items: list[Primitive]) -> None:
        """Draw these and no others; what is drawn already stays as it is."""
        old = self._drawn
        drawn = []
        for i, item in enumerate(items):
            if i < len(old) and old[i][0] is item:
                drawn.append(old[i])
                continue
            self._remove(old[i : i + 1])
            drawn.append((item, add(self._scene, f"{self._name}/{i}", item)))
        self._remove(old[len(items) :])
        self._drawn = drawn

    @staticmethod
    def _remove(drawn: list[tuple[Primitive, Any]]) -> None:
        for _, handle in drawn:
            if handle is not None:
                handle.remove()
