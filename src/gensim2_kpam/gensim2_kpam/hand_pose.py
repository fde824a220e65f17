"""Hand poses and the arm configurations that reach them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydrake.math import RotationMatrix
from pydrake.multibody.inverse_kinematics import InverseKinematics
from pydrake.solvers import SnoptSolver
from scipy.spatial.transform import Rotation

from .actuation import SAME_SOLUTION, all_seeds
from .arm_model import ArmModel

Array = NDArray[np.float64]
POSITION_TOLERANCE = 5e-4  # m
ANGLE_TOLERANCE = 5e-3  # rad
TILTS = np.radians([0.0, 30.0, 60.0, 85.0])  # of the approach axis from straight down
AZIMUTHS, ROLLS = 8, 8


def hand_rotations() -> Array:
    """Rotations R_base_hand (N, 3, 3) from straight down to nearly level, all around."""
    down = Rotation.from_euler("x", np.pi)
    rolls = Rotation.from_euler("z", np.arange(ROLLS)[:, None] * (2 * np.pi / ROLLS))
    found = []
    for tilt in TILTS:
        for azimuth in np.arange(AZIMUTHS if tilt else 1) * (2 * np.pi / AZIMUTHS):
            axis = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
            found.append((Rotation.from_rotvec(-tilt * axis) * down * rolls).as_matrix())
    return np.concatenate(found)


class PoseSolver:
    """Solves for configurations that bring the hand to a pose.

    Args:
        arm: The arm.
    """

    def __init__(self, arm: ArmModel) -> None:
        self.arm = arm
        self._solver = SnoptSolver()

    def solve(self, T_base_hand: Array, q_near: Array, seeds: int = 9) -> Iterator[Array]:
        """Configurations (7,) within the joint limits, rad, that differ; found one by one.

        Args:
            T_base_hand: The pose.
            q_near: Where to search first (7,); solutions near it are preferred.
            seeds: How many configurations to start from at most.
        """
        ik = InverseKinematics(self.arm.plant)
        q, program = ik.q(), ik.prog()
        program.AddBoundingBoxConstraint(self.arm.q_min, self.arm.q_max, q)
        program.AddQuadraticErrorCost(np.diag([3.0, 1, 1, 1, 1, 1, 0.5]), q_near, q)
        world, p = self.arm.plant.world_frame(), T_base_hand[:3, 3]
        ik.AddPositionConstraint(
            self.arm.hand, np.zeros(3), world, p - POSITION_TOLERANCE, p + POSITION_TOLERANCE
        )
        R = RotationMatrix.ProjectToRotationMatrix(T_base_hand[:3, :3])
        ik.AddOrientationConstraint(world, R, self.arm.hand, RotationMatrix(), ANGLE_TOLERANCE)
        found: list[Array] = []
        for seed in np.clip(all_seeds(q_near)[:seeds], self.arm.q_min, self.arm.q_max):
            result = self._solver.Solve(program, seed)
            if not result.is_success():
                continue
            solution = np.asarray(result.GetSolution(q))
            if all(np.max(np.abs(solution - other)) > SAME_SOLUTION for other in found):
                found.append(solution)
                yield solution
