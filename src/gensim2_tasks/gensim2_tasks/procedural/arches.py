"""Lines of handles and straps that swing over an object."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gensim2_tasks.procedural.parts import Array

ArchKind = Literal["round", "square"]
ARCH_KINDS: tuple[ArchKind, ...] = ("round", "square")
PIECES = 8  # of what is round


def arch_line(kind: ArchKind, half_width: float, height: float, leg: float = 0.0) -> Array:
    """Corners (N, 3) of an upright arch in the plane z = 0, from its foot at -x to that at +x.

    Args:
        kind: half an ellipse, or upright legs with a level top and cut corners.
        half_width: feet from the middle, m.
        height: top over the feet, m.
        leg: length of the upright legs under the ellipse, m.
    """
    if kind == "square":
        profile = np.array([(-1.0, 0.0), (-1.0, 0.72), (-0.62, 1.0)])
        corners = np.vstack([profile, profile[::-1] * (-1.0, 1.0)]) * (half_width, height)
    else:
        # Half a step off at the ends makes the middle piece level, so that the top is flat.
        angle = np.pi * (np.arange(PIECES) + 0.5) / PIECES
        # The pieces lie around the ellipse and not within it: what it goes round stays free.
        out = 1.0 / np.cos(0.5 * np.pi / PIECES)
        oval = np.column_stack([-np.cos(angle), np.sin(angle)]) * out
        oval = oval * (half_width, height - leg) + (0.0, leg)
        corners = np.vstack([(-half_width, 0.0), oval, (half_width, 0.0)])
    return np.column_stack([corners, np.zeros(len(corners))])
