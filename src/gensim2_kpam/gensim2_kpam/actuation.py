"""Actuation poses: arm configurations that meet kPAM constraints, by nonlinear optimisation.

Drake's SNOPT solves the constraints from several seeds; the solutions come back sorted by distance
from the present configuration, for the planner to check the motions around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydrake.multibody.inverse_kinematics import InverseKinematics
from pydrake.solvers import SnoptSolver

from .arm_model import ArmModel
from .solver_config import Constraint, FrameAxisConstraint, PointConstraint
from .tool import TOOL_KEYPOINTS

Array = NDArray[np.float64]
# Arm configurations over the workspace in front of the base: elbow up, hand down, forward and
# sideways. SNOPT converges from nearly all of them where a solution exists.
SEEDS = np.array(
    [
        [0.0, 0.35, 0.0, -2.0, 0.0, 2.35, 0.79],
        [0.0, 0.6, 0.0, -1.5, 0.0, 2.9, 0.79],
        [0.6, 0.3, -0.4, -2.0, 0.3, 2.3, 0.6],
        [-0.6, 0.3, 0.4, -2.0, -0.3, 2.3, 1.0],
        [0.4, 0.5, 0.4, -1.9, -0.8, 2.2, 1.6],
        [-0.4, 0.5, -0.4, -1.9, 0.8, 2.2, 0.0],
        [0.0, 0.7, 0.0, -2.1, 0.0, 1.6, 0.79],
        [0.0, 0.2, 0.0, -2.4, 0.0, 3.4, 0.79],
    ]
)
SAME_SOLUTION = 0.15  # rad, largest joint difference


def all_seeds(q_now: Array) -> Array:
    """Configurations (N, 7) to start from, rad; the present one first."""
    return np.vstack([q_now, SEEDS])


@dataclass(frozen=True)
class Target:
    """What constraints refer to, in base: keypoints (3,) in m, and the rotation of the part."""

    keypoints: Mapping[str, Array]
    R_base_object: Array


@dataclass(frozen=True)
class ActuationSolutions:
    """Solutions q (7,), nearest first; how many seeds were tried and how many converged."""

    configurations: tuple[Array, ...]
    tried: int
    converged: int


class ActuationSolver:
    """Solves kPAM constraints.

    Args:
        arm: The arm.
    """

    def __init__(self, arm: ArmModel) -> None:
        self.arm = arm
        self._solver = SnoptSolver()

    def solve(
        self,
        constraints: Sequence[Constraint],
        target: Target,
        q_now: Array,
        *,
        R_hand_tool: Array,
        seeds: Array | None = None,
    ) -> ActuationSolutions:
        """Finds configurations that meet every constraint within the joint limits.

        Args:
            constraints: Of the solver configuration.
            target: What they refer to.
            q_now: Present configuration (7,), rad; solutions near it win.
            R_hand_tool: Rotation of the tool in the hand (identity, or half a turn about z).
            seeds: Configurations (N, 7) to start from, rad; None = all that are worth a try.
        """
        ik = InverseKinematics(self.arm.plant)
        q = ik.q()
        program = ik.prog()
        program.AddBoundingBoxConstraint(self.arm.q_min, self.arm.q_max, q)
        program.AddQuadraticErrorCost(np.diag([3.0, 1, 1, 1, 1, 1, 0.5]), q_now, q)
        for constraint in constraints:
            self._add(ik, constraint, target, R_hand_tool)
        found: list[Array] = []
        converged = 0
        tried = all_seeds(q_now) if seeds is None else seeds
        for seed in np.clip(tried, self.arm.q_min, self.arm.q_max):
            result = self._solver.Solve(program, seed)
            if not result.is_success():
                continue
            converged += 1
            solution = np.asarray(result.GetSolution(q))
            if all(np.max(np.abs(solution - other)) > SAME_SOLUTION for other in found):
                found.append(solution)
        found.sort(key=lambda s: float(np.linalg.norm(s - q_now)))
        return ActuationSolutions(tuple(found), len(tried), converged)

    def _add(
        self,
        ik: InverseKinematics,
        constraint: Constraint,
        target: Target,
        R_hand_tool: Array,
    ) -> None:
        world, hand = self.arm.plant.world_frame(), self.arm.hand
        if isinstance(constraint, PointConstraint):
            p = target.keypoints[constraint.target_keypoint_name]
            p_hand = R_hand_tool @ TOOL_KEYPOINTS[constraint.keypoint_name]
            tolerance = constraint.tolerance
            ik.AddPositionConstraint(hand, p_hand, world, p - tolerance, p + tolerance)
            return
        if isinstance(constraint, FrameAxisConstraint):
            axis = np.array(constraint.target_axis)
            if constraint.target_axis_frame == "object":
                axis = target.R_base_object @ axis
        else:
            axis = (
                target.keypoints[constraint.target_axis_to_keypoint_name]
                - target.keypoints[constraint.target_axis_from_keypoint_name]
            )
        start = TOOL_KEYPOINTS[constraint.axis_from_keypoint_name]
        end = TOOL_KEYPOINTS[constraint.axis_to_keypoint_name]
        lower, upper = constraint.angle_range
        ik.AddAngleBetweenVectorsConstraint(
            world, axis, hand, R_hand_tool @ (end - start), lower, upper
        )
