"""Physics: what stands must stand, what is seen must be what is there, and runs must repeat."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.limits import JointLimits
from gensim2_control.self_collision import IGNORED_SELF_COLLISIONS
from gensim2_sim_bridge.world import SceneError, World, WorldConfig
from gensim2_tasks.assets import AssetLibrary, AssetRef
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.placement import PlacedObject, draw_scene

from gensim2_tasks import procedural, se3

Draw = Callable[..., tuple[PlacedObject, ...]]
SEEDS = range(6)
HELD = [c for c in procedural.categories() if not procedural.make_model(c, 0).free]
FREE = {*procedural.categories()} - {*HELD}
OPENNESS = (0.0, 0.35, 0.5, 0.65, 1.0)
# One task of each category is enough: the object is the same.
ATOMIC = [n for n in task_names() if len(load_task(n).objects) == 1]
TASK_OF = {load_task(name).objects[0].category: name for name in ATOMIC}


@pytest.fixture(scope="module")
def world(urdf: str) -> World:
    return World(urdf, WorldConfig(render=False))


def check_stands_and_is_as_described(
    world: World, library: AssetLibrary, ref: AssetRef, openness: float
) -> None:
    spec = load_task(TASK_OF[ref.category])
    (drawn,) = draw_scene(spec, library, np.random.default_rng(0), asset=str(ref), randomize=False)
    placed = replace(drawn, joint_position=drawn.asset.joint_position(openness))
    world.reset([placed])

    link = next(
        link
        for link in world._articulations[placed.name].links
        if link.name == placed.asset.tree.moving.child
    )
    part = link.entity_pose * link.collision_shapes[0].local_pose
    np.testing.assert_allclose(
        world.part_pose(placed.name), part.to_transformation_matrix(), atol=1e-5
    )
    before = placed.asset.openness(placed.joint_position)
    for _ in range(round(2.0 / world.config.time_step)):
        world.step()
        # A sleeping object holds still by itself; one that is touched in passing must as well.
        world._articulations[placed.name].set_qf([0.0])
    after = world.observations()[placed.name].openness
    assert after == pytest.approx(before, abs=0.01), f"{ref} drifts from openness {before}"
    q, dq = world.robot_state()
    np.testing.assert_allclose(q, [*HOME_Q, 0.04, 0.04], rtol=0, atol=1e-4)
    np.testing.assert_allclose(dq, 0.0, rtol=0, atol=1e-4)


@pytest.mark.parametrize("openness", OPENNESS)
@pytest.mark.parametrize("category", HELD)
def test_a_generated_scene_stands_still(
    world: World, library: AssetLibrary, category: str, openness: float
) -> None:
    for seed in SEEDS:
        ref = AssetRef("procedural", category, str(seed))
        check_stands_and_is_as_described(world, library, ref, openness)


@pytest.mark.parametrize("category", sorted({*TASK_OF} - FREE))
def test_a_downloaded_scene_stands_still(
    world: World, real_library: AssetLibrary, category: str
) -> None:
    keys = real_library.keys(category)
    if not keys:
        pytest.skip(f"no downloaded asset of {category}")
    for key in keys:
        for openness in OPENNESS:
            ref = AssetRef("partnet", category, key)
            check_stands_and_is_as_described(world, real_library, ref, openness)


@pytest.mark.parametrize("category", sorted({*TASK_OF} - FREE))
def test_the_parts_of_an_object_stop_at_their_joint_and_not_at_each_other(
    world: World, real_library: AssetLibrary, category: str
) -> None:
    """Hulls of downloaded parts overlap; one that jammed could not be moved by anything."""
    for key in real_library.keys(category):
        ref = AssetRef("partnet", category, key)
        spec = load_task(TASK_OF[category])
        rng = np.random.default_rng(0)
        (placed,) = draw_scene(spec, real_library, rng, asset=str(ref), randomize=False)
        placed = replace(placed, joint_position=placed.asset.joint_position(0.1))
        world.reset([placed])
        opened, closed = placed.asset.joint_position(0.9), placed.asset.joint_position(0.1)
        articulation = world._articulations[placed.name]
        effort = 30.0 if placed.asset.tree.moving.kind == "prismatic" else 8.0
        for _ in range(1000):
            articulation.set_qf([float(np.copysign(effort, opened - closed))])
            world.step()
            if world.observations()[placed.name].openness > 0.9:
                break
        assert world.observations()[placed.name].openness > 0.9, ref


def run(world: World, objects: Sequence[PlacedObject]) -> tuple[Array, float]:
    """Lets the arm sink into the object; returns all joints over time and how far one moved."""
    world.reset(objects)
    start = world.joint_state(objects[0].name)[0]
    trace = []
    for i in range(300):
        for joint, home, way in zip(
            world.robot.active_joints, HOME_Q, (0.0, 0.9, 0.0, 0.4, 0.0, 0.0, 0.0), strict=False
        ):
            joint.set_drive_target(home + way * min(1.0, i / 200))
        world.step()
        moved = [world.joint_state(o.name)[0] for o in world.objects]
        trace.append([*world.robot_state()[0], *world.robot_state()[1], *moved])
    return np.array(trace), abs(trace[-1][-1] - start)


@pytest.mark.parametrize("task", ["CloseBox", "OpenDrawer", "CloseLaptop"])
def test_an_episode_depends_on_its_scene_and_commands_alone(
    urdf: str, draw: Draw, task: str
) -> None:
    objects = draw(task, seed=3)
    used = World(urdf, WorldConfig(render=False))
    reference, moved = run(used, objects)
    assert moved > 0.01, "the arm should have met the object: without contact this proves little"
    assert np.array_equal(run(used, objects)[0], reference), "a repetition differs"
    run(used, draw("OpenBox", seed=7))
    run(used, draw("PushDrawerClose", seed=8))
    assert np.array_equal(run(used, objects)[0], reference), "earlier episodes show"
    fresh = World(urdf, WorldConfig(render=False))
    assert np.array_equal(run(fresh, objects)[0], reference), "another world differs"
    rendered = World(urdf, WorldConfig(render=True))
    assert np.array_equal(run(rendered, objects)[0], reference), "rendering changes the physics"


def test_an_object_in_the_robot_is_refused_and_leaves_nothing_behind(
    world: World, draw: Draw
) -> None:
    (placed,) = draw("OpenBox", seed=0)
    reference, _ = run(world, [placed])
    world.reset(())
    (hand,) = (link for link in world.robot.links if link.name == "fr3_hand")
    link, vertices = placed.asset.hulls[0]
    T_root_link = placed.asset.tree.link_poses(placed.joint_position)[link]
    inside = se3.transform(hand.entity_pose.p - se3.apply(T_root_link, vertices.mean(axis=0)))
    with pytest.raises(SceneError, match="box overlaps the robot in its home pose"):
        world.reset([replace(placed, T_base_root=inside)])
    assert world.objects == () and world.observations() == {}
    for _ in range(20):
        world.step()
    np.testing.assert_allclose(world.robot_state()[0][:7], HOME_Q, atol=1e-4)
    assert np.array_equal(run(world, [placed])[0], reference)


def test_time_goes_on_over_resets(world: World, draw: Draw) -> None:
    before = world.t
    world.reset(draw("OpenBox", seed=0))
    assert world.t > before
    assert world.t == pytest.approx(world.steps * world.config.time_step)


def test_a_joint_that_the_arm_presses_upon_is_at_rest(world: World, draw: Draw) -> None:
    """The solver's velocity of such a joint is not zero, and `settled` would never hold."""
    (placed,) = draw("CloseBox", seed=3)
    run(world, [placed])
    for _ in range(200):
        world.step()
    speeds = []
    for _ in range(20):
        world.step()
        speeds.append(world.joint_state("box")[1])
    assert np.abs(speeds).max() < 0.05


