"""Tasks of several sub-tasks: what their files may say, and how they are judged."""

import copy

import pytest
import yaml
from asset_samples import UNTIMED
from gensim2_tasks.catalogue import TaskError, load_task, parse_task
from gensim2_tasks.monitor import SuccessMonitor, TaskMonitor
from gensim2_tasks.predicates import ObjectObservation
from hypothesis import example, given
from hypothesis import strategies as st

ABOVE, BELOW = (
    {"all": [{"kind": kind, "object": name}], "dwell": dwell}
    for kind, name, dwell in (("openness_above", "box", 0.1), ("openness_below", "box", 0.1))
)
PLACE = {"skill": "place", "target": "box", "region": "inside"}
LONG = {
    **load_task("OpenBox").model_dump(mode="json"),
    "objects": [
        {"name": "box", "category": "box_rotate", "placement": {"x": 0.6}},
        {"name": "fruit", "category": "bag_move", "placement": {"x": 0.4}},
    ],
    "subtasks": [
        {"name": "open", "object": "box", "solvers": ["OpenBox"], "done": ABOVE},
        {"name": "place", "object": "fruit", **PLACE, "needs": ["open"], "done": ABOVE},
        {"name": "close", "object": "box", "solvers": ["CloseBox"], "done": BELOW},
    ],
    "success": BELOW,
}
TASK = parse_task(yaml.safe_dump(LONG), "long.yaml")
OPEN, SHUT = ({"box": ObjectObservation(o, 0.0)} for o in (0.9, 0.1))


def document(number: int, **entries: object) -> str:
    made = copy.deepcopy(LONG)
    made["subtasks"][number].update(entries)
    return yaml.safe_dump(made)


@pytest.mark.parametrize(
    ("number", "entries", "message"),
    [
        (1, {"target": "bix"}, r"'place' refers to object 'bix'; known: \['box', 'fruit'\]"),
        (1, {"target": ""}, "skill 'place' needs a target and a region"),
        (1, {"region": ""}, "skill 'place' needs a target and a region"),
        (1, {"target": "fruit"}, "target: 'fruit' is the object itself"),
        (1, {"needs": ["close"]}, r"'place' needs 'close'.*earlier: \['open'\]"),
        (1, {"name": "open"}, "two sub-tasks share a name"),
        (1, {"name": ""}, "subtasks.1.name: .*at least 1"),
        (1, {"done": None}, "sub-task 'place': done is missing"),
        (1, {"skill": ""}, "exactly one of solvers and skill"),
        (0, {"skill": "pick", **{k: v for k, v in PLACE.items() if k != "skill"}}, "exactly one"),
        (0, {"done": {"all": [{"kind": "settled", "object": "lid"}]}}, "refers to object 'lid'"),
    ],
)
def test_a_subtask_that_makes_no_sense_is_refused_by_name(number, entries, message):
    with pytest.raises(TaskError, match=message):
        parse_task(document(number, **entries), "long.yaml")


def test_needs_are_told_as_numbers_and_a_single_subtask_is_done_by_the_success_of_its_task():
    assert [TASK.needs(n) for n in range(3)] == [(), (0,), ()]
    single = load_task("OpenBox")
    assert single.done_conditions == (single.success,)


@UNTIMED
@given(st.lists(st.booleans(), max_size=40))
@example([True] * 3 + [False] * 3)
@example([False] * 9)
def test_a_task_succeeds_only_where_its_subtasks_have_been_achieved_in_order(opened):
    """At the start the box is shut, as it has to be in the end: doing nothing is no success."""
    monitor, success = TaskMonitor(TASK), SuccessMonitor(TASK.success)
    was_open = False
    for step, is_open in enumerate(opened):
        scene = OPEN if is_open else SHUT
        monitor.update(0.05 * step, scene)
        success.update(0.05 * step, scene)
        was_open = was_open or opened[max(step - 2, 0) : step + 1] == [True] * 3
        assert monitor.achieved[:2] == (was_open, was_open)
        assert monitor.done == (opened[max(step - 2, 0) : step + 1] == [True] * 3,) * 2 + (
            success.succeeded,
        )
        assert monitor.succeeded == (was_open and success.succeeded)
        assert (monitor.holds, monitor.dwell) == (success.holds, success.dwell)
        assert monitor.evaluations == success.evaluations


def test_what_has_been_achieved_stays_so_when_it_is_undone_and_is_told_apart():
    monitor = TaskMonitor(TASK)
    for step in range(4):
        monitor.update(0.05 * step, OPEN)
    monitor.update(0.2, SHUT)
    assert (monitor.done, monitor.achieved) == ((False,) * 3, (True, True, False))
    assert [s.name for s in monitor.subtasks] == ["open", "place", "close"]
    assert not monitor.subtasks[0].evaluations[0].satisfied
