"""The kPAM expert: performs a task by planning each sub-task and sending its phases to the body.

Free of transport: ``Performer`` is the body contract as the expert needs it, which the node
implements with actions and the batch runner with calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from gensim2_control.trajectory import Trajectory
from gensim2_tasks.specs import TaskSpec

from .plan import Phase, Plan, PlanFailure

APPROACH, ACTUATE, SETTLE = "approach", "actuate", "settle"
# rad; a free motion that is this far off has hit something it should not have.
FREE_PATH_TOLERANCE = 0.1
UNLIMITED = -1.0


class ExpertCode(IntEnum):
    """Outcome of a task; the values of gensim2_msgs/action/ExecuteTask."""

    NONE = 0
    UNKNOWN_TASK = 1
    PLAN_FAILED = 2
    GOAL_REJECTED = 3
    EXECUTION_FAILED = 4
    SENSOR_STALE = 5
    TIMEOUT = 6
    CANCELED = 7
    INTERNAL = 99


class ExpertError(RuntimeError):
    """The task cannot go on."""

    def __init__(self, code: ExpertCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class Performer(Protocol):
    """What the expert needs of the graph. Every method blocks until it is done.

    ``follow`` and ``grip`` raise ``ExpertError`` where the body refuses or aborts.
    """

    def now(self) -> float:
        """ROS time, s."""

    def plan(self, task: TaskSpec, subtask: int) -> Plan | PlanFailure:
        """Plans a sub-task on the present scene."""

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        """Moves the arm. Tolerances in rad; 0 = default, negative = unlimited."""

    def grip(self, position: float, effort: float) -> None:
        """Moves the fingers (m, N); stalling on an object is fine."""


@dataclass(frozen=True)
class Performance:
    """What became of a task. Times in s; ``actuated_at`` is None if it was not reached."""

    plan_time: float
    started_at: float
    ended_at: float
    actuated_at: float | None
    reports: tuple[Mapping[str, object], ...]
    code: ExpertCode = ExpertCode.NONE
    text: str = ""


def perform(
    task: TaskSpec,
    performer: Performer,
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> Performance:
    """Performs a task. Never raises ``ExpertError``: a failure is in the result.

    Args:
        task: What to do.
        performer: The graph.
        progress: Told the name of each stage and the share that is done.
    """
    started = performer.now()
    plan_time, actuated = 0.0, None
    reports: list[Mapping[str, object]] = []
    code, text = ExpertCode.NONE, ""
    try:
        for number in range(len(task.subtasks)):
            progress("plan", number / len(task.subtasks))
            outcome = performer.plan(task, number)
            plan_time += outcome.cpu_time
            reports.append(outcome.report)
            if isinstance(outcome, PlanFailure):
                raise ExpertError(
                    ExpertCode.PLAN_FAILED, f"{outcome.code.name.lower()}: {outcome.reason}"
                )
            for index, phase in enumerate(outcome.phases):
                share = (number + index / len(outcome.phases)) / len(task.subtasks)
                progress(phase.name, share)
                if phase.name == ACTUATE and actuated is None:
                    actuated = performer.now()
                _send(phase, performer)
    except ExpertError as error:
        code, text = error.code, str(error)
    return Performance(plan_time, started, performer.now(), actuated, tuple(reports), code, text)


def _send(phase: Phase, performer: Performer) -> None:
    if phase.gripper is not None:
        performer.grip(*phase.gripper)
    elif phase.trajectory is not None:
        if phase.name == APPROACH:
            performer.follow(phase.trajectory, FREE_PATH_TOLERANCE, 0.0)
        else:
            # In contact the arm lags behind its reference by design.
            performer.follow(phase.trajectory, UNLIMITED, UNLIMITED)
