"""How well one cloud explains another: distances to the nearest neighbour, and what they amount to.

Surfaces that are moved along themselves stay where they are: an object that is 5 cm off shows in
the points of its edges and of the sides it was moved across, not in all of them. What counts is
therefore the share of points further off than a tolerance, not a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Points = NDArray[np.float32]
_GOOD, _MIDDLE, _BAD = np.array([[40, 170, 70], [240, 200, 40], [220, 40, 40]], np.float64)


@dataclass(frozen=True)
class Residual:
    """Distances of the points of a cloud to another cloud.

    Attributes:
        points: How many [-].
        median: [m]; infinite where the other cloud is empty.
        p95: 95 of 100 are nearer than this [m].
        beyond: Share of points further off than the tolerance [-].
    """

    points: int
    median: float
    p95: float
    beyond: float


def distances(p: Points, reference: Points) -> Array:
    """Distance (N,) of every point (N, 3) to the nearest point of a reference (M, 3) [m]."""
    if len(reference) == 0:
        return np.full(len(p), np.inf)
    found: Array = np.asarray(cKDTree(reference).query(p)[0], np.float64)
    return found


def summed_up(d: Array, tolerance: float) -> Residual:
    """The figures of distances (N,) [m]; without points nothing is off.

    Args:
        d: distances [m].
        tolerance: what is allowed [m].
    """
    if len(d) == 0:
        return Residual(0, 0.0, 0.0, 0.0)
    # Not interpolated: between finite and infinite there is nothing.
    median, p95 = np.percentile(d, [50.0, 95.0], method="higher")
    return Residual(len(d), float(median), float(p95), float(np.mean(d > tolerance)))


def colours(d: Array, tolerance: float) -> NDArray[np.uint8]:
    """Colours (N, 3): green at 0, yellow at the tolerance, red at twice the tolerance and beyond.

    Args:
        d: distances [m].
        tolerance: what is allowed [m].
    """
    share = np.clip(d / tolerance, 0.0, 2.0)[:, None]
    near = _GOOD + share * (_MIDDLE - _GOOD)
    far = _MIDDLE + (share - 1.0) * (_BAD - _MIDDLE)
    return np.where(share <= 1.0, near, far).astype(np.uint8)
