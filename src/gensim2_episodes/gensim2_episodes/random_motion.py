"""Random motions over the table: the control of a benchmark, which no task may reward.

The arm goes in smooth moves between random configurations whose fingertips are where objects stand,
at random speeds within the limits of the body, and opens and closes its fingers. It does not know
where the objects are.
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
SPREAD = 1.2  # rad, about the configuration at home
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
    """

    def __init__(
        self, kinematics: Fr3Kinematics, limits: JointLimits, rng: np.random.Generator
    ) -> None:
        self._kinematics, self._limits, self._rng = kinematics, limits, rng

    def draw(self, q: Array) -> Trajectory | Grip:
        """Draws what comes next.

        Args:
            q: Configuration (7,) from which the arm starts, rad.
        """
        rng = self._rng
        if rng.random() < GRIP_SHARE:
            return Grip(float(rng.uniform(0.0, FINGER_MAX)), float(rng.uniform(5.0, MAX_EFFORT)))
        goal = rng.uniform(LOW, HIGH)
        share = float(rng.uniform(*SPEEDS))
        limits = self._limits.reduced(velocity=share, acceleration=share)
        return point_to_point(q, self._configuration(goal), limits)

    def _configuration(self, goal: Array) -> Array:
        """Of many random configurations (7,), the one whose TCP is nearest to a goal, m in base."""
        offsets = self._rng.uniform(-SPREAD, SPREAD, (CANDIDATES, ARM_DOF))
        candidates = np.clip(
            np.array(HOME_Q) + offsets, self._limits.q_min + 0.05, self._limits.q_max - 0.05
        )
        positions = self._kinematics.fk(candidates, TCP_LINK)[:, :3, 3]
        away = np.linalg.norm(positions - goal, axis=1)
        away[positions[:, 2] < LOW[2]] = np.inf
        return np.asarray(candidates[int(np.argmin(away))])
