"""Cases of `inside` and `on_top` made by dropping things: where they end is left to the physics."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from gensim2_sim_bridge.world import World
from gensim2_tasks.assets import ArticulatedAsset
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicate_kinds import Inside, OnTop
from gensim2_tasks.se3 import Array
from predicate_cases import Case, Rays, across, judge, vertices_of_files

from gensim2_tasks import se3

UP = np.array([0.0, 0.0, 1.0])
REST = 400  # steps after which a thing lies
SPEED = 0.02  # m/s; what is faster is not yet at rest, and left out
CUBE = 0.015  # m, half of its edge
ON_TOP = 0.006  # m, by which a ray down to what carries a cube may be longer than half its diagonal
INSIDE = Inside(object="probe", container="other")
STANDS = OnTop(object="probe", support="other")


def drop(
    world: World, asset: ArticulatedAsset, probe: ArticulatedAsset, rng: np.random.Generator
) -> tuple[Rays, Array, set[str]] | None:
    """Drops a cube somewhere over an open object, far from the robot.

    Returns:
        Rays against the object as it is then, corners (N, 3) of the cube in its root frame, and
        names of the bodies that it touches; None where it does not come to rest.
    """
    q = asset.joint_position(0.95)
    T = asset.resting(np.array([0.95, 0.0, asset.rest_height()]), 0.0)
    low, high = asset.bounds(q)
    where = rng.uniform(low, high)
    where[2] = high[2] + float(rng.uniform(0.02, 0.06))
    start = se3.transform(se3.apply(T, where))
    world.reset([PlacedObject("other", asset, T, q), PlacedObject("probe", probe, start, 0.0)])
    for _ in range(REST):
        world.step()
    if world.joint_state("probe")[1] > SPEED:
        return None
    entity = next(e for e in world.scene.entities if e.name == "probe")
    touched = set()
    for contact in world.scene.get_contacts():
        bodies = {body.entity.name for body in contact.bodies}
        near = any(point.separation < 0.0005 for point in contact.points)
        if "probe" in bodies and near:
            touched |= bodies - {"probe"}
    rays = Rays(asset, world.joint_state("other")[0])
    T_base_body = entity.pose.to_transformation_matrix().astype(float)
    T_root_body = probe.tree.link_poses(0.0)[probe.tree.moving.child]
    T_other_probe = se3.inverse(world.root_pose("other")) @ T_base_body @ se3.inverse(T_root_body)
    return rays, se3.apply(T_other_probe, vertices_of_files(probe)), touched


def dropped_inside(
    world: World,
    asset: ArticulatedAsset,
    probe: ArticulatedAsset,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Case]:
    """Cubes that fall into a container or beside it; inside is what has walls all around."""
    for _ in range(count):
        found = drop(world, asset, probe, rng)
        if found is None:
            continue
        rays, corners, touched = found
        p = corners.mean(axis=0)
        # All containers here have lids or slide shut: the highest corner counts as well.
        highest = p + (corners[:, 2].max() - p[2] - 0.001) * UP
        ways = [across(UP, a) for a in np.linspace(0.1, 2.0 * np.pi, 12)]
        walls = all(rays.meet(start, way) is not None for start in (p, highest) for way in ways)
        label = walls and "table" not in touched and rays.meet(p, -UP) is not None
        what = f"dropped, {'between its walls' if label else 'elsewhere'}"
        yield judge(INSIDE, world.observations(), label, what, str(asset.ref))


def dropped_on_top(
    world: World,
    asset: ArticulatedAsset,
    probe: ArticulatedAsset,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Case]:
    """Cubes that fall onto a laptop or off it; on it is what it carries and not the table."""
    for _ in range(count):
        found = drop(world, asset, probe, rng)
        if found is None:
            continue
        rays, corners, touched = found
        p = corners.mean(axis=0)
        below = rays.meet(p, -UP)
        carried = below is not None and below < np.sqrt(3.0) * CUBE + ON_TOP
        label = carried and "table" not in touched
        what = f"dropped, {'carried by it' if label else 'elsewhere'}"
        yield judge(STANDS, world.observations(), label, what, str(asset.ref))
