"""The expert: what is sent when, what is tried again, and what ends the task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.expert import (
    FREE_PATH_TOLERANCE,
    PATIENCE,
    RETRIES,
    UNLIMITED,
    WAIT,
    perform,
)
from gensim2_kpam.performance import ExpertCode, ExpertError, Observed, Performance
from gensim2_kpam.plan import Phase, Plan, PlanCode, PlanFailure
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.failure import FailureKind
from gensim2_tasks.specs import SubTask, TaskSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from kpam_scenes import HOME

TASK = load_task("OpenBox")


def chain(*needs: tuple[str, ...], picks: tuple[int, ...] = ()) -> TaskSpec:
    """A task of sub-tasks named a, b, ..., of which each needs earlier ones."""
    made = []
    for number, needed in enumerate(needs):
        skill = {"skill": "pick", "target": "lid", "region": "on_top"} if number in picks else {}
        solvers = () if skill else ("OpenBox",)
        made.append(
            SubTask(name="abcd"[number], object="box", solvers=solvers, needs=needed, **skill)
        )
    return TASK.model_copy(update={"subtasks": tuple(made)})


TWICE = chain((), ())


def hold(duration: float) -> Trajectory:
    return Trajectory(np.array([0.0, duration]), np.vstack([HOME, HOME]))


PLAN = Plan(
    phases=(
        Phase("gripper", gripper=(0.0, 20.0)),
        Phase("approach", hold(2.0)),
        Phase("actuate", hold(3.0)),
        Phase("settle", hold(1.0)),
    ),
    key_poses=(),
    report={"solver": "x"},
    cpu_time=0.25,
)
DURATIONS = {2.0: "approach", 3.0: "actuate", 1.0: "settle", WAIT: "wait"}
Done = tuple[bool | None, ...]


class Cell:
    """A body in which motions take their time; a script says what goes wrong, and when.

    Attributes:
        effect: What is seen after a try at a sub-task, given what was seen before.
    """

    def __init__(self, count: int = 1, **script: ExpertError) -> None:
        self.t = 100.0
        self.script = script
        self.outcome: Callable[[int], Plan | PlanFailure] = lambda subtask: PLAN
        self.effect: Callable[[int, Done], Done] = lambda subtask, done: tuple(
            d or i == subtask for i, d in enumerate(done)
        )
        self.done: Done = (False,) * count
        self.tilts: dict[str, float] = {}
        self.stops_at_something = False
        self.planned: list[tuple[int, int]] = []
        self.sent: list[tuple[str, float]] = []
        self.tolerances: list[tuple[float, float]] = []

    def now(self) -> float:
        return self.t

    def plan(self, task: TaskSpec, subtask: int, attempt: int) -> Plan | PlanFailure:
        self.planned.append((subtask, attempt))
        self._may_fail("plan")
        return self.outcome(subtask)

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        what = DURATIONS[trajectory.duration]
        self._may_fail(what)
        if what == "actuate":
            self.done = self.effect(self.planned[-1][0], self.done)
        self.sent.append(("arm", trajectory.duration))
        self.tolerances.append((path_tolerance, goal_tolerance))
        self.t += trajectory.duration

    def grip(self, position: float, effort: float) -> bool:
        self._may_fail("grip")
        self.sent.append(("gripper", position))
        self.t += 0.5
        return self.stops_at_something

    def observe(self, task: TaskSpec) -> Observed:
        return Observed(self.done, dict(self.tilts))

    def _may_fail(self, what: str) -> None:
        if what in self.script:
            self.t += 0.1
            raise self.script[what]


def test_a_task_is_done_in_order_and_timed() -> None:
    cell = Cell()
    performance = perform(TASK, cell)
    assert performance.code is ExpertCode.NONE
    assert cell.sent == [("gripper", 0.0), ("arm", 2.0), ("arm", 3.0), ("arm", 1.0)]
    assert performance.started_at == 100.0
    assert performance.actuated_at == pytest.approx(102.5)
    assert performance.ended_at == pytest.approx(106.5)
    assert performance.plan_time == 0.25
    assert performance.reports == ({"solver": "x"},)


def test_only_the_free_motion_must_stay_on_its_path() -> None:
    """In contact the arm lags behind; a free motion that does has hit something."""
    cell = Cell()
    perform(TASK, cell)
    approach, actuate, settle = cell.tolerances
    assert approach == (FREE_PATH_TOLERANCE, 0.0)
    assert actuate == settle == (UNLIMITED, UNLIMITED)


def test_sub_tasks_follow_each_other() -> None:
    cell = Cell(2)
    shares: list[float] = []
    performance = perform(TWICE, cell, lambda stage, share: shares.append(share))
    assert len(cell.sent) == 8
    assert performance.plan_time == 0.5
    assert len(performance.reports) == 2
    # The first actuation is the end of the approach.
    assert performance.actuated_at == pytest.approx(102.5)
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert 0.5 <= shares[-1] < 1.0


def expect(performance: Performance, code: ExpertCode, text: str) -> None:
    assert performance.code is code
    assert text in performance.text


def test_a_failed_plan_moves_nothing() -> None:
    cell = Cell()
    failure = PlanFailure(PlanCode.NO_IK, "too far", {"solver": "y"}, 0.75)
    cell.outcome = lambda subtask: failure
    performance = perform(TASK, cell)
    expect(performance, ExpertCode.PLAN_FAILED, "no_ik: too far")
    assert cell.sent == []
    assert performance.actuated_at is None
    assert performance.plan_time == 0.75
    assert performance.reports == ({"solver": "y"},)


def test_a_failed_second_plan_leaves_the_first_report() -> None:
    cell = Cell(2)
    failure = PlanFailure(PlanCode.NO_IK, "no way")
    cell.outcome = lambda subtask: failure if subtask else PLAN
    performance = perform(TWICE, cell)
    expect(performance, ExpertCode.PLAN_FAILED, "no_ik: no way")
    assert len(cell.sent) == 4
    assert performance.actuated_at is not None


@pytest.mark.parametrize("code", [c for c in ExpertCode if c is not ExpertCode.NONE])
@pytest.mark.parametrize(
    ("where", "sent", "actuated"),
    [
        ("plan", 0, None),
        ("grip", 0, None),
        ("approach", 1, None),
        ("actuate", 2, 102.5),
        ("settle", 3, 102.5),
    ],
)
def test_a_failure_ends_the_task_where_it_happens(
    code: ExpertCode, where: str, sent: int, actuated: float | None
) -> None:
    cell = Cell(**{where: ExpertError(code, "because")})
    performance = perform(TASK, cell)
    expect(performance, code, "because")
    assert len(cell.sent) == sent
    assert performance.actuated_at == actuated
    assert performance.ended_at == pytest.approx(cell.t)
    assert performance.started_at == 100.0


def tries(performance: Performance) -> list[tuple[str, int, str]]:
    return [(t.subtask, t.number, str(t.failure or "done")) for t in performance.tries]


def test_what_is_not_done_is_waited_for_and_then_planned_anew() -> None:
    cell = Cell()
    left = [2]

    def third_time(subtask: int, done: Done) -> Done:
        left[0] -= 1
        return (left[0] < 0,)

    cell.effect = third_time
    performance = perform(TASK, cell)
    assert performance.code is ExpertCode.NONE and performance.failure is None
    assert tries(performance) == [
        ("open", 1, "not_achieved"), ("open", 2, "not_achieved"), ("open", 3, "done")
    ]  # fmt: skip
    assert cell.planned == [(0, 0), (0, 1), (0, 2)], "with other random samples each time"
    waits = [what for what in cell.sent if what == ("arm", WAIT)]
    assert len(waits) == 2 * PATIENCE / WAIT
    assert performance.retries == 2 and performance.plan_time == 0.75
    # The first actuation counts; the record says when each try was.
    assert performance.actuated_at == pytest.approx(102.5)
    begins, ends = zip(*[(t.begin, t.end) for t in performance.tries], strict=True)
    assert begins == (100.0, *ends[:-1]) and ends[-1] == performance.ended_at
    first = performance.records[0]
    assert (first["solver"], first["subtask"], first["try"]) == ("x", "open", 1)
    assert (first["outcome"], first["failure"], first["begin"]) == ("failed", "not_achieved", 0.0)
    assert first["end"] == pytest.approx(6.5 + PATIENCE)


def test_what_comes_to_rest_late_is_no_failure() -> None:
    cell = Cell()
    cell.effect = lambda subtask, done: (False,)
    follow = cell.follow

    def late(trajectory: Trajectory, path: float, goal: float) -> None:
        follow(trajectory, path, goal)
        if trajectory.duration == WAIT:
            cell.done = (True,)

    cell.follow = late  # type: ignore[method-assign]
    assert tries(perform(TASK, cell)) == [("open", 1, "done")]
    assert cell.sent[-1] == ("arm", WAIT) and cell.tolerances[-1] == (UNLIMITED, UNLIMITED)


def test_the_judge_has_the_last_word_where_every_try_was_in_vain() -> None:
    cell = Cell(2)
    cell.effect = lambda subtask, done: done
    performance = perform(TWICE, cell)
    assert performance.code is ExpertCode.NONE
    assert performance.failure is FailureKind.NOT_ACHIEVED
    assert [t.subtask for t in performance.tries] == ["a"] * (1 + RETRIES), "no b after a failed a"
    assert len(perform(TASK, Cell(), retries=0).tries) == 1


def test_what_does_not_hold_any_more_is_done_again_first_back_to_the_root() -> None:
    """a (open), b (pick), c (place) needs both; b needs a. The lid falls while c is tried."""
    task = chain((), ("a",), ("a", "b"))
    cell = Cell(3)
    falls = [True]

    def effect(subtask: int, done: Done) -> Done:
        if subtask == 2 and falls.pop() if falls else False:
            return (False, False, False)
        return tuple(d or i == subtask for i, d in enumerate(done))

    cell.effect = effect
    performance = perform(task, cell)
    assert [(t.subtask, t.number) for t in performance.tries] == [
        ("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("c", 2)
    ]  # fmt: skip
    assert performance.failure is None and performance.retries == 3


def test_what_is_done_already_is_left_alone() -> None:
    cell = Cell(2)
    cell.effect = lambda subtask, done: (True, True)
    assert [t.subtask for t in perform(TWICE, cell).tries] == ["a"]


def test_where_nobody_can_tell_carrying_out_must_do_and_a_pick_has_to_hold_something() -> None:
    cell = Cell(2)
    cell.done = (None, None)
    cell.effect = lambda subtask, done: done
    assert tries(perform(TWICE, cell)) == [("a", 1, "done"), ("b", 1, "done")]
    pick = chain((), picks=(0,))
    cell = Cell()
    cell.effect = lambda subtask, done: (None,)
    assert tries(perform(pick, cell)) == [("a", n, "not_achieved") for n in (1, 2, 3)]
    cell = Cell()
    cell.effect, cell.stops_at_something = (lambda subtask, done: (None,)), True
    assert tries(perform(pick, cell)) == [("a", 1, "done")]


def test_a_hit_is_tried_again_where_the_scene_is_seen() -> None:
    hit = ExpertError(ExpertCode.EXECUTION_FAILED, "off its path", again=True)
    cell = Cell(approach=hit)
    performance = perform(TASK, cell)
    expect(performance, ExpertCode.EXECUTION_FAILED, "off its path")
    assert tries(performance) == [("open", n, "collision") for n in (1, 2, 3)]
    assert performance.failure is FailureKind.COLLISION
    blind = Cell(approach=hit)
    blind.done = (None,)
    assert tries(perform(TASK, blind)) == [("open", 1, "collision")]


@pytest.mark.parametrize("code", list(PlanCode))
def test_only_a_plan_that_chance_may_mend_is_asked_for_again(code: PlanCode) -> None:
    cell = Cell()
    cell.outcome = lambda subtask: PlanFailure(code, "why")
    performance = perform(TASK, cell)
    assert performance.code is ExpertCode.PLAN_FAILED and cell.sent == []
    by_chance = code in (PlanCode.TRANSIT_FAILED, PlanCode.RETIMING_FAILED)
    assert len(performance.tries) == (1 + RETRIES if by_chance else 1)
    assert performance.failure is not None


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        ({"box": 0.9}, "knocked_over"),
        ({"box": 0.5}, "not_achieved"),
        ({"box": float("nan")}, "not_achieved"),
    ],
)
def test_an_object_that_lies_down_has_been_knocked_over(seen: dict[str, float], kind: str) -> None:
    cell = Cell()

    def effect(subtask: int, done: Done) -> Done:
        cell.tilts = seen
        return done

    cell.effect = effect
    assert tries(perform(TASK, cell))[0] == ("open", 1, kind)


def test_what_was_held_and_is_not_where_it_should_go_has_slipped() -> None:
    task = chain((), ("a",), picks=(0,))
    cell = Cell(2)
    cell.effect = lambda subtask, done: (True, False) if subtask == 0 else (False, False)
    performance = perform(task, cell)
    assert tries(performance)[:4] == [
        ("a", 1, "done"), ("b", 1, "slipped"), ("a", 2, "done"), ("b", 2, "slipped")
    ]  # fmt: skip
    # One that is lost while it is lifted was held as well; one that was missed was not.
    for gripped, kind in ((True, "slipped"), (False, "not_achieved")):
        cell = Cell(2)
        cell.effect, cell.stops_at_something = (lambda subtask, done: done), gripped
        assert tries(perform(task, cell))[0] == ("a", 1, kind)
    # And a handle that was grasped is nothing that has been picked.
    cell = Cell(2)
    cell.effect, cell.stops_at_something = (lambda subtask, done: done), True
    assert tries(perform(chain((), ("a",), picks=(1,)), cell))[0] == ("a", 1, "not_achieved")


troubles = st.sampled_from(
    [None, *(ExpertError(c, "x", again=a) for c in ExpertCode for a in (False, True))]
)


@settings(deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 4), st.integers(0, 3))
def test_tries_are_bounded_whatever_happens(data: st.DataObject, count: int, retries: int) -> None:
    """And all of them are in the record, and nothing moves after the end."""
    names = "abcd"
    needs = [
        tuple(data.draw(st.sets(st.sampled_from(names[:n])))) if n else () for n in range(count)
    ]
    task = chain(*needs, picks=tuple(data.draw(st.sets(st.integers(0, count - 1)))))
    cell = Cell(count)
    seen = st.tuples(*[st.sampled_from([True, False, False, None])] * count)
    ever: set[str] = set()

    def effect(subtask: int, done: Done) -> Done:
        found: Done = data.draw(seen)
        ever.update(name for name, d in zip(names, found, strict=False) if d)
        return found

    cell.effect = effect

    def outcome(subtask: int) -> Plan | PlanFailure:
        cell.script = {}
        trouble = data.draw(troubles)
        if trouble is not None:
            cell.script = {data.draw(st.sampled_from(["grip", "approach", "settle"])): trouble}
        return data.draw(
            st.sampled_from([PLAN, PLAN, PLAN, PlanFailure(PlanCode.TRANSIT_FAILED, "no")])
        )

    cell.outcome = outcome
    performance = perform(task, cell, retries=retries)
    assert len(cell.planned) == len(performance.tries) <= count * (retries + 1)
    assert len({*cell.planned}) == len(cell.planned)
    assert all(attempt <= retries for _, attempt in cell.planned)
    # Nothing is tried before what it needs has been done, or seen to be.
    for one in performance.tries:
        assert {*task.subtasks[names.index(one.subtask)].needs} <= ever
        if one.failure is None:
            ever.add(one.subtask)
    if performance.failure is None:
        assert performance.code is ExpertCode.NONE


def test_codes_are_those_of_the_messages() -> None:
    action = pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
    messages = pytest.importorskip("gensim2_msgs.msg", reason="needs the built workspace")
    for kind in FailureKind:
        assert getattr(messages.EpisodeSummary, kind.name) == kind.value
    for codes, result in (
        (ExpertCode, action.ExecuteTask.Result),
        (PlanCode, action.PlanTask.Result),
    ):
        for code in codes:
            assert getattr(result, code.name) == code
