"""A start in contact: the hand backs off first, and presses nothing harder on its way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.plan import Phase, Plan, PlanCode, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.retreat import DEEPER, back_off
from gensim2_kpam.solver_config import load_solver
from gensim2_tasks.assets import AssetLibrary
from kpam_scenes import HOME, draw, expect, moved

from gensim2_tasks import se3


def touched(planner: Planner, library: AssetLibrary, seed: int, beside: float) -> SceneObject:
    """A cabinet right under the finger tips of the arm at home, or a little lower."""
    scene = draw("PushDrawerClose", library, seed)
    p_tip = (planner.arm.fk(HOME) @ planner.arm.T_hand_tcp)[:3, 3]
    low, high = scene.asset.bounds(scene.joint_position)
    T = se3.transform(p_tip - 0.5 * (low + high))
    T[2, 3] = p_tip[2] - 0.007 - beside - high[2]
    points = scene.asset.keypoints(scene.joint_position)
    keypoints = {name: se3.apply(T, p) for name, p in points.items()}
    return dataclasses.replace(scene, T_base_root=T, keypoints=keypoints)


def trajectory_of(phase: Phase) -> Trajectory:
    assert phase.trajectory is not None
    return phase.trajectory


def test_a_hand_deep_in_the_object_is_a_wrong_scene(
    planner: Planner, library: AssetLibrary
) -> None:
    """Backing out of what cannot be would move the arm by a mistaken label."""
    scene = draw("OpenBox", library, 0)
    tip = (planner.arm.fk(HOME) @ planner.arm.T_hand_tcp)[:3, 3]
    low, high = scene.asset.bounds(scene.joint_position)
    wrong = moved(scene, tip - se3.apply(scene.T_base_root, 0.5 * (low + high)))
    outcome = planner.plan(load_solver("OpenBox"), wrong, HOME)
    expect(outcome, PlanCode.START_INVALID, "no way leads out")


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("beside", [0.0, 0.004])
def test_the_hand_backs_off_from_what_it_touches(
    planner: Planner, library: AssetLibrary, seed: int, beside: float
) -> None:
    """From a cabinet whose top is at the finger tips."""
    scene = touched(planner, library, seed, beside)
    plan = planner.plan(load_solver("PushDrawerClose"), scene, HOME)
    model, config = planner.collision_model(scene), planner.config
    model.place(scene.T_base_root, config.finger_open)
    path = back_off(planner.arm, model, HOME, scene.joint_position, config.clearance)
    assert path is not None
    depths = [model.depth(q, scene.joint_position) for q in path]
    assert max(depths) <= depths[0] + DEEPER
    np.testing.assert_array_equal(path[0], HOME)
    assert model.in_collision(path[0], scene.joint_position, config.clearance)
    assert not model.in_collision(path[-1], scene.joint_position, config.clearance)
    if isinstance(plan, Plan):
        opened, retreat, *rest = plan.phases
        assert (opened.name, retreat.name) == ("gripper", "retreat")
        assert [phase.name for phase in rest] == ["gripper", "approach", "actuate", "settle"]
        ends, begins = trajectory_of(retreat).q[-1], trajectory_of(rest[1]).q[0]
        np.testing.assert_allclose(ends, path[-1], atol=1e-6)
        np.testing.assert_allclose(begins, path[-1], atol=1e-6)
