"""Sub-tasks: their solvers in order, the user's own among them, and the time they may take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gensim2_kpam.plan import Plan, PlanCode, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.planner_config import PlannerConfig
from gensim2_kpam.solver_config import SolverConfigError, parse_solver
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from kpam_scenes import HOME, draw, expect, moved
from public_solvers import SOLVERS


@pytest.fixture(scope="module")
def box(library: AssetLibrary) -> SceneObject:
    return draw("OpenBox", library, 1)


def test_bad_and_unknown_solvers_and_sub_tasks(planner: Planner, box: SceneObject) -> None:
    task = load_task("OpenBox")
    tasks = TaskPlanner(planner)
    subtask = task.subtasks[0].model_copy(update={"solvers": ("OpenBocks",)})
    outcome = tasks.plan(task.model_copy(update={"subtasks": (subtask,)}), 0, box, HOME)
    text = "task OpenBox, sub-task 'open': unknown solver 'OpenBocks'; known: "
    expect(outcome, PlanCode.BAD_CONFIG, text)
    # Behind one that works, too.
    subtask = task.subtasks[0].model_copy(update={"solvers": ("OpenBox", "OpenBocks")})
    outcome = tasks.plan(task.model_copy(update={"subtasks": (subtask,)}), 0, box, HOME)
    expect(outcome, PlanCode.BAD_CONFIG, text)
    for number in (1, -1):
        expect(tasks.plan(task, number, box, HOME), PlanCode.UNKNOWN_TASK, "has 1 sub-tasks")


def test_the_next_solver_is_tried_and_every_failure_reported(
    planner: Planner, library: AssetLibrary, box: SceneObject
) -> None:
    task = load_task("OpenBox")
    tasks = TaskPlanner(planner)

    def with_solvers(*names: str) -> object:
        subtask = task.subtasks[0].model_copy(update={"solvers": names})
        return task.model_copy(update={"subtasks": (subtask,)})

    # The handle of a drawer is not grasped on a box: its axis points to the table.
    plan = tasks.plan(with_solvers("OpenDrawerGraspKnob", "OpenBox"), 0, box, HOME)  # type: ignore[arg-type]
    assert isinstance(plan, Plan)
    assert plan.report["solver"] == "OpenBox"
    (before,) = plan.report["before"]  # type: ignore[misc]
    assert before["solver"] == "OpenDrawerGraspKnob"
    assert before["rejected"]
    far = moved(box, (2.0, 0.0, 0.0))
    outcome = tasks.plan(with_solvers("OpenBox", "CloseBox"), 0, far, HOME)  # type: ignore[arg-type]
    expect(outcome, PlanCode.NO_IK, "OpenBox: .*; CloseBox: ")
    assert outcome.cpu_time > 0.0


def test_a_turn_about_the_axis_of_an_object_without_one_is_refused(
    planner: Planner, library: AssetLibrary
) -> None:
    scene = draw("OpenDrawer", library, 0)
    assert scene.asset.info.axis is None
    text = SOLVERS["OpenDrawer"].yaml()
    for field, old in (("post", "[move-backward]"), ("pre", "[[translate_x, 0.1]")):
        new = old.replace("[move-backward]", "[[rotate, 0.2]]").replace("translate_x", "rotate")
        assert old in text
        outcome = planner.plan(parse_solver(text.replace(old, new), "f"), scene, HOME)
        said = f"asset {scene.asset.ref} names no axis, which {field}_actuation_motions.0 of OpenDr"
        expect(outcome, PlanCode.BAD_SCENE, re.escape(said))
    # The next solver may do without.
    task = load_task("OpenDrawer")
    plan = TaskPlanner(planner).plan(task, 0, scene, HOME)
    assert isinstance(plan, Plan), plan


def test_solvers_of_the_user_come_first(planner: Planner, box: SceneObject, tmp_path: Path) -> None:
    """A file of the public GenSim2 as it is."""
    (tmp_path / "OpenBox.yaml").write_text(SOLVERS["OpenBox"].yaml(), encoding="utf-8")
    task = load_task("OpenBox")
    plan = TaskPlanner(planner, tmp_path).plan(task, 0, box, HOME)
    assert isinstance(plan, Plan), plan
    assert plan.report["fixed"] is True
    shipped = TaskPlanner(planner).plan(task, 0, box, HOME)
    assert isinstance(shipped, Plan)
    assert "fixed" not in shipped.report
    (tmp_path / "OpenBox.yaml").write_text("task_name: 3", encoding="utf-8")
    outcome = TaskPlanner(planner, tmp_path).plan(task, 0, box, HOME)
    expect(outcome, PlanCode.BAD_CONFIG, f"task OpenBox.*{tmp_path}/OpenBox.yaml: .*task_name")
    with pytest.raises(SolverConfigError, match=r"solver_root .*no such folder"):
        TaskPlanner(planner, tmp_path / "nowhere")


class SlowClock:
    """A CPU clock by which every look at it takes a while."""

    def __init__(self, step: float) -> None:
        self.t, self.step = 0.0, step

    def __call__(self) -> float:
        self.t += self.step
        return self.t


def test_a_call_that_takes_too_long_is_given_up(urdf: str, library: AssetLibrary) -> None:
    scene = draw("OpenDrawer", library, 1)
    for step in (0.04, 0.3, 2.0):  # among the candidates, early, before anything
        clock = SlowClock(step)
        slow = Planner(urdf, PlannerConfig(cpu_limit=1.0), clock=clock)
        outcome = TaskPlanner(slow).plan(load_task("OpenDrawer"), 0, scene, HOME)
        expect(outcome, PlanCode.TIMEOUT, "OpenDrawer: given up after 1 s of CPU time and .* cand")
        assert clock.t < 1.0 + 4.0 * step, "the next solver has been tried"
    # As fast as can be, the same planner plans.
    clock.step = 0.0
    assert isinstance(TaskPlanner(slow).plan(load_task("OpenDrawer"), 0, scene, HOME), Plan)
