"""Convex parts: boxes, plates, bars and beams as closed triangle meshes.

Everything here is in metres in the PartNet body frame of an object: +x along the hinge or the
width, +y up, +z to the front. Meshes are built by hand rather than by a hull library, so that the
same numbers always give the same vertices in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Faces = NDArray[np.int64]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """One closed convex mesh of a link.

    Attributes:
        name: file name of the mesh without its ending; unique within an object.
        vertices: (N, 3) metres, body frame at joint position 0.
        faces: (M, 3) vertex indices, counter-clockwise seen from outside.
        colour: linear RGB in [0, 1].
        collides: False for a thin decoration that is only drawn.
    """

    name: str
    vertices: Array
    faces: Faces
    colour: Colour
    collides: bool = True

    def moved(self, rotation: Array, centre: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
        """Return the part turned by `rotation` (3, 3) about `centre` (3,) of the same frame."""
        c = np.asarray(centre, dtype=float)
        vertices = (self.vertices - c) @ rotation.T + c
        return Part(self.name, vertices, self.faces, self.colour, self.collides)


def opening_rotation(angle: float) -> Array:
    """Rotation (3, 3) by `angle` rad about -x: it takes +z (closed lid) towards +y (up)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])


def loft(rings: list[Array]) -> tuple[Array, Faces]:
    """Close a stack of rings into a mesh.

    Args:
        rings: at least two (K, 3) polygons with the same K, each counter-clockwise seen from the
            side of the last ring.

    Returns:
        vertices (K * len(rings), 3) and outward facing triangles.
    """
    k = len(rings[0])
    faces: list[tuple[int, int, int]] = [(0, i + 1, i) for i in range(1, k - 1)]
    for level in range(len(rings) - 1):
        low, high = level * k, (level + 1) * k
        for i in range(k):
            j = (i + 1) % k
            faces += [(low + i, low + j, high + j), (low + i, high + j, high + i)]
    top = (len(rings) - 1) * k
    faces += [(top, top + i, top + i + 1) for i in range(1, k - 1)]
    return np.concatenate(rings), np.asarray(faces, dtype=np.int64)


def _octagon(hx: float, hy: float, cut: float) -> Array:
    """Rectangle of half sizes (hx, hy) with cut corners, counter-clockwise, (8, 2)."""
    return np.array(
        [
            (hx, -hy + cut), (hx, hy - cut), (hx - cut, hy), (-hx + cut, hy),
            (-hx, hy - cut), (-hx, -hy + cut), (-hx + cut, -hy), (hx - cut, -hy),
        ]
    )  # fmt: skip


def box(
    name: str,
    low: ArrayLike,
    high: ArrayLike,
    colour: Colour,
    *,
    chamfer: float = 0.0,
    collides: bool = True,
) -> Part:
    """Axis-aligned box from corner `low` to corner `high` with bevelled edges.

    Args:
        name: name of the part.
        low: smallest x, y, z.
        high: largest x, y, z.
        colour: RGB.
        chamfer: depth of the bevel; limited to a quarter of the thinnest side.
        collides: see `Part`.

    Raises:
        ValueError: the box has no volume.
    """
    lo, hi = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    half = (hi - lo) / 2.0
    if np.any(half <= 0.0):
        raise ValueError(f"part '{name}': box from {lo} to {hi} has no volume")
    bevel = min(chamfer, float(half.min()) / 2.0)
    rings: list[Array] = []
    if bevel <= 0.0:
        plane = np.array(
            [(half[0], -half[1]), (half[0], half[1]), (-half[0], half[1]), (-half[0], -half[1])]
        )
        rings = [np.column_stack([plane, np.full(4, z)]) for z in (-half[2], half[2])]
    else:
        full = _octagon(half[0], half[1], bevel)
        inset = _octagon(half[0] - bevel, half[1] - bevel, bevel / 2.0)
        for plane, z in (
            (inset, -half[2]),
            (full, bevel - half[2]),
            (full, half[2] - bevel),
            (inset, half[2]),
        ):
            rings.append(np.column_stack([plane, np.full(8, z)]))
    vertices, faces = loft(rings)
    return Part(name, vertices + (lo + hi) / 2.0, faces, colour, collides)


