"""Joint and workspace limits that the body enforces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gensim2_control.hardware import ARM_JOINTS, Array


@dataclass(frozen=True)
class JointLimits:
    """Limits of the arm joints.

    Attributes:
        names: joint names, one per entry of the arrays.
        q_min: lowest position, rad.
        q_max: highest position, rad.
        dq_max: highest speed, rad/s.
        ddq_max: highest acceleration, rad/s^2.
    """

    names: tuple[str, ...]
    q_min: Array
    q_max: Array
    dq_max: Array
    ddq_max: Array

    def __post_init__(self) -> None:
        n = len(self.names)
        for field in ("q_min", "q_max", "dq_max", "ddq_max"):
            values = np.array(getattr(self, field), dtype=np.float64)
            if values.shape != (n,) or not np.isfinite(values).all():
                raise ValueError(f"{field} must hold {n} finite numbers, got {values}")
            values.setflags(write=False)
            object.__setattr__(self, field, values)
        if not (self.q_min < self.q_max).all():
            raise ValueError("q_min must be below q_max for every joint; is the margin too wide?")
        if not ((self.dq_max > 0).all() and (self.ddq_max > 0).all()):
            raise ValueError("dq_max and ddq_max must be positive")

    @classmethod
    def fr3(cls) -> JointLimits:
        """Return the limits of the Franka Research 3.

        Positions and speeds are the flat ones of franka_description (robots/fr3). They lie
        inside the URDF of newer releases, whose ends may be approached only slowly. The
        acceleration is the rate limit of libfranka.
        """
        return cls(
            names=ARM_JOINTS,
            q_min=np.array([-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159]),
            q_max=np.array([2.7437, 1.7837, 2.9007, -0.1518, 2.8065, 4.5169, 3.0159]),
            dq_max=np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26]),
            ddq_max=np.full(7, 10.0),
        )

    def reduced(
        self, margin: float = 0.0, velocity: float = 1.0, acceleration: float = 1.0
    ) -> JointLimits:
        """Return tighter limits.

        Args:
            margin: distance kept from both position limits, rad, not negative.
            velocity: share of the speed limits, 0 < share <= 1.
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
        )

    def stoppable_within(self, t: float) -> JointLimits:
        """Return limits with speeds from which every joint comes to rest within `t` s."""
        return replace(self, dq_max=np.minimum(self.dq_max, t * self.ddq_max))

    def contains(self, q: Array, slack: float = 0.0) -> bool:
        """Tell whether all positions (..., n) are within the limits plus `slack` rad."""
        return bool(((q >= self.q_min - slack) & (q <= self.q_max + slack)).all())


@dataclass(frozen=True)
class Workspace:
    """An axis-aligned box, in frame `base`, that the TCP may not leave, m."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.lower, self.upper, strict=True)):
            raise ValueError(f"workspace: lower {self.lower} must be below upper {self.upper}")

    def first_outside(self, p_base: Array) -> int | None:
        """Return the index of the first point of (N, 3) outside of the box, or None."""
        inside = ((p_base >= np.array(self.lower)) & (p_base <= np.array(self.upper))).all(axis=1)
        return None if inside.all() else int(np.argmin(inside))


def describe_excess(names: Sequence[str], value: Array, limit: Array, unit: str) -> str:
    """Name the joint that exceeds its limit most, with both numbers: "fr3_joint2: 3.1 > 2.6"."""
    worst = int(np.argmax(np.abs(value) - limit))
    return f"{names[worst]}: {abs(float(value[worst])):.4g} > {float(limit[worst]):.4g} {unit}"
