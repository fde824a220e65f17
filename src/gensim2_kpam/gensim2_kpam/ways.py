"""Checks of one candidate: from its actuation pose to a way that lacks nothing but the transit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gensim2_tasks import se3

from . import cartesian, motions
from .actuate import Actuator
from .approach import Approach, ApproachCheck, grasps
from .arm_model import ArmModel
from .budget import Budget
from .candidate import Candidate
from .collision_model import CollisionModel, hand_meets_scene, pairs_text
from .plan import HandBlocked, PlanCode, PlanFailure
from .planner_config import PlannerConfig
from .solver_config import Motion
from .tool import HALF_TURN

Array = NDArray[np.float64]
# m and difference of matrix elements: hand poses that differ less go through the same places.
SAME_POSITION, SAME_TURN = 2e-3, 0.02


@dataclass(frozen=True)
class Way:
    """A candidate that has passed every check but the transit."""

    approach: Array  # (N, 7) from the first pre-pose to the touch pose
    actuate: Array  # (M, 7) from the touch pose on
    key_poses: tuple[Array, ...]
    note: dict[str, object]


@dataclass
class WayFinder:
    """Checks candidates of one scene, the cheap tests first; the model is placed at the scene."""

    arm: ArmModel
    model: CollisionModel
    config: PlannerConfig
    budget: Budget
    _blocked: list[tuple[Array, float, HandBlocked]] = field(default_factory=list)

    def check(self, candidate: Candidate, q_solved: Array) -> Way | PlanFailure:
        """Plans the motions around an actuation pose.

        Args:
            candidate: What to do, and how.
            q_solved: Configuration (7,) that meets the constraints, rad.

        Raises:
            OutOfTimeError: The CPU time is used up.
        """
        self.budget.check()
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_act = self.arm.fk(q_solved) @ T_hand_tool @ se3.transform(candidate.shift)
        known = self._known(candidate, T_act, 0)
        if known is not None:
            return known
        outcome = self._check(candidate, q_solved, T_act)
        if isinstance(outcome, HandBlocked):
            self._blocked.append((T_act, candidate.scale, outcome))
        return outcome

    def _known(self, candidate: Candidate, T_act: Array, reached: int) -> PlanFailure | None:
        """What became of a candidate with the same hand poses, ``reached`` of them being sure.

        Configurations that differ in the elbow only bring the hand to the same end.
        """
        for T, scale, failure in self._blocked:
            if failure.poses <= reached and scale == candidate.scale and _same_pose(T, T_act):
                return PlanFailure(failure.code, failure.reason)
        return None

    def _check(self, candidate: Candidate, q_solved: Array, T_act: Array) -> Way | PlanFailure:
        solver, scene = candidate.solver, candidate.scene
        T_tool_hand = se3.inverse(se3.transform(rotation=candidate.R_hand_tool))
        pre = motions.pre_poses(
            T_act,
            _scaled(solver.pre_actuation_motions, candidate.scale),
            candidate.T_base_part,
            scene.asset.info.axis,
        )
        keys = [*pre, T_act]
        # Solved backwards, from the configuration that is known to the first pre-pose.
        hand_path = [T @ T_tool_hand for T in cartesian.through(keys[::-1])]
        if solver.gripper == "grasp":
            failure = self._grasp(candidate, hand_path[0], q_solved)
            if failure is not None:
                return failure
        back = cartesian.follow(self.arm, hand_path, q_solved, partial=True)
        if len(back) < self.config.least_approach * len(hand_path):
            share = len(back) / len(hand_path)
            return PlanFailure(
                PlanCode.PATH_UNREACHABLE, f"pre-motion: {100 * share:.0f} % of it is in reach"
            )
        known = self._known(candidate, T_act, len(back))
        if known is not None:
            return known
        outcome = self._touch(candidate, T_act, back[::-1])
        if isinstance(outcome, PlanFailure):
            return outcome
        approach, path, note = outcome
        hand_poses = [T @ T_tool_hand for T in keys] + [self.arm.fk(path[-1])]
        poses = [T @ self.arm.T_hand_tcp for T in hand_poses]
        note |= {
            "shift": list(candidate.shift),
            "sideways": candidate.scale,
            "half_turn": bool(np.array_equal(candidate.R_hand_tool, HALF_TURN)),
        }
        return Way(approach, path, tuple(poses), note)

    def _grasp(self, candidate: Candidate, T_hand: Array, q_solved: Array) -> PlanFailure | None:
        """Whether a grasp pose is any good, before the way to it is looked for; None = it is."""
        solved = cartesian.follow(self.arm, [T_hand], q_solved, partial=True)
        if not len(solved):
            return PlanFailure(PlanCode.PATH_UNREACHABLE, "grasp pose")
        scene = candidate.scene
        self.model.allow_contact(False)
        pairs = self.model.contacts(solved[0], scene.joint_position, self.config.near_clearance)
        if pairs:
            text = f"grasp pose: {pairs_text(pairs)}"
            if hand_meets_scene(pairs):
                return HandBlocked(PlanCode.PATH_COLLISION, text, poses=1)
            return PlanFailure(PlanCode.PATH_COLLISION, text)
        if not grasps(solved[0], scene, self.model, self.config):
            return PlanFailure(PlanCode.PATH_COLLISION, "grasp: the fingers meet nothing")
        return None

    def _touch(
        self, candidate: Candidate, T_act: Array, path: Array
    ) -> tuple[Array, Array, dict[str, object]] | PlanFailure:
        """Approach and actuation, each (N, 7), and a note, from a path to the actuation pose."""
        solver, part_q = candidate.solver, candidate.scene.joint_position
        check = ApproachCheck(self.model, self.config, part_q, solver.gripper == "grasp")
        actuator = Actuator(self.arm, self.model, self.config, candidate, self.budget)
        post = solver.post_actuation_motions
        approach = check.until_touch(path)
        while isinstance(approach, Approach):
            q_touch = approach.path[-1]
            if post and post[0].kind == "follow_joint":
                actuate = actuator.follow_joint(post[0].value, q_touch)
            else:
                actuate = actuator.fixed(T_act, q_touch)
            if isinstance(actuate, PlanFailure):
                return actuate
            # Last, since it is dear and seldom finds anything; what it finds is looked at once.
            checked = check.rest(path, approach)
            if isinstance(checked, Approach) and len(checked.path) == len(approach.path):
                return checked.path, *actuate
            approach = checked
        return approach


def _same_pose(T_a: Array, T_b: Array) -> bool:
    difference = np.abs(T_a - T_b)
    return bool(difference[:3, 3].max() < SAME_POSITION and difference[:3, :3].max() < SAME_TURN)


def _scaled(pre: Sequence[Motion], scale: float) -> list[Motion]:
    """The pre-motions with those across the approach axis scaled."""
    across = ("translate_x", "translate_y")
    return [m.model_copy(update={"value": m.value * scale}) if m.kind in across else m for m in pre]
