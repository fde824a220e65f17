"""Cases of `on_top`, `near`, `under` and `lifted`: where things are, by rays and by drops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from gensim2_tasks.assets import ArticulatedAsset
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicate_kinds import Lifted, Near, OnTop, Under
from gensim2_tasks.se3 import Array
from predicate_cases import FAR, Case, Rays, across, judge, probe_at, seen, vertices_of_files
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

UP = np.array([0.0, 0.0, 1.0])
MARGIN = 0.01  # m, of a near hit or miss to an edge
STEP = 0.002  # m, in which an edge is looked for
RISE, BACK = 0.005, 10  # m and steps; what rises by so much in so many steps is not level
DROP = 0.012  # m; on what is not even so much lower beyond an edge a thing may still stand
STEP_HEIGHT = 0.006  # m; a surface that rises or falls by so much has ended
CUBE = 0.015  # m, half of its edge
SURFACE = "articulated_object_surface_base"
BOTTOM = "articulated_object_bottom_base"
CUP_RADIUS, CUP_HALF = 0.031, 0.04  # m, inner one; half of its height
ON_TOP = OnTop(object="probe", support="other")
Probes = Mapping[str, ArticulatedAsset]


def stand(asset: ArticulatedAsset, openness: float, rng: np.random.Generator) -> PlacedObject:
    """The asset somewhere, turned somehow about the vertical."""
    p = rng.uniform([0.4, -0.3, 0.3], [0.8, 0.3, 0.5])
    T = asset.resting(p, float(rng.uniform(-np.pi, np.pi)))
    return PlacedObject("other", asset, T, asset.joint_position(openness))


def on_top_cases(
    support: ArticulatedAsset, probes: Probes, rng: np.random.Generator
) -> Iterator[Case]:
    """A cube on, over, under and beside the flat top of one support, and over its edge."""
    q = support.joint_position(1.0)
    rays, body = Rays(support, q), Rays(support, q, still=True)
    other = stand(support, 1.0, rng)
    keypoint = support.keypoints(q).get(SURFACE)
    poses, moving = support.tree.link_poses(q), support.tree.moving.child
    still = np.concatenate([se3.apply(poses[k], v) for k, v in support.hulls if k != moving])
    middle = 0.5 * (still.min(axis=0) + still.max(axis=0)) if keypoint is None else keypoint
    from_height = still[:, 2].max() + 0.1 if keypoint is None else float(middle[2])

    def top(xy: Array) -> float | None:
        way = body.meet(np.array([xy[0], xy[1], from_height]), -UP)
        return None if way is None else from_height - way

    level = top(middle)
    if level is None:
        return

    def case(p_root: Array, label: bool, what: str) -> Case:
        turn = other.T_base_root[:3, :3] @ Rotation.from_euler("z", rng.uniform(0, 6)).as_matrix()
        probe = probe_at(probes["cube"], se3.apply(other.T_base_root, p_root), turn)
        scene = {"probe": seen(probe), "other": seen(other)}
        return judge(ON_TOP, scene, label, what, str(support.ref))

    def fits(p: Array) -> bool:
        above = rays.meet(p - 0.9 * CUBE * UP, UP)
        return above is None or above > 2.0 * CUBE

    for angle in rng.uniform(0.0, 2.0 * np.pi, 8):
        way = across(UP, angle)
        heights = [level]
        while len(heights) * STEP < FAR:
            s = (len(heights) - 1) * STEP
            ahead = [top(middle + (s + d) * way) for d in (STEP, *np.linspace(0.005, 0.025, 5))]
            # A slit that the cube spans is no edge, but what rises like a hinge or a screen is.
            onwards = [z for z in ahead if z is not None and abs(z - heights[-1]) < STEP_HEIGHT]
            if not onwards or abs(onwards[0] - heights[max(0, len(heights) - BACK)]) > RISE:
                break
            heights.append(onwards[0])
        if s < 2.0 * MARGIN:
            continue
        inner, outer = middle + (s - MARGIN) * way, middle + (s + MARGIN) * way
        below, beneath = top(inner), top(outer)
        if below is None:  # a slit
            continue
        at = np.array([inner[0], inner[1], below + CUBE])
        if fits(at):  # else it would be in what rises at the edge, as a screen
            yield case(at, True, "1 cm inside the edge")
            yield case(at + 0.003 * UP, True, "3 mm over the top")
        beyond = np.array([outer[0], outer[1], at[2]])
        if fits(beyond) and (beneath is None or abs(beneath - below) > DROP):
            yield case(beyond, False, "1 cm beyond the edge")
        yield case(at + float(rng.uniform(0.018, 0.05)) * UP, False, "hovering")
        yield case(at - 0.1 * UP, False, "below it")
        lower = top(middle + (s + 0.03) * way)
        table = float(support.bounds(q)[0, 2]) if lower is None else lower
        beside = middle + (s + 0.03) * way
        yield case(np.array([beside[0], beside[1], table + CUBE]), False, "beside it")
    highest = max(
        (se3.apply(support.tree.link_poses(q)[k], v) for k, v in support.hulls),
        key=lambda points: float(points[:, 2].max()),
    )
    peak = highest[np.argmax(highest[:, 2])]
    if peak[2] > level + 0.05:
        yield case(peak + CUBE * UP, False, "on the highest point of it")


def near_cases(
    target: ArticulatedAsset, probes: Probes, rng: np.random.Generator
) -> Iterator[Case]:
    """A thing whose middle is 0.5 % closer or farther than the threshold, in any direction."""
    for name, kind in zip(target.info.keypoints, ("cube", "stick", "ball"), strict=False):
        for _ in range(4):
            value = float(rng.uniform(0.02, 0.2))
            other = stand(target, float(rng.uniform()), rng)
            keypoint = _keypoint(other, name)
            way = rng.normal(size=3)
            way /= np.linalg.norm(way)
            predicate = Near(object="probe", target="other", keypoint=name, value=value)
            R = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
            for factor in (0.995, 1.005):
                probe = probe_at(probes[kind], keypoint + factor * value * way, R)
                scene = {"probe": seen(probe), "other": seen(other)}
                what = f"{factor:g} of the threshold"
                yield judge(predicate, scene, factor < 1.0, what, str(target.ref))
            # GenSim2 looks at x and y alone.
            above = probe_at(probes[kind], keypoint + (value + 0.02) * UP, R)
            scene = {"probe": seen(above), "other": seen(other)}
            yield judge(predicate, scene, False, "straight above", str(target.ref))


def _keypoint(placed: PlacedObject, name: str) -> Array:
    """A keypoint (3,) in base, from what info.json says and the forward kinematics alone."""
    asset = placed.asset
    p = np.array(asset.document["keypoints"][name]) * asset.info.scale
    if "base" in name:
        return se3.apply(placed.T_base_root, p)
    link = asset.tree.moving.child
    first = next(s for s in asset.tree.collisions if s.link == link)
    T = placed.T_base_root @ asset.tree.link_poses(placed.joint_position)[link]
    return se3.apply(T @ first.T_link_shape, p)


def under_cases(
    faucet: ArticulatedAsset, probes: Probes, rng: np.random.Generator
) -> Iterator[Case]:
    """A cup about a spout: what falls from its mouth meets the cup, or goes past it."""
    q = faucet.joint_position(1.0)
    rays = Rays(faucet, q)
    keypoint = faucet.keypoints(q)[BOTTOM]
    mouth = _mouth(rays, keypoint)
    if mouth is None:
        return
    other = stand(faucet, 1.0, rng)
    predicate = Under(object="probe", target="other", keypoint=BOTTOM)

    def case(rim: Array, label: bool, what: str, R: Array | None = None) -> Case:
        probe = probe_at(probes["cup"], se3.apply(other.T_base_root, rim - CUP_HALF * UP), R)
        scene = {"probe": seen(probe), "other": seen(other)}
        return judge(predicate, scene, label, what, str(faucet.ref))

    for angle in rng.uniform(0.0, 2.0 * np.pi, 6):
        way = across(UP, angle)
        depth = float(rng.uniform(0.01, 0.08))
        at = mouth - depth * UP
        yield case(at + (CUP_RADIUS - 0.008) * way, True, "falls inside, 8 mm off the wall")
        yield case(at + (CUP_RADIUS + 0.008) * way, False, "falls outside, 5 mm past the wall")
        yield case(mouth - 0.005 * UP + 0.01 * way, True, "edge 5 mm under the mouth")
        yield case(mouth + 0.005 * UP + 0.01 * way, False, "edge 5 mm over the mouth")
        yield case(at + float(rng.uniform(0.08, 0.2)) * way, False, "beside it")
    for _ in range(3):
        top = mouth + float(rng.uniform(0.15, 0.3)) * UP
        yield case(top, False, "above it")


def _mouth(rays: Rays, keypoint: Array) -> Array | None:
    """Where the spout is lowest, seen from below; where it only slopes, its end."""
    found = []
    for x in np.arange(-0.05, 0.051, STEP):
        for y in np.arange(-0.02, 0.021, STEP):
            start = keypoint + np.array([x, y, 0.0])
            way = rays.meet(start, UP)
            if way is not None:
                found.append(start + way * UP)
    if not found:
        return None
    points = np.array(found)
    off = np.hypot(*(points[:, :2] - keypoint[:2]).T)
    points, off = points[off < 0.05], off[off < 0.05]
    low = points[:, 2] < points[:, 2].min() + 0.0015
    if off[low].max() > 0.05 - 2.0 * STEP:
        low = off < off.min() + STEP
    return np.asarray(0.5 * (points[low].min(axis=0) + points[low].max(axis=0)))


def lifted_cases(
    things: Sequence[ArticulatedAsset], rng: np.random.Generator, count: int
) -> Iterator[Case]:
    """Things turned somehow, with the lowest vertex of their files 0.5 % off the threshold."""
    for asset in things:
        points = vertices_of_files(asset)
        for index in range(count):
            value = float(rng.uniform(0.01, 0.2))
            predicate = Lifted(object="probe", value=value)
            R = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
            turned = points @ R.T
            for factor in (0.995, 1.005):
                p = np.array([*rng.uniform(-0.5, 0.5, 2), factor * value - turned[:, 2].min()])
                placed = PlacedObject("probe", asset, se3.transform(p, R), 0.0)
                scene = {"probe": seen(placed)}
                what = f"{factor:g} of the threshold"
                yield judge(predicate, scene, factor > 1.0, what, str(asset.ref))
            if index % 2 == 0:
                # One end on the table, the middle higher than the threshold.
                p = np.array([0.5, 0.0, 0.0005 - turned[:, 2].min()])
                placed = PlacedObject("probe", asset, se3.transform(p, R), 0.0)
                yield judge(
                    predicate, {"probe": seen(placed)}, False, "on the table", str(asset.ref)
                )
