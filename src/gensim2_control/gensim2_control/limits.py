"""Joint and workspace limits that the body enforces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gensim2_control.hardware import ARM_JOINTS, Array


@dataclass(frozen=True)
class EndSpeeds:
    """How fast each joint may approach its ends: the closer, the slower.

    Towards an end at the distance d the speed is at most sqrt(gain d) - offset. It is zero from a
    small distance on, and beyond the end; away from an end it does not matter.

    Attributes:
        q_low: lower ends (n,), rad.
        q_high: upper ends (n,), rad.
        offset: rad/s (n,).
        gain: rad/s^2 (n,).
        share: share of these speeds that is allowed.
    """

    q_low: Array
    q_high: Array
    offset: Array
    gain: Array
    share: float = 1.0

    def __post_init__(self) -> None:
        _hold_numbers(self, ("q_low", "q_high", "offset", "gain"), len(self.q_low))
        if not ((self.offset > 0).all() and (self.gain > 0).all() and 0 < self.share <= 1):
            raise ValueError("offset and gain must be positive, and share in (0, 1]")

    @property
    def reach(self) -> tuple[Array, Array]:
        """Lowest and highest positions (n,) that a joint can move to, rad."""
        stand = self.offset**2 / self.gain
        return self.q_low + stand, self.q_high - stand

    def bounds(self, q: Array) -> tuple[Array, Array]:
        """Return the lowest and highest velocity (..., n), rad/s, at positions (..., n), rad."""
        down = np.sqrt(self.gain * np.maximum(q - self.q_low, 0.0)) - self.offset
        up = np.sqrt(self.gain * np.maximum(self.q_high - q, 0.0)) - self.offset
        return -self.share * np.maximum(down, 0.0), self.share * np.maximum(up, 0.0)


@dataclass(frozen=True)
class JointLimits:
    """Limits of the arm joints.

    Attributes:
        names: joint names, one per entry of the arrays.
        q_min: lowest position, rad.
        q_max: highest position, rad.
        dq_max: highest speed, rad/s.
        ddq_max: highest acceleration, rad/s^2.
        dddq_max: highest jerk, rad/s^3; it limits how often references may be made.
        ends: how fast the joints may approach their ends; None = with `dq_max`.
    """

    names: tuple[str, ...]
    q_min: Array
    q_max: Array
    dq_max: Array
    ddq_max: Array
    dddq_max: float = np.inf
    ends: EndSpeeds | None = None

    def __post_init__(self) -> None:
        _hold_numbers(self, ("q_min", "q_max", "dq_max", "ddq_max"), len(self.names))
        if not (self.q_min < self.q_max).all():
            raise ValueError("q_min must be below q_max for every joint; is the margin too wide?")
        if not ((self.dq_max > 0).all() and (self.ddq_max > 0).all()):
            raise ValueError("dq_max and ddq_max must be positive")

    @classmethod
    def fr3(cls) -> JointLimits:
        """Return the limits of the Franka Research 3.

        Positions and speeds are the flat ones of franka_description (robots/fr3), speeds near
        the ends, acceleration and jerk those of libfranka. Positions that the speeds near the
        ends do not let a joint reach, up to 8 mrad of the flat ones, are left out.
        """
        ends = EndSpeeds(
            q_low=np.array([-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196]),
            q_high=np.array([2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196]),
            offset=np.array([0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35]),
            gain=np.array([12.0, 5.17, 7.00, 8.00, 34.0, 11.0, 34.0]),
        )
        q_min = np.array([-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159])
        q_max = np.array([2.7437, 1.7837, 2.9007, -0.1518, 2.8065, 4.5169, 3.0159])
        lowest, highest = ends.reach
        return cls(
            names=ARM_JOINTS,
            q_min=np.maximum(q_min, lowest),
            q_max=np.minimum(q_max, highest),
            dq_max=np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26]),
            ddq_max=np.full(7, 10.0),
            dddq_max=5000.0,
            ends=ends,
        )

    def reduced(
        self, margin: float = 0.0, velocity: float = 1.0, acceleration: float = 1.0
    ) -> JointLimits:
        """Return tighter limits.

        Args:
            margin: distance kept from both position limits, rad, not negative.
            velocity: share of the speed limits, those near the ends too, 0 < share <= 1.
            acceleration: share of the acceleration limits, 0 < share <= 1.
        """
        if margin < 0 or not 0 < velocity <= 1 or not 0 < acceleration <= 1:
            raise ValueError(
                f"limits can only be tightened: margin={margin} must be >= 0, velocity={velocity} "
                f"and acceleration={acceleration} in (0, 1]"
            )
        return replace(
            self,
            q_min=self.q_min + margin,
            q_max=self.q_max - margin,
            dq_max=self.dq_max * velocity,
            ddq_max=self.ddq_max * acceleration,
            ends=self.ends and replace(self.ends, share=self.ends.share * velocity),
        )

    def stoppable_within(self, t: float) -> JointLimits:
        """Return limits with speeds from which every joint comes to rest within `t` s."""
        return replace(self, dq_max=np.minimum(self.dq_max, t * self.ddq_max))

    def speed_bounds(self, q: Array) -> tuple[Array, Array]:
        """Return the lowest and highest velocity (..., n), rad/s, at positions (..., n), rad.

        Away from an end, also from beyond it, a joint may always move as fast as elsewhere.
        """
        if self.ends is None:
            flat = np.broadcast_to(self.dq_max, q.shape)
            return -flat, flat
        lowest, highest = self.ends.bounds(q)
        return np.maximum(lowest, -self.dq_max), np.minimum(highest, self.dq_max)

    def require_period(self, period: float) -> None:
        """Raise `ValueError` where references every `period` s could exceed the jerk limit.

        A reference whose acceleration keeps its limit changes it by twice that at most, from one
        period to the next. No filter is needed where that is within the jerk limit, as it is for
        the FR3 at up to 250 Hz.
        """
        ddq = float(self.ddq_max.max())
        if 2.0 * ddq > self.dddq_max * period * (1.0 + 1e-9):
            raise ValueError(
                f"control period {period:g} s ({1.0 / period:g} Hz): the acceleration may change "
                f"by {2.0 * ddq:g} rad/s^2 from one period to the next, which is more than the "
                f"jerk limit of {self.dddq_max:g} rad/s^3 allows; choose at most "
                f"{0.5 * self.dddq_max / ddq:g} Hz"
            )

    def contains(self, q: Array, slack: float = 0.0) -> bool:
        """Tell whether all positions (..., n) are within the limits plus `slack` rad."""
        return bool(((q >= self.q_min - slack) & (q <= self.q_max + slack)).all())


@dataclass(frozen=True)
class Workspace:
    """An axis-aligned box, in frame `base`, that some points may not leave, m."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.lower, self.upper, strict=True)):
            raise ValueError(f"workspace: lower {self.lower} must be below upper {self.upper}")

    def first_outside(self, p_base: Array) -> int | None:
        """Return the index of the first point of (N, 3) outside of the box, or None."""
        inside = ((p_base >= np.array(self.lower)) & (p_base <= np.array(self.upper))).all(axis=1)
        return None if inside.all() else int(np.argmin(inside))


def _hold_numbers(owner: object, fields: Sequence[str], n: int) -> None:
    """Make arrays of fields of a frozen dataclass read-only; each must have `n` finite numbers."""
    for field in fields:
        values = np.array(getattr(owner, field), dtype=np.float64)
        if values.shape != (n,) or not np.isfinite(values).all():
            raise ValueError(f"{field} must hold {n} finite numbers, got {values}")
        values.setflags(write=False)
        object.__setattr__(owner, field, values)


def describe_excess(names: Sequence[str], value: Array, limit: Array, unit: str) -> str:
    """Name the joint that exceeds its limit most, with both numbers: "fr3_joint2: 3.1 > 2.6"."""
    worst = int(np.argmax(np.abs(value) - limit))
    return f"{names[worst]}: {abs(float(value[worst])):.4g} > {float(limit[worst]):.4g} {unit}"
