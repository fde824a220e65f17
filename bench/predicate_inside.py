"""Cases of `inside`: walls, bottom and edge of a container are found by rays of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gensim2_tasks.assets import ArticulatedAsset
from gensim2_tasks.interior import INSIDE
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicate_kinds import Inside
from gensim2_tasks.se3 import Array
from predicate_cases import FAR, Case, Rays, across, judge, probe_at, seen

from gensim2_tasks import se3

MARGIN = 0.01  # m, of a near hit or miss to what decides
STEP = 0.002  # m, in which the edge is looked for
DIRECTIONS = 6
RADIUS = 0.008  # m, of the ball
HALF_STICK = 0.04  # m
# How the categories are open; what closes them keeps things from sticking out.
UP, FRONT = np.array([0.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0])
OPENINGS = {
    "box_rotate": (UP, True),
    "drawer": (UP, True),
    "bucket_lift": (UP, False),
    "microwave": (FRONT, True),
    "refrigerator": (FRONT, True),
    "safe_rotate": (FRONT, True),
}
PREDICATE = Inside(object="probe", container="container")


@dataclass(frozen=True)
class Cavity:
    """What the rays have found: a line into the container, and where on it it begins and ends.

    Attributes:
        start: Point (3,) where the line meets what is opposite to the opening.
        out: Unit vector (3,) through the opening.
        edge: How far along the line the lowest wall ends, m.
    """

    start: Array
    out: Array
    edge: float


def measure(rays: Rays, keypoint: Array, out: Array, rng: np.random.Generator) -> Cavity | None:
    """Looks for the cavity of a container; None where there is none as deep as 3 cm."""
    depth = rays.meet(keypoint, -out)
    if depth is None or depth < RADIUS:
        return None
    start = keypoint - depth * out
    angles = [*rng.uniform(0.0, 2.0 * np.pi, 12), *(0.5 * np.pi * np.arange(4))]
    ways = [across(out, a) for a in angles]
    s = 0.012
    while s < FAR and all(rays.meet(start + s * out, way) is not None for way in ways):
        s += STEP
    return Cavity(start, out, s - STEP) if 0.03 < s < FAR else None


def inside_cases(
    container: ArticulatedAsset,
    probes: dict[str, ArticulatedAsset],
    rng: np.random.Generator,
) -> Iterator[Case]:
    """Near hits and near misses in and about one container; none where it is filled."""
    out, lidded = OPENINGS[container.ref.category]
    name = next(n for n in INSIDE if n in container.info.keypoints)
    opened, shut = (container.joint_position(o) for o in (rng.uniform(0.9, 1.0), 0.0))
    rays = Rays(container, opened)
    cavity = measure(rays, container.keypoints(opened)[name], out, rng)
    if cavity is None:
        return
    T_base_root = se3.transform(
        rng.uniform([0.4, -0.3, 0.4], [0.8, 0.3, 0.6]), container.resting(np.zeros(3), 0.0)[:3, :3]
    )
    turn = se3.about_line(np.zeros(3), UP, float(rng.uniform(-np.pi, np.pi)))
    T_base_root = T_base_root @ turn

    def case(p_root: Array, label: bool, what: str, q: float, probe: str = "ball") -> Case:
        here = PlacedObject("container", container, T_base_root, q)
        R = T_base_root[:3, :3] @ _stick_along(out)
        thing = probe_at(probes[probe], se3.apply(T_base_root, p_root), R)
        scene = {"container": seen(here), "probe": seen(thing)}
        return judge(PREDICATE, scene, label, what, str(container.ref))

    # What is in a drawer goes along when it is shut.
    link = container.tree.moving.child if "base" not in name else container.tree.root
    poses = [container.tree.link_poses(q)[link] for q in (opened, shut)]
    T_shut_open = poses[1] @ se3.inverse(poses[0])
    for angle in rng.uniform(0.0, 2.0 * np.pi, DIRECTIONS):
        way = across(out, angle)
        s = float(rng.uniform(RADIUS + 0.004, cavity.edge - MARGIN - RADIUS))
        on_line = cavity.start + s * out
        wall = rays.meet(on_line, way)
        if wall is None:
            continue
        if wall > MARGIN:
            near = on_line + (wall - MARGIN) * way
            yield case(near, True, "1 cm off the wall", opened)
            yield case(se3.apply(T_shut_open, near), True, "1 cm off the wall, shut", shut)
        back = rays.meet(on_line + FAR * way, -way)
        if back is not None:
            far = on_line + (FAR - back + MARGIN) * way
            yield case(far, False, "1 cm outside the wall", opened)
        at_edge = cavity.start + cavity.edge * out + float(rng.uniform(0.0, 0.7)) * wall * way
        yield case(at_edge + MARGIN * out, False, "1 cm beyond the edge", opened)
        yield case(at_edge + 0.1 * out, False, "hovering", opened)
        yield case(at_edge - (MARGIN + RADIUS) * out, True, "below the edge", opened)
        # Where the walls end, its middle is inside and its end is not.
        sunk = cavity.start + (cavity.edge - HALF_STICK) * out
        if cavity.edge > HALF_STICK + 0.02:
            yield case(sunk - MARGIN * out, True, "wholly in", opened, "stick")
            yield case(sunk + MARGIN * out, not lidded, "sticking out", opened, "stick")
    under = rays.meet(cavity.start - FAR * out, out)
    if under is not None:
        p = cavity.start - (FAR - under + MARGIN) * out
        yield case(p, False, "behind what it stands on or against", opened)
    closed = Rays(container, shut)
    if lidded:
        start = cavity.start + FAR * out
        lid = closed.meet(start, -out)
        if lid is not None:
            p = start + (RADIUS - lid) * out
            yield case(p, False, "on the lid or before the door", shut)


def _stick_along(out: Array) -> Array:
    """Rotation (3, 3) that turns the upright stick along the opening."""
    return np.eye(3) if out[2] > 0.5 else se3.about_line(np.zeros(3), [0, 1, 0], np.pi / 2)[:3, :3]
