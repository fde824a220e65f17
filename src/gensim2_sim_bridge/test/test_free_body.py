"""What nothing holds stands, goes where it is pushed, and can fall over; and it is told exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sapien
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.procedural import make_model
from hypothesis import given
from hypothesis import strategies as st
from sapien.physx import PhysxRigidDynamicComponent
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

Draw = Callable[..., tuple[PlacedObject, ...]]
FREE = [
    name
    for name in task_names()
    if len(load_task(name).objects) == 1 and make_model(load_task(name).objects[0].category, 0).free
]
SEEDS = range(4)


@pytest.fixture(scope="module")
def world(urdf: str) -> World:
    return World(urdf, WorldConfig(render=False))


def entity(world: World, name: str) -> sapien.Entity:
    return next(e for e in world.scene.entities if e.name == name)


def pose(thing: sapien.Entity) -> np.ndarray:
    return np.asarray(thing.pose.to_transformation_matrix(), dtype=float)


@pytest.mark.parametrize("task", FREE)
@pytest.mark.parametrize("seed", SEEDS)
def test_it_stands_where_it_was_put(world: World, draw: Draw, task: str, seed: int) -> None:
    """Doing nothing must neither move nor tip it: that would be a success for nothing."""
    (placed,) = draw(task, seed)
    world.reset([placed])
    for _ in range(round(3.0 / world.config.time_step)):
        world.step()
    seen = world.observations()[placed.name]
    assert seen.openness < 0.02 and seen.tilt < 0.02 and seen.joint_velocity < 0.01
    now = world.root_pose(placed.name)
    np.testing.assert_allclose(now[:3, 3], placed.T_base_root[:3, 3], atol=0.003)


@pytest.mark.parametrize("task", FREE)
def test_root_and_joint_tell_where_it_is_wherever_it_is(
    world: World, draw: Draw, task: str
) -> None:
    """Planner, views and records know it by these two alone."""
    (placed,) = draw(task, 0)
    world.reset([placed])
    thing = entity(world, placed.name)
    tree = placed.asset.tree

    @given(
        st.tuples(*[st.floats(-0.4, 0.4)] * 3),
        st.tuples(*[st.floats(-3.0, 3.0)] * 3),
    )
    def check(p: tuple[float, ...], turn: tuple[float, ...]) -> None:
        T = se3.transform(np.array(p), Rotation.from_rotvec(turn)) @ pose(thing)
        thing.set_pose(sapien.Pose(T))
        q, _ = world.joint_state(placed.name)
        told = world.root_pose(placed.name) @ tree.link_poses(q)[tree.moving.child]
        np.testing.assert_allclose(told, pose(thing), atol=1e-5)
        low, high = tree.moving.limits
        assert low <= q <= high

    check()


@pytest.mark.parametrize("task", FREE)
def test_only_the_way_in_its_direction_counts(world: World, draw: Draw, task: str) -> None:
    (placed,) = draw(task, 1)
    world.reset([placed])
    thing = entity(world, placed.name)
    start = pose(thing)
    along = placed.T_base_root[:3, :3] @ placed.asset.tree.axis_in_root()[1]
    aside = np.cross(along, [0.3, -0.4, 0.5])
    for way, expected in ((0.1 * along, 0.1), (0.2 * aside, 0.0), (-0.1 * along, 0.0)):
        T = start.copy()
        T[:3, 3] += way
        thing.set_pose(sapien.Pose(T))
        assert world.joint_state(placed.name)[0] == pytest.approx(expected, abs=1e-3)
        assert world.observations()[placed.name].tilt < 1e-3


def test_what_is_tipped_over_is_not_upright(world: World, draw: Draw) -> None:
    """However far it has gone."""
    task = load_task("PushBox")
    (placed,) = draw(task.name, 2)
    world.reset([placed])
    thing = entity(world, placed.name)
    body = thing.find_component_by_type(PhysxRigidDynamicComponent)
    along = placed.T_base_root[:3, :3] @ placed.asset.tree.axis_in_root()[1]
    T = pose(thing)
    middle = T[:3, 3] + 0.2 * along + [0.0, 0.0, 0.2]
    T[:3, :3] = Rotation.from_rotvec(np.cross([0.0, 0.0, 1.0], along) * 1.3).as_matrix() @ T[:3, :3]
    T[:3, 3] = middle
    thing.set_pose(sapien.Pose(T))
    body.set_linear_velocity([0.0, 0.0, 0.0])
    for _ in range(round(2.0 / world.config.time_step)):
        world.step()
    seen = world.observations()
    holds, evaluations = task.success.evaluate(seen)
    assert seen[placed.name].openness > 0.8
    assert not holds and [e.name for e in evaluations if not e.satisfied] == [
        f"upright({placed.name})"
    ]
