"""Pick and place on scenes of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from gensim2_kpam.plan import Plan, PlanCode, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import PlacedObject, draw_scene
from kpam_scenes import HOME, expect

from gensim2_tasks import se3

TASK = load_task("PlaceGolfBallIntoDrawer")
OPEN, PICK, PLACE = 0, 1, 2


def seen(placed: PlacedObject) -> SceneObject:
    return SceneObject(
        placed.asset,
        placed.T_base_root,
        placed.joint_position,
        placed.keypoints(),
        placed.name,
    )


@pytest.fixture(scope="module")
def scene(library: AssetLibrary) -> tuple[SceneObject, SceneObject]:
    """An open drawer and a ball beside it."""
    drawer, ball = draw_scene(TASK, library, np.random.default_rng(1))
    drawer = replace(drawer, joint_position=drawer.asset.joint_position(1.0))
    return seen(drawer), seen(ball)


@pytest.fixture(scope="module")
def planned(planner: Planner) -> TaskPlanner:
    return TaskPlanner(planner)


def at_hand(ball: SceneObject, T_base_hand: np.ndarray, T_hand_ball: np.ndarray) -> SceneObject:
    """The ball where the hand has carried it."""
    return replace(ball, T_base_root=T_base_hand @ T_hand_ball)


def test_a_pick_and_the_place_after_it(
    planned: TaskPlanner, scene: tuple[SceneObject, SceneObject]
) -> None:
    drawer, ball = scene
    pick = planned.plan(TASK, PICK, replace(ball, others=(drawer,)), HOME, seed=3)
    assert isinstance(pick, Plan), pick
    assert [p.name for p in pick.phases] == ["gripper", "reach", "grasp", "lift"]
    assert pick.report["solver"] == "pick" and planned.solver_of(TASK, PICK, pick) is None
    reach, lift = (p.trajectory for p in pick.phases if p.trajectory is not None)
    assert np.allclose(reach.q[0], HOME) and np.allclose(reach.q[-1], lift.q[0], atol=1e-6)
    arm = planned.planner.arm
    # The fingers close around the ball, and lift it straight up.
    middle = arm.fk(reach.q[-1]) @ arm.T_hand_tcp
    assert np.linalg.norm(middle[:3, 3] - ball.T_base_root[:3, 3]) < 0.012
    up = arm.fk(lift.q[-1])[:3, 3] - arm.fk(reach.q[-1])[:3, 3]
    assert up[2] > 0.04 and np.linalg.norm(up[:2]) < 2e-3

    T_hand_ball = se3.inverse(arm.fk(reach.q[-1])) @ ball.T_base_root
    held = at_hand(ball, arm.fk(lift.q[-1]), T_hand_ball)
    place = planned.plan(TASK, PLACE, replace(held, others=(drawer,)), lift.q[-1], seed=3)
    assert isinstance(place, Plan), place
    assert [p.name for p in place.phases] == ["move", "ungrasp", "retreat", "settle"]
    move = place.phases[0].trajectory
    assert move is not None and np.allclose(move.q[0], lift.q[-1])
    p = (arm.fk(move.q[-1]) @ T_hand_ball)[:3, 3]
    inside = drawer.keypoints["articulated_object_inside"]
    assert np.linalg.norm(p[:2] - inside[:2]) < 0.2
    # The shut fingers are never opened on the way.
    assert place.phases[1].gripper is not None and place.phases[1].gripper[0] > 0.03


def test_the_same_seed_gives_the_same_pick(
    planned: TaskPlanner, scene: tuple[SceneObject, SceneObject]
) -> None:
    drawer, ball = scene
    item = replace(ball, others=(drawer,))
    one, other = (planned.plan(TASK, PICK, item, HOME, seed=5) for _ in range(2))
    assert isinstance(one, Plan) and isinstance(other, Plan)
    for a, b in zip(one.phases, other.phases, strict=True):
        assert a.gripper == b.gripper
        if a.trajectory is not None and b.trajectory is not None:
            assert np.array_equal(a.trajectory.q, b.trajectory.q)


def test_failures_say_what_is_wrong(
    planned: TaskPlanner, scene: tuple[SceneObject, SceneObject]
) -> None:
    drawer, ball = scene
    expect(planned.plan(TASK, PICK, ball, HOME), PlanCode.BAD_SCENE, "no object 'drawer'")
    item = replace(ball, others=(drawer,))
    expect(planned.plan(TASK, PICK, item, HOME[:3]), PlanCode.START_INVALID, "7 finite")
    out = np.array([9.0, *HOME[1:]])
    expect(planned.plan(TASK, PICK, item, out), PlanCode.START_INVALID, "joint limits")
    lost = replace(item, T_base_root=np.full((4, 4), np.nan))
    expect(planned.plan(TASK, PICK, lost, HOME), PlanCode.BAD_SCENE, "not finite")
    far = replace(item, T_base_root=se3.transform((3.0, 0.0, 0.02)))
    outcome = planned.plan(TASK, PICK, far, HOME)
    assert not isinstance(outcome, Plan)
    # The room that is asked for has to be there.
    nowhere = replace(item, others=(replace(ball, name="drawer"),))
    outcome = planned.plan(TASK, PICK, nowhere, HOME)
    expect(outcome, PlanCode.BAD_SCENE, "none of the keypoints")


def test_every_motion_begins_where_the_one_before_it_has_ended(
    planner: Planner, library: AssetLibrary
) -> None:
    """Solved again, the pose in which a cup is let go was 0.016 rad beside it."""
    task = load_task("StashCupInBox")
    placed = {o.name: o for o in draw_scene(task, library, np.random.default_rng(1000))}
    box = placed["box"]
    scene = seen(replace(box, joint_position=box.asset.joint_position(1.0)))
    cup = replace(seen(placed["cup"]), others=(scene,))
    arm, tasks = planner.arm, TaskPlanner(planner)
    pick = tasks.plan(task, PICK, cup, HOME, seed=0)
    assert isinstance(pick, Plan), pick
    reach, lift = (p.trajectory for p in pick.phases if p.trajectory is not None)
    T_hand_cup = se3.inverse(arm.fk(reach.q[-1])) @ cup.T_base_root
    held = at_hand(cup, arm.fk(lift.q[-1]), T_hand_cup)
    place = tasks.plan(task, PLACE, held, lift.q[-1], seed=0)
    assert isinstance(place, Plan), place
    motions = [p.trajectory for p in (*pick.phases, *place.phases) if p.trajectory is not None]
    for before, after in pairwise(motions):
        assert np.allclose(before.q[-1], after.q[0], atol=1e-6)
