"""Plans a sub-task of the catalogue: its solver configurations in order, the first that works."""

from __future__ import annotations

import numpy as np
from gensim2_tasks.specs import TaskSpec
from numpy.typing import NDArray

from .plan import Plan, PlanCode, PlanFailure, SceneObject
from .planner import Planner
from .solver_config import SolverConfigError, load_solver

Array = NDArray[np.float64]


class TaskPlanner:
    """Plans sub-tasks.

    Args:
        planner: Plans one manipulation.
    """

    def __init__(self, planner: Planner) -> None:
        self.planner = planner

    def plan(
        self, task: TaskSpec, subtask: int, scene: SceneObject, q_start: Array, seed: int = 0
    ) -> Plan | PlanFailure:
        """Plans sub-task number ``subtask`` for its object.

        Args:
            task: The task.
            subtask: Index of the sub-task.
            scene: The object the sub-task acts on.
            q_start: Present arm configuration (7,), rad.
            seed: Of the random samples of free motions.
        """
        if not 0 <= subtask < len(task.subtasks):
            return PlanFailure(
                PlanCode.UNKNOWN_TASK,
                f"task {task.name} has {len(task.subtasks)} sub-tasks, there is no {subtask}",
            )
        tried: list[PlanFailure] = []
        cpu_time = 0.0
        for name in task.subtasks[subtask].solvers:
            try:
                solver = load_solver(name)
            except SolverConfigError as error:
                return PlanFailure(PlanCode.BAD_CONFIG, str(error))
            outcome = self.planner.plan(solver, scene, q_start, seed=seed)
            cpu_time += outcome.cpu_time
            if isinstance(outcome, Plan):
                report = {**outcome.report, "before": [dict(f.report) for f in tried]}
                return Plan(outcome.phases, outcome.key_poses, report, cpu_time)
            tried.append(outcome)
            if outcome.code in (PlanCode.START_INVALID, PlanCode.BAD_SCENE):
                break
        last = tried[-1]
        reason = "; ".join(f"{f.report.get('solver')}: {f.reason}" for f in tried)
        report = {"solvers": [dict(f.report) for f in tried]}
        return PlanFailure(last.code, reason, report, cpu_time)
