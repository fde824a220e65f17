"""What is drawn into a view beside robot and cloud: points, lines, arrows and words, in `base`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gensim2_control.hardware import Array

Colour = tuple[float, float, float]

RED: Colour = (0.9, 0.2, 0.15)
GREEN: Colour = (0.2, 0.75, 0.25)
BLUE: Colour = (0.2, 0.4, 0.95)
ORANGE: Colour = (1.0, 0.6, 0.1)
VIOLET: Colour = (0.6, 0.3, 0.85)
GREY: Colour = (0.6, 0.6, 0.6)
WHITE: Colour = (0.95, 0.95, 0.95)


@dataclass(frozen=True)
class Points:
    """Balls of `size` m at points (N, 3)."""

    group: str
    points: Array
    colour: Colour
    size: float = 0.012


@dataclass(frozen=True)
class Lines:
    """Segments between successive pairs of points (2 N, 3), each of its own colour."""

    group: str
    points: Array
    colours: tuple[Colour, ...]
    width: float = 0.003


@dataclass(frozen=True)
class Arrow:
    """An arrow from one point (3,) to another."""

    group: str
    start: Array
    end: Array
    colour: Colour
    width: float = 0.006


@dataclass(frozen=True)
class Text:
    """Words at a point (3,), facing whoever looks; `height` of a capital in m."""

    group: str
    point: Array
    text: str
    colour: Colour = WHITE
    height: float = 0.02


Mark = Points | Lines | Arrow | Text


def triads(group: str, poses: tuple[Array, ...], length: float = 0.05) -> Lines:
    """The axes x, y, z of frames T_base_frame (4, 4) in red, green and blue."""
    ends = [
        point
        for T in poses
        for axis in range(3)
        for point in (T[:3, 3], T[:3, 3] + length * T[:3, axis])
    ]
    return Lines(group, np.reshape(ends, (-1, 3)), (RED, GREEN, BLUE) * len(poses))


def box(group: str, lower: Array, upper: Array, colour: Colour = GREY) -> Lines:
    """The twelve edges of an upright box."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    pairs = [
        (a, b)
        for a in range(8)
        for b in range(a + 1, 8)
        if np.abs(corners[a] - corners[b]).sum() == 1
    ]
    points = np.asarray(lower) + corners[np.ravel(pairs)] * (np.asarray(upper) - np.asarray(lower))
    return Lines(group, points, (colour,) * len(pairs), 0.002)


def labelled(group: str, points: dict[str, Array], colour: Colour) -> tuple[Mark, ...]:
    """Named points with their names."""
    if not points:
        return ()
    above = np.array([0.0, 0.0, 0.02])
    words = (Text(f"{group}_names", p + above, name, colour) for name, p in points.items())
    return (Points(group, np.array(list(points.values())), colour), *words)
