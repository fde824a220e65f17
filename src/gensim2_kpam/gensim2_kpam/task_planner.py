"""Plans a sub-task of the catalogue: its solver configurations in order, the first that works.

Where none does, and the joint of the object has to go somewhere, whatever moves it may help.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gensim2_tasks.specs import TaskSpec
from numpy.typing import NDArray

from .part_skill import PartSkill, goal_openness
from .plan import Plan, PlanCode, PlanFailure, SceneObject
from .planner import Planner
from .skills import SkillPlanner
from .solver_config import SolverConfig, SolverConfigError, load_solver

Array = NDArray[np.float64]
# What the next solver cannot mend: the start, the scene, and the time that has been used up.
FINAL = (PlanCode.START_INVALID, PlanCode.TIMEOUT)
OFTEN = 2  # attempts
SEEDS = 2**64


class TaskPlanner:
    """Plans sub-tasks.

    Args:
        planner: Plans one manipulation.
        solver_root: Folder of solver configurations of the user's own, ``<name>.yaml``, such as
            those of the public GenSim2. It is searched before the shipped ones.

    Raises:
        SolverConfigError: ``solver_root`` is no folder.
    """

    def __init__(self, planner: Planner, solver_root: Path | None = None) -> None:
        if solver_root is not None and not solver_root.is_dir():
            raise SolverConfigError(f"solver_root {str(solver_root)!r}: no such folder")
        self.planner, self._solver_root = planner, solver_root
        self._skills = SkillPlanner(planner)
        self._parts = PartSkill(planner)

    def plan(
        self,
        task: TaskSpec,
        subtask: int,
        scene: SceneObject,
        q_start: Array,
        seed: int = 0,
        attempt: int = 0,
    ) -> Plan | PlanFailure:
        """Plans sub-task number ``subtask`` for its object.

        Args:
            task: The task.
            subtask: Index of the sub-task.
            scene: The object the sub-task acts on, and what else stands around.
            q_start: Present arm configuration (7,), rad.
            seed: Of the scene, from which the random samples are drawn.
            attempt: Plans for it before. Other samples are drawn for each, and what has been
                carried out twice without success is no longer tried first.
        """
        if not 0 <= subtask < len(task.subtasks):
            return PlanFailure(
                PlanCode.UNKNOWN_TASK,
                f"task {task.name} has {len(task.subtasks)} sub-tasks, there is no {subtask}",
            )
        wanted = task.subtasks[subtask]
        q, seed = np.asarray(q_start, float), (seed + attempt) % SEEDS
        if wanted.skill:
            return self._skills.plan(wanted, scene, q, seed)
        try:
            # All of them first: a wrong name shall not hide behind one that works.
            solvers = [load_solver(name, self._solver_root) for name in wanted.solvers]
        except SolverConfigError as error:
            text = f"task {task.name}, sub-task {wanted.name!r}: {error}"
            return PlanFailure(PlanCode.BAD_CONFIG, text)
        ways: list[SolverConfig | float] = [*solvers]
        goal = goal_openness(task.done_conditions[subtask], wanted.object)
        # What stands free does not go along a joint by itself.
        if goal is not None and not scene.asset.info.free_body:
            ways.insert(0 if attempt >= OFTEN else len(ways), goal)
        tried: list[PlanFailure] = []
        cpu_time, spent = 0.0, 0.0
        for way in ways:
            if isinstance(way, SolverConfig):
                limit = self.planner.config.cpu_limit - spent
                outcome = self.planner.plan(way, scene, q, seed=seed, cpu_limit=limit)
                spent += outcome.cpu_time
            elif tried and tried[-1].code is PlanCode.BAD_SCENE:
                break
            else:
                outcome = self._parts.plan(scene, way, q, seed)
            cpu_time += outcome.cpu_time
            if isinstance(outcome, Plan):
                report = {**outcome.report, "before": [dict(f.report) for f in tried]}
                return Plan(outcome.phases, outcome.key_poses, report, cpu_time)
            tried.append(outcome)
            if outcome.code in FINAL:
                break
        last = tried[-1]
        reason = "; ".join(f"{f.report.get('solver')}: {f.reason}" for f in tried)
        report = {"solvers": [dict(f.report) for f in tried]}
        return PlanFailure(last.code, reason, report, cpu_time)

    def solver_of(self, task: TaskSpec, subtask: int, plan: Plan) -> SolverConfig | None:
        """The solver configuration that a plan of this planner came from; None = none, but a skill.

        Raises:
            SolverConfigError: It is one of the user's own, and gone or invalid by now.
        """
        named = [load_solver(name, self._solver_root) for name in task.subtasks[subtask].solvers]
        name = plan.report["solver"]
        return next((solver for solver in named if solver.task_name == name), None)
