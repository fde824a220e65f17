"""The expert: every failure ends the task with its code, and nothing is sent after it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.expert import (
    FREE_PATH_TOLERANCE,
    UNLIMITED,
    ExpertCode,
    ExpertError,
    Performance,
    perform,
)
from gensim2_kpam.plan import Phase, Plan, PlanCode, PlanFailure
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.specs import TaskSpec
from kpam_scenes import HOME

TASK = load_task("OpenBox")
TWICE = TASK.model_copy(update={"subtasks": TASK.subtasks * 2})


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


class Cell:
    """A body in which motions take their time; a script says what goes wrong, and when."""

    def __init__(self, **script: ExpertError) -> None:
        self.t = 100.0
        self.script = script
        self.outcome: Callable[[int], Plan | PlanFailure] = lambda subtask: PLAN
        self.sent: list[tuple[str, float]] = []
        self.tolerances: list[tuple[float, float]] = []

    def now(self) -> float:
        return self.t

    def plan(self, task: TaskSpec, subtask: int) -> Plan | PlanFailure:
        self._may_fail("plan")
        return self.outcome(subtask)

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        self._may_fail({2.0: "approach", 3.0: "actuate", 1.0: "settle"}[trajectory.duration])
        self.sent.append(("arm", trajectory.duration))
        self.tolerances.append((path_tolerance, goal_tolerance))
        self.t += trajectory.duration

    def grip(self, position: float, effort: float) -> None:
        self._may_fail("grip")
        self.sent.append(("gripper", position))
        self.t += 0.5

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
    cell = Cell()
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
    cell = Cell()
    failure = PlanFailure(PlanCode.TRANSIT_FAILED, "no way")
    cell.outcome = lambda subtask: failure if subtask else PLAN
    performance = perform(TWICE, cell)
    expect(performance, ExpertCode.PLAN_FAILED, "transit_failed: no way")
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


def test_codes_are_those_of_the_messages() -> None:
    action = pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
    for codes, result in (
        (ExpertCode, action.ExecuteTask.Result),
        (PlanCode, action.PlanTask.Result),
    ):
        for code in codes:
            assert getattr(result, code.name) == code
