"""Plans for parts that no solver configuration can move: lids and doors that are shut."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_kpam.part_skill import NAME, PartSkill, goal_openness
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import Start, draw_scene
from kpam_scenes import HOME

SHUT = ("OpenBox", "OpenLaptop", "RotateMicrowaveDoor", "OpenSafe", "SwingSuitcaseLidOpen")


def seen(task: str, library: AssetLibrary, seed: int, start: Start = "honest") -> SceneObject:
    (placed,) = draw_scene(load_task(task), library, np.random.default_rng(seed), start=start)
    return SceneObject(
        placed.asset, placed.T_base_root, placed.joint_position, placed.keypoints(), placed.name
    )


@pytest.fixture(scope="module")
def planned(planner: Planner) -> TaskPlanner:
    return TaskPlanner(planner)


@pytest.mark.parametrize("name", SHUT)
def test_what_is_shut_is_got_on_its_way(
    planned: TaskPlanner, library: AssetLibrary, name: str
) -> None:
    task, scene = load_task(name), seen(name, library, 41)
    plan = planned.plan(task, 0, scene, HOME)
    assert isinstance(plan, Plan), plan
    assert plan.report["solver"] == NAME and planned.solver_of(task, 0, plan) is None
    # All solver configurations have been tried before.
    assert len(plan.report["before"]) == len(task.subtasks[0].solvers)
    gain = float(plan.report["gain"])
    assert 0.12 <= gain <= 1.0
    approach, actuate, settle = (p.trajectory for p in plan.phases if p.trajectory is not None)
    assert np.allclose(approach.q[0], HOME)
    assert np.allclose(actuate.q[0], approach.q[-1], atol=1e-6)
    assert np.allclose(settle.q, actuate.q[-1])
    # Nothing is touched until the fingers are at the part.
    planner = planned.planner
    model = planner.collision_model(scene)
    grasp = plan.report["contact"] == "grasp"
    finger = planner.config.finger_open if grasp else planner.config.finger_closed
    model.place(scene.T_base_root, finger)
    model.surround(())
    model.allow_contact(False)
    assert not any(model.in_collision(q, scene.joint_position) for q in approach.q)


def test_the_same_scene_and_seed_give_the_same_plan(
    planner: Planner, library: AssetLibrary
) -> None:
    scene = seen("OpenBox", library, 42)
    plans = [PartSkill(planner).plan(scene, 0.9, HOME, seed=7) for _ in range(2)]
    ends = [p.phases[1].trajectory.q for p in plans if isinstance(p, Plan)]
    assert len(ends) == 2 and np.array_equal(ends[0], ends[1])


def test_what_has_failed_twice_is_no_longer_tried_first(
    planned: TaskPlanner, library: AssetLibrary
) -> None:
    task, scene = load_task("OpenDrawer"), seen("OpenDrawer", library, 41)
    names = []
    for attempt in range(3):
        plan = planned.plan(task, 0, scene, HOME, attempt=attempt)
        assert isinstance(plan, Plan), plan
        names.append(plan.report["solver"])
    assert names[0] == names[1] != NAME and names[2] == NAME


def test_what_is_asked_for_is_in_the_task() -> None:
    task = load_task("PlaceGolfBallIntoDrawer")
    opened, *_, closed = task.done_conditions
    assert goal_openness(opened, "drawer") == pytest.approx(0.9)
    assert goal_openness(closed, "drawer") == pytest.approx(0.1)
    assert goal_openness(opened, "golf_ball") is None


@pytest.mark.parametrize("what", ["pose", "joint", "start"])
def test_nonsense_is_refused(planner: Planner, library: AssetLibrary, what: str) -> None:
    scene, q = seen("OpenBox", library, 0), HOME
    if what == "pose":
        scene = SceneObject(scene.asset, np.full((4, 4), np.nan), 0.0, {})
    elif what == "joint":
        scene = SceneObject(scene.asset, scene.T_base_root, 99.0, {})
    else:
        q = np.full(7, np.inf)
    outcome = PartSkill(planner).plan(scene, 0.9, q, seed=0)
    assert isinstance(outcome, PlanFailure)
    expected = PlanCode.START_INVALID if what == "start" else PlanCode.BAD_SCENE
    assert outcome.code is expected
