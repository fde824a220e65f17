"""Draws marks (points, lines, arrows, words in base) over a picture of a camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from gensim2_control.marks import Arrow, Colour, Lines, Mark, Points, Text
from numpy.typing import NDArray

from gensim2_tasks import se3

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
NEAREST = 0.05  # m in front of the camera; what is nearer, or behind it, is not drawn
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
SHADE = (20, 20, 20)


@dataclass(frozen=True)
class Lens:
    """Where a camera stands and how it sees.

    Attributes:
        K: Matrix (3, 3); whole numbers are centres of pixels.
        T_base_optical: Pose (4, 4); z forward, x right, y down.
    """

    K: Array
    T_base_optical: Array

    def pixels(self, points: Array) -> Array:
        """Where points (N, 3) in base are seen (N, 2); NaN = they are not in front of it."""
        p = se3.apply(se3.inverse(self.T_base_optical), np.reshape(points, (-1, 3)))
        seen = np.full((len(p), 2), np.nan)
        front = p[:, 2] > NEAREST
        seen[front] = (p[front, :2] / p[front, 2:]) @ self.K[:2, :2].T + self.K[:2, 2]
        return seen


def drawn(image: Image, marks: Sequence[Mark], lens: Lens) -> Image:
    """A copy of a picture (H, W, 3), red first, with marks over it; words come last."""
    picture = np.ascontiguousarray(image.copy())
    for mark in sorted(marks, key=lambda m: isinstance(m, Text)):
        if isinstance(mark, Points):
            for at in lens.pixels(mark.points):
                if _inside(at, picture):
                    cv2.circle(picture, _whole(at), 5, SHADE, -1, cv2.LINE_AA)
                    cv2.circle(picture, _whole(at), 4, _rgb(mark.colour), -1, cv2.LINE_AA)
        elif isinstance(mark, Lines):
            _lines(picture, mark, lens)
        elif isinstance(mark, Arrow):
            start, end = lens.pixels(np.array([mark.start, mark.end]))
            if _inside(start, picture) and _inside(end, picture):
                colour = _rgb(mark.colour)
                cv2.arrowedLine(
                    picture, _whole(start), _whole(end), colour, 2, cv2.LINE_AA, 0, 0.25
                )
        else:
            (at,) = lens.pixels(mark.point)
            if _inside(at, picture):
                words(picture, mark.text, _whole(at), _rgb(mark.colour))
    return picture


def words(picture: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Writes a line of words whose lower left corner is at a pixel, on a dark ground."""
    shown = text.encode("ascii", "replace").decode("ascii")
    (width, height), below = cv2.getTextSize(shown, FONT, FONT_SCALE, 1)
    x = max(2, min(at[0], picture.shape[1] - width - 2))
    y = max(height + 2, min(at[1], picture.shape[0] - below - 2))
    cv2.rectangle(picture, (x - 2, y - height - 2), (x + width + 2, y + below), SHADE, -1)
    cv2.putText(picture, shown, (x, y), FONT, FONT_SCALE, colour, 1, cv2.LINE_AA)


def _lines(picture: Image, mark: Lines, lens: Lens) -> None:
    ends = lens.pixels(mark.points).reshape(-1, 2, 2)
    for (start, end), colour in zip(ends, mark.colours * len(ends), strict=False):
        if _inside(start, picture) and _inside(end, picture):
            cv2.line(picture, _whole(start), _whole(end), _rgb(colour), 2, cv2.LINE_AA)


def _inside(at: Array, picture: Image) -> bool:
    """Whether a pixel is in the picture or not far beside it."""
    height, width = picture.shape[:2]
    beside = np.array([width, height])
    return bool(np.isfinite(at).all() and (at > -beside).all() and (at < 2 * beside).all())


def _whole(at: Array) -> tuple[int, int]:
    x, y = np.rint(at)
    return int(x), int(y)


def _rgb(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (round(255 * c) for c in colour)
    return r, g, b
