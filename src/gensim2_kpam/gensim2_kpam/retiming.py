"""Time laws for joint paths under velocity and acceleration limits.

A path is cut at its corners, where the arm stops: rounding them off would leave the path that has
been checked for collisions. Straight pieces get a quintic, curved ones Drake's Toppra over a spline
with continuous curvature. Toppra knows no speed limits that depend on the position: a piece that
comes too fast close to the end of a joint is slowed down as a whole.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, end_speed_share, point_to_point
from numpy.typing import NDArray
from pydrake.multibody.optimization import Toppra
from pydrake.multibody.plant import MultibodyPlant
from pydrake.trajectories import PathParameterizedTrajectory, PiecewisePolynomial

from .as_message import trajectory_as_sent

Array = NDArray[np.float64]
# Closer knots make Toppra's problem degenerate: its "solutions" then last days.
KNOT_SPACINGS = (0.02, 0.05, 0.1)  # rad, tried in this order
CORNER = 0.35  # rad, change of direction at which the arm stops
STRAIGHT = 2e-3  # rad, largest deviation of a straight piece
SMALLEST_STEP = 1e-6  # rad
LONGEST = 60.0  # s
SAMPLE_PERIOD = 0.02  # s
SHORTEST = 2e-3  # s, between points


class RetimingError(RuntimeError):
    """No time law was found."""


def retime(plant: MultibodyPlant, path: Array, limits: JointLimits) -> Trajectory:
    """Gives a joint path a time law that starts and ends at rest and keeps the limits everywhere.

    Args:
        plant: The arm.
        path: Configurations (N, 7), rad.
        limits: Velocity and acceleration limits to use, also near the ends of joints.

    Raises:
        RetimingError: Toppra finds no finite time law under a minute.
    """
    pieces = [_timed(plant, piece, limits) for piece in _cut_at_corners(path)]
    if not pieces:
        raise RetimingError("the path has no length")
    t, q, dq = [np.zeros(1)], [pieces[0].q[:1]], [np.zeros((1, path.shape[1]))]
    for piece in pieces:
        assert piece.dq is not None
        t.append(t[-1][-1] + piece.t[1:])
        q.append(piece.q[1:])
        dq.append(piece.dq[1:])
    return trajectory_as_sent(Trajectory(np.concatenate(t), np.vstack(q), np.vstack(dq)))


def _at_rest(t: Array, q: Array, dq: Array, limits: JointLimits) -> Trajectory:
    """A trajectory that starts and ends at rest to the last bit."""
    dq[0] = dq[-1] = 0.0
    return _within(Trajectory(t, q, dq), limits)


def _within(trajectory: Trajectory, limits: JointLimits) -> Trajectory:
    """Slows a trajectory down as a whole until what the body will sample keeps the limits.

    Toppra keeps them at its grid points, and the body interpolates between the points it is sent.
    Slowing down changes no position, so that one factor is enough near the ends of joints too.
    """
    assert trajectory.dq is not None
    t = trajectory.t
    # A cubic: its velocity peaks where its acceleration, which is linear, vanishes.
    before, after = trajectory.sample(t[:-1])[2], trajectory.sample(t[1:] - 1e-9)[2]
    change = np.where(after == before, 1.0, after - before)
    share = np.clip(-before / change, 0.0, 1.0)
    peak = trajectory.dq[:-1] + np.diff(t)[:, None] * share * (before + 0.5 * share * change)
    speed = max(
        float(np.max(np.abs(peak) / limits.dq_max)),
        float(np.max(np.abs(trajectory.dq) / limits.dq_max)),
    )
    between = t[:-1, None] + np.diff(t)[:, None] * np.linspace(0.0, 1.0, 5)
    q, dq, _ = trajectory.sample(between.ravel())
    near_end = float(np.max(end_speed_share(q, dq, limits)))
    acceleration = float(np.max(np.abs([before, after]) / limits.ddq_max))
    stretch = max(1.0, speed, near_end, math.sqrt(acceleration))
    return Trajectory(t * stretch, trajectory.q, trajectory.dq / stretch)


def _cut_at_corners(path: Array) -> list[Array]:
    steps = np.diff(path, axis=0)
    keep = np.concatenate([[True], np.max(np.abs(steps), axis=1) > SMALLEST_STEP])
    path = path[keep]
    if len(path) < 2:
        return []
    steps = np.diff(path, axis=0)
    directions = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    turns = np.arccos(np.clip(np.sum(directions[1:] * directions[:-1], axis=1), -1.0, 1.0))
    cuts = [0, *(np.flatnonzero(turns > CORNER) + 1), len(path) - 1]
    return [path[a : b + 1] for a, b in pairwise(cuts)]


def _timed(plant: MultibodyPlant, piece: Array, limits: JointLimits) -> Trajectory:
    if _is_straight(piece):
        line = point_to_point(piece[0], piece[-1], limits)
        t = np.linspace(0.0, line.duration, max(3, math.ceil(line.duration / SAMPLE_PERIOD) + 1))
        q, dq, _ = line.sample(t)
        return _at_rest(t, q, dq, limits)
    for spacing in KNOT_SPACINGS:
        timed = _time_law(plant, _thinned(piece, spacing), limits)
        if timed is not None and 0.0 < timed.end_time() < LONGEST:
            t = _times(timed)
            q = np.array([timed.value(x).ravel() for x in t])
            dq = np.array([timed.EvalDerivative(x, 1).ravel() for x in t])
            return _at_rest(t, q, dq, limits)
    raise RetimingError(f"no time law under {LONGEST:g} s for a path of {len(piece)} points")


def _times(timed: PathParameterizedTrajectory) -> Array:
    """Where the acceleration of the law jumps, and points between them where they are far apart.

    A cubic through points on both sides of a jump would overshoot the acceleration by half.
    """
    law = timed.time_scaling()
    breaks = np.array(law.get_segment_times())
    breaks = breaks[np.concatenate([[True], np.diff(breaks) > SHORTEST])]
    breaks[-1] = timed.end_time()
    return np.concatenate(
        [
            [0.0],
            *(
                np.linspace(a, b, math.ceil((b - a) / SAMPLE_PERIOD) + 1)[1:]
                for a, b in pairwise(breaks)
            ),
        ]
    )


def _is_straight(piece: Array) -> bool:
    chord = piece[-1] - piece[0]
    share = (piece - piece[0]) @ chord / max(float(chord @ chord), 1e-12)
    return bool(np.max(np.abs(piece - piece[0] - share[:, None] * chord)) < STRAIGHT)


def _thinned(path: Array, spacing: float) -> Array:
    """Drops knots that are closer than ``spacing``; both ends stay."""
    kept = [path[0]]
    for q in path[1:-1]:
        if np.max(np.abs(q - kept[-1])) >= spacing:
            kept.append(q)
    if len(kept) > 1 and np.max(np.abs(path[-1] - kept[-1])) < spacing:
        kept.pop()
    kept.append(path[-1])
    return np.array(kept)


def _time_law(
    plant: MultibodyPlant, knots: Array, limits: JointLimits
) -> PathParameterizedTrajectory | None:
    s = np.concatenate([[0.0], np.cumsum(np.max(np.abs(np.diff(knots, axis=0)), axis=1))])
    if len(knots) > 2:
        spline = PiecewisePolynomial.CubicWithContinuousSecondDerivatives(s, knots.T)
    else:
        spline = PiecewisePolynomial.FirstOrderHold(s, knots.T)
    grid = np.linspace(s[0], s[-1], int(np.clip(3 * len(knots), 20, 100)))
    toppra = Toppra(spline, plant, grid)
    toppra.AddJointVelocityLimit(-limits.dq_max, limits.dq_max)
    toppra.AddJointAccelerationLimit(-limits.ddq_max, limits.ddq_max)
    law = toppra.SolvePathParameterization()
    return None if law is None else PathParameterizedTrajectory(spline, law)
