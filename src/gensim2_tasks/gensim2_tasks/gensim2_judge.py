"""The success criteria of the public GenSim2, for comparison only.

It knows five: a joint is open or closed to within a fifth of its way, or the hand and an object, or
two objects, are less than 5 cm apart in x and y. Height, grasp, rest and what stays do not count: a
criterion is met where it has held for one moment while its sub-task was on. Grasping and letting go
are never judged. The `SuccessMonitor` of this project asks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .predicates import Evaluation, ObjectObservation, OpennessAbove, OpennessBelow
from .se3 import Array
from .specs import SubTask, TaskSpec

PREDICATES, GENSIM2 = "predicates", "gensim2"
JUDGES = (PREDICATES, GENSIM2)
"""Who says what a success is: the predicates of the task file, or the criteria here."""

OPEN, CLOSED = 0.8, 0.2
NEAR = 0.05  # m, in x and y
# Three points of the stock hand in its own frame, m: between the tips, between the roots of the
# fingers, and one finger.
TOOL_POINTS = np.array([[0.0, 0.0, 0.105], [0.0, 0.0, 0.075], [0.0, 0.053, 0.105]])
Kind = Literal["open", "closed", "gripper_near", "objects_near", "never_judged"]
# Where GenSim2 asks for something else than what the sub-task does.
_OPEN_FURTHER = {"OpenRefrigeratorDoor": 0.9}
_HAND_DECIDES = {"SwayBagStrap", "StashCupInBox", "DepositMarkerIntoBucket"}


@dataclass(frozen=True)
class Criterion:
    """What GenSim2 asks of one sub-task.

    Attributes:
        subtask: Its name.
        kind: Which of the criteria.
        object: Whose joint or whose last keypoint.
        threshold: Openness, or m.
        other: The second object of `objects_near`.
    """

    subtask: str
    kind: Kind
    object: str
    threshold: float
    other: str = ""

    def evaluate(
        self,
        scene: Mapping[str, ObjectObservation],
        last_keypoint: Callable[[str], Array],
        tool: Callable[[], Array],
    ) -> Evaluation:
        """Measures it.

        Args:
            scene: What is known of every object.
            last_keypoint: Gives the last keypoint (3,) of an object, m in base.
            tool: Gives points (N, 3) of the hand, m in base.
        """
        name = f"gensim2_{self.kind}({', '.join(filter(None, (self.object, self.other)))})"
        if self.kind == "never_judged":
            return Evaluation(name, True, 0.0, self.threshold)
        if self.kind in ("open", "closed"):
            value = scene[self.object].openness
            met = value > self.threshold if self.kind == "open" else value < self.threshold
            return Evaluation(name, met, value, self.threshold)
        others = tool() if self.kind == "gripper_near" else last_keypoint(self.other)[None]
        away = others[:, :2] - last_keypoint(self.object)[:2]
        distance = float(np.linalg.norm(away, axis=1).min())
        return Evaluation(name, distance < self.threshold, distance, self.threshold)


def criteria_of(task: TaskSpec) -> tuple[Criterion, ...]:
    """What GenSim2 asks of every sub-task of a task, in order."""
    return tuple(_criterion(task, subtask) for subtask in task.subtasks)


def _criterion(task: TaskSpec, subtask: SubTask) -> Criterion:
    fields = subtask.model_dump()
    skill, target = fields.get("skill"), fields.get("target", "")
    name, thing = subtask.name, subtask.object
    if skill == "pick":
        return Criterion(name, "gripper_near", thing, NEAR)
    if skill == "place":
        if task.name in _HAND_DECIDES:
            return Criterion(name, "gripper_near", target, NEAR)
        return Criterion(name, "objects_near", thing, NEAR, target)
    if task.name in _HAND_DECIDES and len(task.subtasks) == 1:
        return Criterion(name, "gripper_near", thing, NEAR)
    condition = getattr(subtask, "done", None) or task.success
    for predicate in condition.predicates:
        if predicate.object == thing and isinstance(predicate, OpennessAbove):
            return Criterion(name, "open", thing, _OPEN_FURTHER.get(task.name, OPEN))
        if predicate.object == thing and isinstance(predicate, OpennessBelow):
            return Criterion(name, "closed", thing, CLOSED)
    return Criterion(name, "never_judged", thing, 0.0)


class SubtaskProgress:
    """What has become of one sub-task."""

    def __init__(self, criterion: Criterion) -> None:
        self.criterion = criterion
        self.name = criterion.subtask
        self.evaluations: tuple[Evaluation, ...] = ()
        self.achieved = False

    @property
    def done(self) -> bool:
        """Whether it counts as done: once met is enough."""
        return self.achieved


class Gensim2Monitor:
    """Follows the criteria of GenSim2 over time, in the place of the predicates of the task.

    Args:
        task: What to follow.
        keypoints: Gives the keypoints (3,) of an object, m in base, in the order of its file.
        tool: Gives points (N, 3) of the hand, m in base; see `TOOL_POINTS`.
    """

    dwell = 0.0
    """Nothing has to last."""

    def __init__(
        self,
        task: TaskSpec,
        keypoints: Callable[[str], Mapping[str, Array]],
        tool: Callable[[], Array],
    ) -> None:
        self._keypoints, self._tool = keypoints, tool
        self.subtasks: Sequence[SubtaskProgress] = tuple(map(SubtaskProgress, criteria_of(task)))

    def update(self, t: float, scene: Mapping[str, ObjectObservation]) -> bool:
        """Takes the scene at time `t` (s); returns whether the task has succeeded at any time."""
        current = next((s for s in self.subtasks if not s.achieved), None)
        for subtask in self.subtasks:
            evaluation = subtask.criterion.evaluate(scene, self._last_keypoint, self._tool)
            subtask.evaluations = (evaluation,)
            if subtask is current:
                subtask.achieved = evaluation.satisfied
        return self.succeeded

    def _last_keypoint(self, name: str) -> Array:
        return list(self._keypoints(name).values())[-1]

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Every criterion, as measured last."""
        return tuple(e for s in self.subtasks for e in s.evaluations)

    @property
    def done(self) -> tuple[bool, ...]:
        """Of every sub-task whether it counts as done."""
        return tuple(s.done for s in self.subtasks)

    @property
    def achieved(self) -> tuple[bool, ...]:
        """The same: nothing is asked of it afterwards."""
        return self.done

    @property
    def holds(self) -> bool:
        """The same as `succeeded`."""
        return self.succeeded

    @property
    def succeeded(self) -> bool:
        """Whether every criterion has been met, in order."""
        return all(s.achieved for s in self.subtasks)