def bar(
    name: str,
    start: ArrayLike,
    end: ArrayLike,
    radius: float,
    colour: Colour,
    *,
    sides: int = 8,
    bevel: float = 0.0,
) -> Part:
    """Straight round bar from `start` to `end`.

    Args:
        name: name of the part.
        start: centre of one end.
        end: centre of the other end.
        radius: radius of the circle through the vertices, m.
        colour: RGB.
        sides: corners of the cross-section.
        bevel: how much the ends are bevelled (along and across), m.

    Raises:
        ValueError: the bar has no length or no radius.
    """
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    length = float(np.linalg.norm(b - a))
    if length <= 2.0 * bevel or radius <= bevel:
        raise ValueError(f"part '{name}': length {length} m, radius {radius} m, bevel {bevel} m")
    w = (b - a) / length
    helper = np.array([0.0, 1.0, 0.0]) if abs(w[1]) < 0.9 else np.array([0.0, 0.0, 1.0])
    u = np.cross(helper, w)
    u /= np.linalg.norm(u)
    v = np.cross(w, u)
    angles = 2.0 * np.pi * (np.arange(sides) + 0.5) / sides
    circle = np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v
    stations = [(0.0, radius), (length, radius)]
    if bevel > 0.0:
        stations = [
            (0.0, radius - bevel),
            (bevel, radius),
            (length - bevel, radius),
            (length, radius - bevel),
        ]
    vertices, faces = loft([a + along * w + r * circle for along, r in stations])
    return Part(name, vertices, faces, colour)


def beam(
    name: str,
    start: ArrayLike,
    end: ArrayLike,
    across: ArrayLike,
    section: tuple[float, float],
    colour: Colour,
    *,
    end_section: tuple[float, float] | None = None,
) -> Part:
    """Straight bar of rectangular section from `start` to `end`, which may taper.

    Args:
        name: name of the part.
        start: centre of one end.
        end: centre of the other end.
        across: direction of the width; only what of it is square to the bar counts.
        section: width and thickness at the start, m.
        colour: RGB.
        end_section: the same at the end; None = as at the start.

    Raises:
        ValueError: the beam has no length or no section, or `across` runs along it.
    """
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    length = float(np.linalg.norm(b - a))
    sections = (section, end_section or section)
    if length <= 0.0 or min(min(s) for s in sections) <= 0.0:
        raise ValueError(f"part '{name}': length {length} m, sections {sections} m")
    w = (b - a) / length
    u = np.asarray(across, dtype=float)
    u = u - (u @ w) * w
    if np.linalg.norm(u) < 1e-6:
        raise ValueError(f"part '{name}': its width runs along it")
    u /= np.linalg.norm(u)
    v = np.cross(w, u)
    corners = ((1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0))
    rings = [
        np.array([centre + 0.5 * (i * width * u + j * thickness * v) for i, j in corners])
        for centre, (width, thickness) in zip((a, b), sections, strict=True)
    ]
    vertices, faces = loft(rings)
    return Part(name, vertices, faces, colour)


def tube(
    name: str,
    low: tuple[float, float],
    high: tuple[float, float],
    wall: float,
    colour: Colour,
    *,
    sides: int = 12,
) -> tuple[Part, ...]:
    """Round upright wall about the y axis, made of staves; conical where the radii differ.

    Args:
        name: name of the parts, to which their number is added.
        low: height and outer radius of the lower edge, m.
        high: the same of the upper edge.
        wall: thickness, m.
        colour: RGB.
        sides: number of staves.

    Raises:
        ValueError: the wall has no height, or no room within it.
    """
    if high[0] <= low[0] or not 0.0 < wall < min(low[1], high[1]):
        raise ValueError(f"part '{name}': from {low} to {high} m, wall {wall} m")

    def corner(angle: float, height: float, radius: float) -> tuple[float, float, float]:
        return radius * np.sin(angle), height, radius * np.cos(angle)

    parts = []
    for index in range(sides):
        a0, a1 = (2.0 * np.pi * (index + i) / sides for i in (0, 1))
        rings = [
            np.array(
                [
                    corner(a0, height, radius),
                    corner(a1, height, radius),
                    corner(a1, height, radius - wall),
                    corner(a0, height, radius - wall),
                ]
            )
            for height, radius in (low, high)
        ]
        vertices, faces = loft(rings)
        parts.append(Part(f"{name}_{index}", vertices, faces, colour))
    return tuple(parts)
