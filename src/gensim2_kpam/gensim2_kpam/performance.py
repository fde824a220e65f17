"""What becomes of a task that the expert performs: codes, tries and kinds of failures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gensim2_tasks.failure import FailureKind
from gensim2_tasks.specs import TaskSpec

from .plan import PlanCode

FALLEN = math.pi / 4  # rad; an object that is tipped by more has been knocked over


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
    """The task cannot go on; or only this try at a part of it, where ``again`` says so.

    Args:
        code: What it is.
        text: Why.
        again: Whether another try may succeed: the robot is well, but has come off its path.
    """

    def __init__(self, code: ExpertCode, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.code, self.again = code, again


@dataclass(frozen=True)
class Observed:
    """What is seen of a scene between two motions.

    Attributes:
        done: Of every sub-task whether it is done now; None = nobody can tell.
        tilts: Angle by which objects have been tipped since the task began, rad.
    """

    done: tuple[bool | None, ...]
    tilts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SubtaskTry:
    """One try at a sub-task.

    Attributes:
        subtask: Its name.
        number: Of the tries at this sub-task, from 1.
        report: Of the planner.
        begin: When planning began, s of ROS time.
        end: When it was known what had become of it, s of ROS time.
        failure: None where the sub-task was done in the end.
        text: Why it has failed; empty where the goal was just not met.
    """

    subtask: str
    number: int
    report: Mapping[str, object]
    begin: float
    end: float
    failure: FailureKind | None = None
    text: str = ""

    def record(self, start: float) -> dict[str, object]:
        """The planner's report, labelled with what became of the plan.

        Args:
            start: What ``begin`` and ``end`` are counted from in the record, s of ROS time.
        """
        return {
            **self.report,
            "subtask": self.subtask,
            "try": self.number,
            "outcome": "done" if self.failure is None else "failed",
            "failure": "" if self.failure is None else str(self.failure),
            "text": self.text,
            # In whole ns, so that they do not depend on when the task began.
            "begin": round(self.begin - start, 9),
            "end": round(self.end - start, 9),
        }


@dataclass(frozen=True)
class Performance:
    """What became of a task. Times in s; ``actuated_at`` is None if it was not reached.

    ``tries`` are all of them, in order, failed ones too.
    """

    plan_time: float
    started_at: float
    ended_at: float
    actuated_at: float | None
    tries: tuple[SubtaskTry, ...] = ()
    code: ExpertCode = ExpertCode.NONE
    text: str = ""

    @property
    def reports(self) -> tuple[Mapping[str, object], ...]:
        """What the planner said to every try."""
        return tuple(t.report for t in self.tries)

    @property
    def records(self) -> list[dict[str, object]]:
        """The tries for the record."""
        return [t.record(self.started_at) for t in self.tries]

    @property
    def failure(self) -> FailureKind | None:
        """What went wrong last; None where nothing did."""
        last = self.tries[-1].failure if self.tries else None
        return last or failure_of_code(self.code)

    @property
    def retries(self) -> int:
        """Tries beyond the first one of each sub-task."""
        return sum(n - 1 for n in Counter(t.subtask for t in self.tries).values())


_OF_CODE = {
    ExpertCode.UNKNOWN_TASK: FailureKind.INTERNAL,
    ExpertCode.PLAN_FAILED: FailureKind.NO_PLAN,
    ExpertCode.GOAL_REJECTED: FailureKind.STOPPED,
    ExpertCode.EXECUTION_FAILED: FailureKind.STOPPED,
    ExpertCode.SENSOR_STALE: FailureKind.NO_NEWS,
    ExpertCode.TIMEOUT: FailureKind.TIMED_OUT,
    ExpertCode.CANCELED: FailureKind.CANCELED,
    ExpertCode.INTERNAL: FailureKind.INTERNAL,
}
_OF_PLAN = {
    PlanCode.NO_IK: FailureKind.UNREACHABLE,
    PlanCode.PATH_UNREACHABLE: FailureKind.UNREACHABLE,
    PlanCode.PATH_COLLISION: FailureKind.COLLISION,
    PlanCode.TRANSIT_FAILED: FailureKind.COLLISION,
    PlanCode.START_INVALID: FailureKind.COLLISION,
    PlanCode.TIMEOUT: FailureKind.TIMED_OUT,
    PlanCode.CANCELED: FailureKind.CANCELED,
    PlanCode.INTERNAL: FailureKind.INTERNAL,
}


def failure_of_code(code: ExpertCode) -> FailureKind | None:
    """The kind of failure behind a code of the expert, where nothing more is known."""
    return _OF_CODE.get(code)


def failure_of_plan(code: PlanCode) -> FailureKind:
    """The kind of failure behind a code of the planner."""
    return _OF_PLAN.get(code, FailureKind.NO_PLAN)


def failure_of_scene(
    task: TaskSpec, before: Observed, after: Observed, *, gripped: bool, hit: bool
) -> FailureKind:
    """The kind of failure of a try after which its sub-task is not done.

    Args:
        task: The task.
        before: What was seen before the try.
        after: What was seen after it.
        gripped: Whether it was to pick something, and the fingers have closed on something.
        hit: Whether its free motion came off its path, which something was in.
    """
    picks = [i for i, s in enumerate(task.subtasks) if s.skill == "pick"]
    held = {task.subtasks[i].object for i in picks if after.done[i]}
    for name, tilt in after.tilts.items():
        if tilt > FALLEN and before.tilts.get(name, 0.0) <= FALLEN and name not in held:
            return FailureKind.KNOCKED_OVER
    if any((before.done[i] or gripped) and after.done[i] is False for i in picks):
        return FailureKind.SLIPPED
    return FailureKind.COLLISION if hit else FailureKind.NOT_ACHIEVED
