"""Joint trajectories: structure, sampling, and the checks before anything moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator, PPoly

from gensim2_control.goals import ArmCode, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, Array
from gensim2_control.limits import JointLimits, describe_excess

REST_SPEED = 1e-3
"""Speed below which a joint counts as at rest, rad/s."""
MAX_DURATION = 600.0
"""Longest trajectory accepted, s; a failed retiming may return millions of seconds."""
CHECK_PERIOD = 0.005
"""Spacing at which a trajectory is checked against limits, s."""
POSITION_SLACK = 1e-4
"""Rounding allowed for in position limits, rad."""
RATE_SLACK = 1e-3
"""Rounding allowed for in speed and acceleration limits, as a share."""

_EXTREME = "the points cannot be joined: numbers are too large, or times too close together"

Sample = tuple[Array, Array, Array]
"""Position, velocity and acceleration, each (7,) or (M, 7)."""


class Motion(Protocol):
    """A time law of the reference that ends at `duration`."""

    @property
    def duration(self) -> float:
        """Length in s."""

    def sample(self, t: float) -> Sample:
        """Return the reference at `t` s after the start."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Points that the arm passes at given times.

    Between points it is quintic where accelerations are given, cubic where velocities are
    given, and otherwise a shape-preserving cubic that starts and ends at rest.

    Attributes:
        t: times from the start (N,), s, strictly increasing, not negative. Where t[0] > 0 the
            way from the present reference to the first point is part of the motion.
        q: positions (N, 7), rad.
        dq: velocities (N, 7), rad/s, or None.
        ddq: accelerations (N, 7), rad/s^2, or None; needs `dq`.

    Raises:
        TrajectoryRejected: sizes, times or numbers are not as described above.
    """

    t: Array
    q: Array
    dq: Array | None = None
    ddq: Array | None = None

    def __post_init__(self) -> None:
        t = np.array(self.t, dtype=np.float64)
        if t.ndim != 1 or len(t) == 0:
            raise _invalid("the trajectory has no points")
        object.__setattr__(self, "t", _frozen(t))
        for name, unit in (("q", "positions"), ("dq", "velocities"), ("ddq", "accelerations")):
            values = getattr(self, name)
            if values is None:
                continue
            array = np.array(values, dtype=np.float64)
            if array.shape != (len(t), ARM_DOF):
                raise _invalid(f"{unit} must have the shape {(len(t), ARM_DOF)}, not {array.shape}")
            if not np.isfinite(array).all():
                point, joint = (int(i[0]) for i in np.nonzero(~np.isfinite(array)))
                raise _invalid(f"{unit} of point {point}, {ARM_JOINTS[joint]}, is not finite")
            object.__setattr__(self, name, _frozen(array))
        if self.q is None or (self.ddq is not None and self.dq is None):
            raise _invalid("positions are required, and accelerations only beside velocities")
        if not np.isfinite(t).all() or t[0] < 0:
            raise _invalid("times must be finite and not negative")
        if (np.diff(t) <= 0).any():
            point = int(np.argmax(np.diff(t) <= 0)) + 1
            raise _invalid(
                f"times must increase strictly: point {point} is at {t[point]:.6g} s, "
                f"the one before at {t[point - 1]:.6g} s"
            )
        if t[-1] > MAX_DURATION:
            raise _invalid(f"the trajectory takes {t[-1]:.6g} s, more than {MAX_DURATION:g} s")

    @property
    def duration(self) -> float:
        """Time of the last point, s."""
        return float(self.t[-1])

    @cached_property
    def _splines(self) -> tuple[PPoly, PPoly, PPoly] | None:
        """Position and its two derivatives, or None for a single point."""
        if len(self.t) == 1:
            return None
        if self.dq is None:
            spline: PPoly = CubicHermiteSpline(self.t, self.q, rest_to_rest_slopes(self.t, self.q))
        elif self.ddq is None:
            spline = CubicHermiteSpline(self.t, self.q, self.dq)
        else:
            spline = _quintic(self.t, self.q, self.dq, self.ddq)
        return spline, spline.derivative(1), spline.derivative(2)

    def sample(self, t: ArrayLike) -> Sample:
        """Return q, dq, ddq at time `t` s, a scalar or (M,).

        Before the first point and after the last one the trajectory stays at that point; its
        velocity remains the one given there and the acceleration is zero.
        """
        when = np.asarray(t, dtype=np.float64)
        if self._splines is None:
            q = np.broadcast_to(self.q[0], (*when.shape, ARM_DOF))
            dq = np.zeros(ARM_DOF) if self.dq is None else self.dq[0]
            return q.copy(), np.broadcast_to(dq, q.shape).copy(), np.zeros(q.shape)
        inside = np.clip(when, self.t[0], self.t[-1])
        q, dq, ddq = (spline(inside) for spline in self._splines)
        return q, dq, np.where((when == inside)[..., None], ddq, 0.0)

    def starting_at(self, q: Array, dq: Array, ddq: Array | None = None) -> Trajectory:
        """Return the trajectory with a point (q, dq, ddq) at time 0 in front; needs t[0] > 0."""
        start_ddq = np.zeros(ARM_DOF) if ddq is None else ddq
        t, positions = np.concatenate([[0.0], self.t]), np.vstack([q, self.q])
        if self.dq is None:
            slopes = rest_to_rest_slopes(t, positions)
            slopes[0] = dq
            return Trajectory(t, positions, slopes)
        return Trajectory(
            t,
            positions,
            np.vstack([dq, self.dq]),
            None if self.ddq is None else np.vstack([start_ddq, self.ddq]),
        )

    def after(self, t: float, lead: float = 0.0) -> Trajectory | None:
        """Return the points later than `t + lead` s, timed from `t`; None where there are none."""
        later = self.t > t + lead
        if not later.any():
            return None
        return Trajectory(
            self.t[later] - t,
            self.q[later],
            None if self.dq is None else self.dq[later],
            None if self.ddq is None else self.ddq[later],
        )

    def require_rest_at_end(self) -> None:
        """Raise `TrajectoryRejected` unless the last velocity is zero."""
        if self.dq is None:
            return
        worst = int(np.argmax(np.abs(self.dq[-1])))
        if abs(self.dq[-1, worst]) > REST_SPEED:
            raise _invalid(
                f"the last velocity must be zero: {ARM_JOINTS[worst]} ends with "
                f"{self.dq[-1, worst]:.4g} rad/s"
            )

    def validate(
        self, limits: JointLimits, q_start: Array | None = None, start_tolerance: float = 0.01
    ) -> None:
        """Check everything the body checks that does not depend on the state of the robot.

        Args:
            limits: joint limits for the sampled trajectory.
            q_start: where given, the configuration (7,) that the first point must match.
            start_tolerance: largest difference to `q_start` per joint, rad.

        Raises:
            TrajectoryRejected: with the joint, the amount and the limit.
        """
        self.require_rest_at_end()
        if q_start is not None and self.t[0] == 0:
            require_near(self.q[0], q_start, start_tolerance)
        check_motion(self, self.t, limits)


def joint_order(names: Sequence[str]) -> list[int]:
    """Return the index of every joint of `ARM_JOINTS` in `names`.

    Raises:
        TrajectoryRejected: `INVALID_JOINTS`, where a joint is missing, unknown or doubled.
    """
    given = list(names)
    missing = [name for name in ARM_JOINTS if name not in given]
    unknown = [name for name in given if name not in ARM_JOINTS]
    doubled = sorted({name for name in given if given.count(name) > 1})
    problems = [
        f"{what}: {', '.join(which)}"
        for what, which in (("missing", missing), ("unknown", unknown), ("doubled", doubled))
        if which
    ]
    if problems:
        raise TrajectoryRejected(
            ArmCode.INVALID_JOINTS, f"joint names must be {', '.join(ARM_JOINTS)}; {problems}"
        )
    return [given.index(name) for name in ARM_JOINTS]


def require_near(q_first: Array, q_now: Array, tolerance: float) -> None:
    """Raise `TrajectoryRejected` where a first point (7,) is too far from `q_now` (7,)."""
    worst = int(np.argmax(np.abs(q_first - q_now)))
    if not abs(q_first[worst] - q_now[worst]) <= tolerance:
        raise _invalid(
            f"the trajectory starts too far away: {ARM_JOINTS[worst]} at {q_first[worst]:.4f}, "
            f"the arm is at {q_now[worst]:.4f} rad (tolerance {tolerance:g} rad)"
        )


def check_times(knots: Array, start: float, end: float) -> Array:
    """Return the times at which a motion is checked.

    They are a fine grid, both sides of every knot, and some between knots that are so close that
    the grid may miss what is between them: a jump within a millisecond is a speed, too.
    """
    grid = np.linspace(start, end, int(np.ceil((end - start) / CHECK_PERIOD)) + 1)
    gaps = np.diff(knots)
    short = gaps < 4 * CHECK_PERIOD
    between = knots[:-1][short, None] + gaps[short, None] * np.linspace(0.0, 1.0, 9)[1:-1]
    times = np.unique(np.concatenate([grid, knots, knots - 1e-9, between.ravel()]))
    return np.unique(np.clip(times, start, end))


def check_motion(
    motion: Motion, knots: Array, limits: JointLimits, until: float | None = None
) -> Array:
    """Check a sampled motion against joint limits; return the positions checked (M, 7).

    A start outside of the position limits is allowed, so that the arm can be brought back, but
    the motion must not leave them further and must end inside.

    Args:
        motion: what to check.
        knots: times at which its derivatives may jump, s.
        limits: the limits.
        until: check the motion only up to this time, s; None = to its end.

    Raises:
        TrajectoryRejected: with the joint, the time, the amount and the limit.
    """
    whole = until is None or until >= motion.duration
    times = check_times(knots, 0.0, motion.duration if until is None or whole else until)
    q, dq, ddq = motion.sample(times)  # type: ignore[arg-type]
    # Numbers that are finite and huge overflow between the points, and NaN is over no limit.
    if not (np.isfinite(q).all() and np.isfinite(dq).all() and np.isfinite(ddq).all()):
        raise _invalid(_EXTREME)
    lower = np.minimum(limits.q_min, q[0]) - POSITION_SLACK
    upper = np.maximum(limits.q_max, q[0]) + POSITION_SLACK
    excess = np.maximum(lower - q, q - upper)
    if whole:
        excess[-1] = np.maximum(limits.q_min - q[-1], q[-1] - limits.q_max) - POSITION_SLACK
    if (excess > 0).any():
        i, j = np.unravel_index(int(np.argmax(excess)), excess.shape)
        raise _invalid(
            f"position limit: {limits.names[j]} reaches {q[i, j]:.4f} rad at {times[i]:.3f} s, "
            f"allowed {limits.q_min[j]:.4f} to {limits.q_max[j]:.4f}"
        )
    for what, values, limit, unit in (
        ("speed", dq, limits.dq_max, "rad/s"),
        ("acceleration", ddq, limits.ddq_max, "rad/s^2"),
    ):
        share = np.abs(values) / limit
        if share.max() > 1 + RATE_SLACK:
            worst = int(np.argmax(share.max(axis=1)))
            text = describe_excess(limits.names, values[worst], limit, unit)
            raise _invalid(f"{what} limit at {times[worst]:.3f} s: {text}")
    share = end_speed_share(q, dq, limits)
    if share.max() > 1 + RATE_SLACK:
        i, j = np.unravel_index(int(np.argmax(share)), share.shape)
        bound = limits.speed_bounds(q[i])[1 if dq[i, j] > 0 else 0][j]
        raise _invalid(
            f"speed limit near the end of {limits.names[j]} at {times[i]:.3f} s: at "
            f"{q[i, j]:.4f} rad {abs(dq[i, j]):.4g} > {abs(bound):.4g} rad/s"
        )
    return q


def end_speed_share(q: Array, dq: Array, limits: JointLimits) -> Array:
    """Return velocities (..., 7) as a share of what is allowed at positions (..., 7).

    A joint that moves slower than `REST_SPEED` counts as at rest.
    """
    lowest, highest = limits.speed_bounds(q)
    return np.abs(dq) / (np.where(dq > 0, highest, -lowest) + REST_SPEED)


def point_to_point(q_from: Array, q_to: Array, limits: JointLimits) -> Trajectory:
    """Return a straight quintic move between two configurations (7,), from rest to rest.

    It takes just as long as `limits` demand; nothing is known about obstacles.
    """
    way = np.abs(q_to - q_from)
    # The positions on the way do not depend on the duration, and all speeds go with its inverse.
    s = np.linspace(0.0, 1.0, 2001)[:, None]
    q = q_from + (q_to - q_from) * s**3 * (10 - 15 * s + 6 * s**2)
    dq = (q_to - q_from) * 30 * s**2 * (1 - s) ** 2
    # Peaks of the quintic with zero end velocities and accelerations: 15/8 and 10/sqrt(3).
    duration = max(
        float(np.max(15 / 8 * way / limits.dq_max)),
        float(np.max(end_speed_share(q, dq, limits))),
        float(np.sqrt(np.max(10 / np.sqrt(3) * way / limits.ddq_max))),
        0.1,
    )
    zeros = np.zeros((2, ARM_DOF))
    return Trajectory(np.array([0.0, duration]), np.vstack([q_from, q_to]), zeros, zeros)


def rest_to_rest_slopes(t: Array, q: Array) -> Array:
    """Return velocities (N, 7) for bare positions: no overshoot, and rest at both ends."""
    slopes = np.zeros_like(q)
    if len(t) > 2:
        try:
            slopes[1:-1] = PchipInterpolator(t, q).derivative()(t[1:-1])
        except ValueError:  # slopes that overflow
            raise _invalid(_EXTREME) from None
        if not np.isfinite(slopes).all():
            raise _invalid(_EXTREME)
    return slopes


def _quintic(t: Array, q: Array, dq: Array, ddq: Array) -> PPoly:
    h = np.diff(t)[:, None]
    way = np.diff(q, axis=0)
    v0, v1, a0, a1 = dq[:-1], dq[1:], ddq[:-1], ddq[1:]
    coefficients = np.stack(
        [
            (12 * way - 6 * (v1 + v0) * h + (a1 - a0) * h**2) / (2 * h**5),
            (-30 * way + (14 * v1 + 16 * v0) * h + (3 * a0 - 2 * a1) * h**2) / (2 * h**4),
            (20 * way - (8 * v1 + 12 * v0) * h - (3 * a0 - a1) * h**2) / (2 * h**3),
            a0 / 2,
            v0,
            q[:-1],
        ]
    )
    return PPoly(coefficients, t)


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _invalid(text: str) -> TrajectoryRejected:
    return TrajectoryRejected(ArmCode.INVALID_GOAL, text)
