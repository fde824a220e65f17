"""The skills of a sub-task without solver configuration: pick and place, as plans."""

from __future__ import annotations

import numpy as np
from gensim2_tasks.specs import SubTask
from numpy.typing import NDArray

from .budget import Budget, OutOfTimeError
from .pick_and_place import ObjectMover
from .plan import Phase, Plan, PlanCode, PlanFailure, SceneObject
from .planner import Planner
from .scene_checks import start_problem

Array = NDArray[np.float64]
PICK, PLACE = "pick", "place"


class SkillPlanner:
    """Plans pick and place.

    Args:
        planner: Whose arm, margins and clock are used.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._model = planner.bare_model()
        self._mover = ObjectMover(planner.arm, self._model, planner.config, planner.limits)

    def plan(
        self, wanted: SubTask, item: SceneObject, q_start: Array, seed: int
    ) -> Plan | PlanFailure:
        """Plans one sub-task.

        Args:
            wanted: Skill, target and region.
            item: What is taken or put down, with what else stands around.
            q_start: Present arm configuration (7,), rad.
            seed: Of the random samples.
        """
        clock, limit = self._planner.clock, self._planner.config.skill_cpu_limit
        started = clock()
        outcome: PlanFailure | tuple[tuple[Phase, ...], tuple[Array, ...], dict[str, object]]
        try:
            outcome = self._plan(wanted, item, q_start, seed, Budget(clock, started + limit))
        except OutOfTimeError:
            text = f"{wanted.skill}: given up after {limit:.3g} s of CPU time"
            outcome = PlanFailure(PlanCode.TIMEOUT, text)
        cpu_time = clock() - started
        report: dict[str, object] = {"solver": wanted.skill}
        if isinstance(outcome, PlanFailure):
            return PlanFailure(outcome.code, outcome.reason, report, cpu_time)
        phases, key_poses, note = outcome
        return Plan(phases, key_poses, {**report, **note, "before": []}, cpu_time)

    def _plan(
        self, wanted: SubTask, item: SceneObject, q_start: Array, seed: int, budget: Budget
    ) -> PlanFailure | tuple[tuple[Phase, ...], tuple[Array, ...], dict[str, object]]:
        target = item.other(wanted.target)
        if target is None:
            known = ", ".join(o.name for o in item.others) or "none"
            return PlanFailure(
                PlanCode.BAD_SCENE, f"the scene has no object {wanted.target!r}; others: {known}"
            )
        numbers = [x for o in (item, *item.others) for x in (o.T_base_root, o.joint_position)]
        if not all(np.isfinite(x).all() for x in numbers):
            return PlanFailure(PlanCode.BAD_SCENE, "a pose or joint position is not finite")
        problem = start_problem(self._planner.arm, q_start)
        if problem:
            return PlanFailure(PlanCode.START_INVALID, problem)
        rng = np.random.default_rng(seed)
        if wanted.skill == PLACE:
            return self._mover.place(item, target, wanted.region, q_start, rng, budget)
        out: tuple[Phase, ...] = ()
        clearance = self._planner.config.clearance
        self._model.surround((item, *item.others))
        self._model.hold(())
        self._model.place(np.eye(4), self._planner.config.finger_open)
        if self._model.in_collision(q_start, 0.0, clearance):
            way = self._planner.way_out(self._model, np.eye(4), q_start, 0.0)
            if way is None:
                pairs = self._model.named_contacts(q_start, 0.0, clearance)
                text = f"the start is in collision, and no way leads out: {pairs}"
                return PlanFailure(PlanCode.START_INVALID, text)
            out, q_start = way
        found = self._mover.pick(item, target, wanted.region, q_start, rng, budget)
        if isinstance(found, PlanFailure):
            return found
        phases, key_poses, note = found
        return (*out, *phases), key_poses, note
