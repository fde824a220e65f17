"""Follows what tasks ask for over time: the success of a task, and of each of its sub-tasks."""

from __future__ import annotations

from collections.abc import Mapping

from .predicates import Evaluation, ObjectObservation, Predicate, SuccessCondition
from .specs import TaskSpec

Known = dict[Predicate, Evaluation] | None


class SuccessMonitor:
    """Follows a success condition over time.

    Args:
        condition: What to follow.
    """

    def __init__(self, condition: SuccessCondition) -> None:
        self.condition = condition
        self._since: float | None = None
        self.holds = False
        self.evaluations: tuple[Evaluation, ...] = ()
        self.dwell = 0.0

    def update(self, t: float, scene: Mapping[str, ObjectObservation], known: Known = None) -> bool:
        """Takes the scene at time ``t`` (s); returns whether the task has succeeded.

        Success means that the condition has held for the dwell time and still holds. ``known`` is
        what others have evaluated of this scene.
        """
        self.holds, self.evaluations = self.condition.evaluate(scene, known)
        if not self.holds:
            self._since, self.dwell = None, 0.0
            return False
        if self._since is None:
            self._since = t
        self.dwell = t - self._since
        return self.succeeded

    @property
    def succeeded(self) -> bool:
        """Whether the condition has held long enough. A hair is allowed for rounding of times."""
        return self.holds and self.dwell >= self.condition.dwell - 1e-9


class SubtaskMonitor:
    """Follows one sub-task.

    Attributes:
        name: Of the sub-task.
        done: Whether it is done now: its condition has held for its dwell time and still holds.
        achieved: Whether it has been done once since everything before it had been.
    """

    def __init__(self, name: str, monitor: SuccessMonitor) -> None:
        self.name, self._monitor = name, monitor
        self.achieved = False

    def update(
        self, t: float, scene: Mapping[str, ObjectObservation], may: bool, known: Known = None
    ) -> bool:
        """Takes the scene at time ``t`` (s); ``may`` says whether all before have been achieved.

        Returns whether this one has been achieved.
        """
        done = self._monitor.update(t, scene, known)
        self.achieved = self.achieved or (may and done)
        return self.achieved

    @property
    def done(self) -> bool:
        """See the class."""
        return self._monitor.succeeded

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The predicates of its condition, as measured last."""
        return self._monitor.evaluations


class TaskMonitor:
    """Follows a task.

    It has succeeded where its success condition has held for the dwell time and still does, and
    every sub-task has been achieved, in order.

    Args:
        task: What to follow.
    """

    def __init__(self, task: TaskSpec) -> None:
        self.success = SuccessMonitor(task.success)
        self.subtasks = tuple(
            SubtaskMonitor(s.name, SuccessMonitor(c))
            for s, c in zip(task.subtasks, task.done_conditions, strict=True)
        )

    def update(self, t: float, scene: Mapping[str, ObjectObservation]) -> bool:
        """Takes the scene at time ``t`` (s); returns whether the task has succeeded."""
        known: dict[Predicate, Evaluation] = {}
        self.success.update(t, scene, known)
        achieved = True
        for subtask in self.subtasks:
            achieved = subtask.update(t, scene, achieved, known)
        return self.succeeded

    @property
    def done(self) -> tuple[bool, ...]:
        """Of every sub-task whether it is done now."""
        return tuple(s.done for s in self.subtasks)

    @property
    def achieved(self) -> tuple[bool, ...]:
        """Of every sub-task whether it has been achieved."""
        return tuple(s.achieved for s in self.subtasks)

    @property
    def holds(self) -> bool:
        """Whether the success condition holds at this moment."""
        return self.success.holds

    @property
    def dwell(self) -> float:
        """For how long the success condition has held without a break, s."""
        return self.success.dwell

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The predicates of the success condition, as measured last."""
        return self.success.evaluations

    @property
    def succeeded(self) -> bool:
        """Whether the task has succeeded and still does."""
        return self.success.succeeded and all(self.achieved)
