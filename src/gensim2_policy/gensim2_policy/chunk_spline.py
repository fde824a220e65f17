"""A smooth way of the joints that begins exactly as the arm moves, and follows targets.

The way is a cubic spline with equal steps. Its first three coefficients are given by position,
velocity and acceleration at the start, so that it goes on from whatever the arm did before without
any jump; the others are a least-squares fit to weighted targets, with a price on jerk (a smoothing
spline, Reinsch 1967). A cubic is given in full by position, velocity and acceleration at its knots:
a controller that joins these by quintics follows the very same curve.
"""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import Array
from gensim2_control.trajectory import Sample, Trajectory


def smooth_way(
    start: Sample,
    t: Array,
    q: Array,
    weight: Array,
    *,
    duration: float,
    step: float,
    jerk_price: float,
) -> Trajectory:
    """The smooth way; times count from its start.

    Args:
        start: Position (7,), velocity and acceleration there; rad, s.
        t: (N,) times of targets within 0 and ``duration``, s.
        q: (N, 7) targets, rad.
        weight: (N,) of each target.
        duration: Of the way, s.
        step: Between its knots, s; the last one ends at or after ``duration``.
        jerk_price: Of a squared jerk, over squared deviations, s^6.

    Returns:
        Knots with position, velocity and acceleration, the first at time 0.
    """
    count = max(1, int(np.ceil(duration / step - 1e-9)))
    fixed = _first_coefficients(start, step)
    rows = _basis(np.clip(t, 0.0, count * step) / step, count)
    scale = np.sqrt(weight)[:, None]
    third = np.diff(np.eye(count + 3), n=3, axis=0) * np.sqrt(jerk_price * step) / step**3
    A = np.vstack([rows * scale, third])
    b = np.vstack([q * scale, np.zeros((len(third), q.shape[1]))])
    free, *_ = np.linalg.lstsq(A[:, 3:], b - A[:, :3] @ fixed, rcond=None)
    c = np.vstack([fixed, free])
    before, here, after = c[:-2], c[1:-1], c[2:]
    return Trajectory(
        np.arange(count + 1, dtype=np.float64) * step,
        (before + 4.0 * here + after) / 6.0,
        (after - before) / (2.0 * step),
        (before - 2.0 * here + after) / step**2,
    )


def _first_coefficients(start: Sample, step: float) -> Array:
    """Those (3, 7) of a spline that has this position, velocity and acceleration at its start."""
    q, dq, ddq = start
    middle = q - ddq * step**2 / 6.0
    return np.array([middle + ddq * step**2 / 2.0 + s * dq * step for s in (-1.0, 0.0, 1.0)]) - (
        np.array([0.0, 1.0, 0.0])[:, None] * ddq * step**2 / 2.0
    )


def _basis(u: Array, count: int) -> Array:
    """Rows (N, count + 3) of the coefficients' shares at places u, in knots from the start."""
    first = np.minimum(u.astype(int), count - 1)
    x = u - first
    shares = np.stack(
        [
            (1.0 - x) ** 3 / 6.0,
            (3.0 * x**3 - 6.0 * x**2 + 4.0) / 6.0,
            (-3.0 * x**3 + 3.0 * x**2 + 3.0 * x + 1.0) / 6.0,
            x**3 / 6.0,
        ],
        -1,
    )
    rows = np.zeros((len(u), count + 3))
    for k in range(4):
        rows[np.arange(len(u)), first + k] = shares[:, k]
    return rows
