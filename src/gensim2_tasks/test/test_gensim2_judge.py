"""The criteria of the public GenSim2, which comparisons are made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.gensim2_judge import (
    CLOSED,
    NEAR,
    OPEN,
    Criterion,
    Gensim2Monitor,
    criteria_of,
)
from gensim2_tasks.predicates import ObjectObservation
from gensim2_tasks.se3 import Array
from gensim2_tasks.specs import TaskSpec

FAR = np.array([[1.0, 1.0, 1.0]])
AT = {"a": np.array([0.5, 0.0, 0.1]), "b": np.array([0.5, 0.2, 0.9])}


def scene(openness: float) -> Mapping[str, ObjectObservation]:
    """Moves fast and lies on its side: neither matters to GenSim2."""
    return {name: ObjectObservation(openness, joint_velocity=9.0, tilt=1.5) for name in AT}


def met(criterion: Criterion, openness: float = 0.5, tool: Array = FAR) -> bool:
    return criterion.evaluate(scene(openness), AT.__getitem__, lambda: tool).satisfied


def test_a_joint_counts_at_a_fifth_of_its_way():
    """The thresholds are strict."""
    opened, closed = Criterion("x", "open", "a", OPEN), Criterion("x", "closed", "a", CLOSED)
    assert [met(opened, o) for o in (0.79, 0.8, 0.81)] == [False, False, True]
    assert [met(closed, o) for o in (0.19, 0.2, 0.21)] == [True, False, False]


@pytest.mark.parametrize("height", [-1.0, 0.1, 2.0])
def test_the_hand_is_near_in_x_and_y_whatever_its_height(height: float):
    """Any of its points will do."""
    criterion = Criterion("x", "gripper_near", "a", NEAR)
    near = np.vstack([FAR, [[0.5, 0.049, height]]])
    assert met(criterion, tool=near)
    assert not met(criterion, tool=near + np.array([0.0, 0.002, 0.0]))


def test_two_objects_are_near_in_x_and_y_whatever_their_heights():
    criterion = Criterion("x", "objects_near", "a", NEAR, "b")
    assert not met(criterion)
    assert met(Criterion("x", "objects_near", "a", 0.21, "b")), "0.2 m apart, 0.8 m in height"


def test_what_is_never_judged_is_always_met():
    assert met(Criterion("x", "never_judged", "a", 0.0))


def test_every_task_that_opens_or_closes_is_judged_by_its_joint():
    kinds = {name: [c.kind for c in criteria_of(load_task(name))] for name in task_names()}
    assert kinds["OpenBox"] == ["open"] and kinds["CloseSafe"] == ["closed"]
    assert kinds["SwayBagStrap"] == ["gripper_near"], "GenSim2 only asks where the hand is"
    assert not [name for name, found in kinds.items() if "never_judged" in found]
    (refrigerator,) = criteria_of(load_task("OpenRefrigeratorDoor"))
    assert refrigerator.threshold == 0.9


def monitor_of(task: TaskSpec, last: Array, tool: Array = FAR) -> Gensim2Monitor:
    """A monitor for objects with two keypoints, the first of them where the hand is."""
    return Gensim2Monitor(task, lambda _: {"first": tool[0], "last": last}, lambda: tool)


def test_one_moment_is_enough():
    """Ours would ask for rest, for half a second, and for it to stay."""
    monitor = monitor_of(load_task("OpenBox"), AT["a"])
    name = load_task("OpenBox").objects[0].name
    states = [
        monitor.update(t, {name: ObjectObservation(o, 5.0)})
        for t, o in enumerate((0.5, 0.7, 0.81, 0.1))
    ]
    assert states == [False, False, True, True]
    assert monitor.succeeded and monitor.holds and monitor.dwell == 0.0
    assert monitor.done == monitor.achieved == (True,)
    (evaluation,) = monitor.evaluations
    assert not evaluation.satisfied and evaluation.value == 0.1, "as it is now"


def test_the_last_keypoint_counts():
    task = load_task("SwayBagStrap")
    name = task.objects[0].name
    seen = {name: ObjectObservation(0.5, 0.0)}
    assert not monitor_of(task, AT["a"]).update(0.0, seen)
    assert monitor_of(task, AT["a"], AT["a"][None]).update(0.0, seen)


def test_subtasks_count_in_order():
    """What was met too early is not remembered: GenSim2 looks at the sub-task that is on."""
    document: dict[str, Any] = load_task("OpenBox").model_dump()
    (first,) = document["subtasks"]
    other = {**document["objects"][0], "name": "other"}
    task = TaskSpec.model_construct(
        name="Two",
        objects=(load_task("OpenBox").objects[0], other),
        subtasks=(load_task("OpenBox").subtasks[0], load_task("CloseBox").subtasks[0]),
        success=load_task("OpenBox").success,
    )
    monitor = monitor_of(task, AT["a"])
    name = first["object"]
    for openness, expected in ((0.5, (False, False)), (0.9, (True, False)), (0.9, (True, True))):
        monitor.update(0.0, {name: ObjectObservation(openness, 0.0)})
        assert monitor.achieved == expected
