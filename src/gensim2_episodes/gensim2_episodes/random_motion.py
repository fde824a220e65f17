"""Random motions of the arm: the controls of a benchmark, which no task should reward.

The arm goes in smooth moves between random configurations, at random speeds within the limits of
the body, and opens and closes its fingers. It does not know where the objects are. There are two:
moves about the pose at home, and moves between points where objects stand, which meet them often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.hardware import ARM_DOF, FINGER_MAX, HOME_Q
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, point_to_point
from numpy.typing import NDArray

Array = NDArray[np.float64]
LOW, HIGH = (0.30, -0.35, 0.03), (0.75, 0.35, 0.50)  # m in base, of the TCP
SPREAD, SWEEP_SPREAD = 0.4, 1.2  # rad, about the configuration at home
CANDIDATES = 500  # configurations of which the nearest to the goal is taken
SPEEDS = (0.1, 0.6)  # shares of the limits
GRIP_SHARE = 0.3  # of the steps
MAX_EFFORT = 40.0  # N


@dataclass(frozen=True)
class Grip:
    """A motion of the fingers: position of one finger (m) and largest force (N)."""

    position: float
    effort: float


class RandomMotion:
    """Draws one motion after the other.

    Args:
        kinematics: Of the robot.
        limits: What the moves keep.
        rng: Source of every drawn number.
        sweep: Whether it goes where objects stand.
    """

    def __init__(
        self,
        kinematics: Fr3Kinematics,
        limits: JointLimits,
        rng: np.random.Generator,
        *,
        sweep: bool = False,
    ) -> None:
        self._kinematics, self._limits, self._rng = kinematics, limits, rng
        self._sweep = sweep

    def draw(self, q: Array) -> Trajectory | Grip:
        """Draws what comes next.

        Args:
            q: Configuration (7,) from which the arm starts, rad.
        """
        rng = self._rng
        if rng.random() < GRIP_SHARE:
            return Grip(float(rng.uniform(0.0, FINGER_MAX)), float(rng.uniform(5.0, MAX_EFFORT)))
        share = float(rng.uniform(*SPEEDS))
        limits = self._limits.reduced(velocity=share, acceleration=share)
        return point_to_point(q, self._configuration(), limits)

    def _configuration(self) -> Array:
        """A random configuration (7,) whose TCP is over the table."""
        rng, limits = self._rng, self._limits
        spread = SWEEP_SPREAD if self._sweep else SPREAD
        offsets = rng.uniform(-spread, spread, (CANDIDATES, ARM_DOF))
        candidates = np.clip(np.array(HOME_Q) + offsets, limits.q_min + 0.05, limits.q_max - 0.05)
        positions = self._kinematics.fk(candidates, TCP_LINK)[:, :3, 3]
        over = positions[:, 2] >= LOW[2]
        if not self._sweep:
            return np.asarray(candidates[over][0])
        away = np.linalg.norm(positions - rng.uniform(LOW, HIGH), axis=1)
        return np.asarray(candidates[int(np.argmin(np.where(over, away, np.inf)))])
