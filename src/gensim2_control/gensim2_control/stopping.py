"""Bringing a moving reference to rest with bounded deceleration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gensim2_control.hardware import Array
from gensim2_control.trajectory import Sample


@dataclass(frozen=True, eq=False)
class StopRamp:
    """Every joint decelerates at its limit until it rests.

    Each joint takes the shortest way its limit allows. A validated trajectory, which has the
    same acceleration limit and ends at rest inside the position limits, could not have stopped
    the joint earlier; so a stop on such a trajectory never leaves the position limits, nor is it
    too fast for where the joint is.

    Attributes:
        q: positions at the start (7,), rad.
        dq: velocities at the start (7,), rad/s.
        ddq_max: deceleration (7,), rad/s^2.
    """

    q: Array
    dq: Array
    ddq_max: Array

    @property
    def duration(self) -> float:
        """Time until the last joint rests, s."""
        return float(self.knots[-1])

    @property
    def knots(self) -> Array:
        """Times at which the acceleration jumps, s: the start, and where a joint comes to rest."""
        return np.union1d(0.0, np.abs(self.dq) / self.ddq_max)

    def sample(self, t: ArrayLike) -> Sample:
        """Return q, dq, ddq at `t` s after the start, a scalar or (M,)."""
        rest_after = np.abs(self.dq) / self.ddq_max
        elapsed = np.clip(np.asarray(t, dtype=np.float64)[..., None], 0.0, rest_after)
        braking = elapsed < rest_after
        deceleration = -np.sign(self.dq) * self.ddq_max
        # As a share of the velocity, so that a joint at rest is exactly at rest.
        share = 1.0 - elapsed / np.where(rest_after > 0, rest_after, 1.0)
        dq = self.dq * np.where(braking, share, 0.0)
        q = self.q + self.dq * elapsed + 0.5 * deceleration * elapsed**2
        return q, dq, np.where(braking, deceleration, 0.0)


def stopping_point(q: Array, dq: Array, ddq_max: Array) -> Array:
    """Return where each joint rests after a stop from (q, dq), rad (7,)."""
    return q + dq * np.abs(dq) / (2.0 * ddq_max)
