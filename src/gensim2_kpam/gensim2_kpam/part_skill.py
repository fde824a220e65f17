"""What a sub-task does where none of its solver configurations leads anywhere.

The done condition says where the joint has to go; `part_mover` looks for a hold on the part.
"""

from __future__ import annotations

import numpy as np
from gensim2_tasks.predicate_kinds import OpennessAbove, OpennessBelow
from gensim2_tasks.predicates import SuccessCondition
from numpy.typing import NDArray

from .budget import Budget, OutOfTimeError
from .part_mover import PartMover
from .pick_and_place import Found
from .plan import Phase, Plan, PlanCode, PlanFailure, SceneObject
from .planner import Planner
from .scene_checks import pose_problem, start_problem

Array = NDArray[np.float64]
NAME = "move_part"
BEYOND = 0.1  # openness by which a goal is passed


def goal_openness(done: SuccessCondition, name: str) -> float | None:
    """How far an object is to be open; None where that is not what is asked for."""
    for predicate in done.predicates:
        if predicate.object == name and isinstance(predicate, OpennessAbove):
            return min(1.0, predicate.value + BEYOND)
        if predicate.object == name and isinstance(predicate, OpennessBelow):
            return max(0.0, predicate.value - BEYOND)
    return None


class PartSkill:
    """Plans to move the part of an object.

    Args:
        planner: Whose arm, models, margins and clock are used.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._mover = PartMover(planner.arm, planner.config, planner.limits)

    def plan(
        self, scene: SceneObject, openness: float, q_start: Array, seed: int
    ) -> Plan | PlanFailure:
        """Moves the part of an object towards an openness.

        Args:
            scene: The object, and what else stands around.
            openness: The goal.
            q_start: Present arm configuration (7,), rad.
            seed: Of the random samples.
        """
        clock, limit = self._planner.clock, self._planner.config.skill_cpu_limit
        started = clock()
        outcome: Found | PlanFailure
        try:
            outcome = self._plan(scene, openness, q_start, seed, Budget(clock, started + limit))
        except OutOfTimeError:
            text = f"{NAME}: given up after {limit:.3g} s of CPU time"
            outcome = PlanFailure(PlanCode.TIMEOUT, text)
        cpu_time = clock() - started
        report: dict[str, object] = {"solver": NAME}
        if isinstance(outcome, PlanFailure):
            return PlanFailure(outcome.code, outcome.reason, report, cpu_time)
        phases, key_poses, note = outcome
        return Plan(phases, key_poses, {**report, **note}, cpu_time)

    def _plan(
        self, scene: SceneObject, openness: float, q_start: Array, seed: int, budget: Budget
    ) -> Found | PlanFailure:
        planner = self._planner
        problem = pose_problem(scene)
        if problem:
            return PlanFailure(PlanCode.BAD_SCENE, problem)
        problem = start_problem(planner.arm, q_start)
        if problem:
            return PlanFailure(PlanCode.START_INVALID, problem)
        config, part_q = planner.config, scene.joint_position
        model = planner.collision_model(scene)
        model.place(scene.T_base_root, config.finger_closed)
        model.surround(scene.others)
        model.allow_contact(False)
        out: tuple[Phase, ...] = ()
        if model.in_collision(q_start, part_q, config.clearance):
            way = planner.way_out(model, scene.T_base_root, q_start, part_q)
            model.place(scene.T_base_root, config.finger_closed)
            if way is None:
                pairs = model.named_contacts(q_start, part_q, config.clearance)
                text = f"the start is in collision, and no way leads out: {pairs}"
                return PlanFailure(PlanCode.START_INVALID, text)
            out, q_start = way
        rng = np.random.default_rng(seed)
        found = self._mover.plan(scene, openness, model, q_start, rng, budget)
        if isinstance(found, PlanFailure):
            return found
        phases, key_poses, note = found
        return (*out, *phases), key_poses, note