def touching_links(world: World) -> set[frozenset[str]]:
    """Pairs of links of the robot that overlap."""
    own = {*world.robot.links}
    return {
        frozenset((contact.bodies[0].name, contact.bodies[1].name))
        for contact in world.scene.get_contacts()
        if own >= {*contact.bodies} and min(p.separation for p in contact.points) < 0.0
    }


def test_the_robot_feels_itself_but_for_the_pairs_that_are_ignored(world: World) -> None:
    """A pair too many is an arm that passes through itself; one too few an arm that jams."""
    world.reset(())
    limits = JointLimits.fr3()
    rng = np.random.default_rng(0)
    touched: set[frozenset[str]] = set()
    for q in rng.uniform(limits.q_min, limits.q_max, (1500, 7)):
        world.robot.set_qpos(np.array([*q, *[rng.uniform(0.0, 0.04)] * 2], dtype=np.float32))
        world.robot.set_qvel(np.zeros(9, dtype=np.float32))
        world.scene.step()
        touched |= touching_links(world)
    solid = [link for link in world.robot.links if link.collision_shapes]
    for a, b in itertools.combinations(solid, 2):
        words = [link.collision_shapes[0].collision_groups[2] for link in (a, b)]
        listed = {(a.name, b.name), (b.name, a.name)} & {*IGNORED_SELF_COLLISIONS}
        assert bool(words[0] & words[1]) == bool(listed), f"{a.name} and {b.name}"
    assert not touched & {frozenset(pair) for pair in IGNORED_SELF_COLLISIONS}
    neighbours = [
        pair
        for pair in touched
        if not pair & {f"fr3_link{i}" for i in range(5)} and "base" not in pair
    ]
    assert not neighbours, "these are in each other's way where the arm may go"
    for distal in ("fr3_hand", "fr3_link6", "fr3_link7"):
        assert any(distal in pair for pair in touched), f"{distal} passes through the arm"


def test_an_object_feels_the_robot_and_not_itself(world: World, library: AssetLibrary) -> None:
    """What is fixed to a door lies in a recess of the body, which its hull fills."""
    world.reset(draw_scene(load_task("OpenDrawer"), library, np.random.default_rng(0)))
    (thing,) = world._articulations.values()
    words = {tuple(s.collision_groups[2:4]) for link in thing.links for s in link.collision_shapes}
    (word,) = words
    assert word[0] and word[1], "all of it shares a bit, under a number of its own"
    for link in world.robot.links:
        assert all(shape.collision_groups[3] != word[1] for shape in link.collision_shapes)
