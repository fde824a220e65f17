"""Draws a scene: which assets, where they stand and how far they are open."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from . import se3
from .assets import ArticulatedAsset, AssetLibrary
from .footprint import footprint, gap
from .interior import Interior, interior_of
from .kinematic_tree import AssetError
from .outlet import outlet_of
from .predicate_kinds import Inside, OpennessAbove, OpennessBelow, Under
from .se3 import Array
from .specs import ObjectSpec, TaskSpec
from .splits import ALL, Split

# How far the objects are open at the start: as the task file says, all closed, all open, or as far
# from the goal as can be: closed where the task opens and open where it closes.
Start = Literal["task", "closed", "open", "honest"]
STARTS: tuple[Start, ...] = get_args(Start)
ROOM = 0.06  # m between two objects: a finger and what it moves in
NEAREST, FARTHEST = 0.28, 0.66  # m from the axis of the robot
TRIES = 90
FITTING_TRIES, SPARE = 12, 0.004  # assets drawn until one fits, and m that it has to spare
REDRAWS = 12  # of a scene in which something does not fit
UNDER = 0.01  # m more that it has to spare under something
OWN_TRIES, SIDE_TRIES = 30, 60  # of these, in the range of the object and on its side of the table
TABLE_X, TABLE_Y = (0.25, 0.60), (-0.45, 0.45)  # m in base, where there is no room elsewhere


class NoRoomError(AssetError):
    """An object finds no place beside the others; says what is in the way."""


class NoFitError(NoRoomError):
    """No object of a few fits into or under another."""


@dataclass(frozen=True)
class PlacedObject:
    """An object of a drawn scene. ``T_base_root`` in m; joint position in rad or m."""

    name: str
    asset: ArticulatedAsset
    T_base_root: Array
    joint_position: float

    @property
    def T_base_part(self) -> Array:
        """Pose of the part frame at the present joint position."""
        return self.T_base_root @ self.asset.T_root_part(self.joint_position)

    @property
    def openness(self) -> float:
        """Openness at the present joint position."""
        return self.asset.openness(self.joint_position)

    def keypoints(self) -> dict[str, Array]:
        """Keypoints (3,) in base."""
        points = self.asset.keypoints(self.joint_position)
        return {k: se3.apply(self.T_base_root, p) for k, p in points.items()}

    def parameters(self) -> dict[str, object]:
        """What was drawn, for the manifest."""
        return {
            "asset": str(self.asset.ref),
            "xyz": [float(x) for x in self.T_base_root[:3, 3]],
            "yaw": self.asset.yaw(self.T_base_root),
            "openness": self.openness,
        }


def draw_scene(
    task: TaskSpec,
    library: AssetLibrary,
    rng: np.random.Generator,
    *,
    asset: str = "",
    randomize: bool = True,
    start: Start = "task",
    split: Split = ALL,
) -> tuple[PlacedObject, ...]:
    """Draws the objects of a task.

    Args:
        task: What to set up.
        library: Where assets come from.
        rng: Source of every drawn number.
        asset: Reference, id or seed of the asset of the first object; empty draws one.
        randomize: False = default pose and openness (a drawn asset stays drawn).
        start: How far the objects are open; it changes nothing else that is drawn.
        split: Which assets may be drawn; one that is named may be any.

    Raises:
        AssetError: An asset is unknown or unusable.
        NoRoomError: An object finds no place beside the others.
    """
    for _ in range(0 if asset else REDRAWS):
        # Another first object may have more room, unless it is the one that is wanted.
        with contextlib.suppress(NoFitError):
            return _draw(task, library, rng, asset, randomize, start, split)
    return _draw(task, library, rng, asset, randomize, start, split)


def _draw(
    task: TaskSpec,
    library: AssetLibrary,
    rng: np.random.Generator,
    asset: str,
    randomize: bool,
    start: Start,
    split: Split,
) -> tuple[PlacedObject, ...]:
    """Draws once; see ``draw_scene``."""
    placed: list[PlacedObject] = []
    for number, spec in enumerate(task.objects):
        if number == 0:
            opened = start_openness(task, spec.name, start)
            ref = (
                library.find(spec.category, asset)
                if asset
                else library.draw(spec.category, rng, split)
            )
            placed.append(_place(spec, library.load(ref), rng, randomize, opened))
        else:
            loaded = _draw_fitting(task, spec, library, rng, placed, split)
            placed.append(_place_beside(spec, loaded, rng, randomize, placed))
    return tuple(placed)


def _draw_fitting(
    task: TaskSpec,
    spec: ObjectSpec,
    library: AssetLibrary,
    rng: np.random.Generator,
    others: Sequence[PlacedObject],
    split: Split,
) -> ArticulatedAsset:
    """An asset that goes where the task wants it: an apple may be higher than a drawer.

    Raises:
        NoFitError: None of a few does.
    """
    limits = _limits_of(task, others)
    for _ in range(FITTING_TRIES):
        loaded = library.load(library.draw(spec.category, rng, split))
        size = np.ptp(loaded.bounds(0.0), axis=0)
        why = next((text for least, text in limits(size) if least < SPARE), "")
        if not why:
            return loaded
    raise NoFitError(
        f"none of {FITTING_TRIES} assets for {spec.name!r} fits: {why}; give another seed or asset"
    )


def _limits_of(
    task: TaskSpec, others: Sequence[PlacedObject]
) -> Callable[[Array], list[tuple[float, str]]]:
    """What an object of a size (3,) leaves of the rooms it has to go into and under, m.

    Only where it is shut in: what has no lid may be higher than its walls.
    """
    wanted = task.success.predicates
    into = {p.container for p in wanted if isinstance(p, Inside)}
    rooms = [(o, interior_of(o.asset)) for o in others if o.name in into]
    below: list[tuple[PlacedObject, float]] = []
    for predicate in wanted:
        if isinstance(predicate, Under):
            target = next(o for o in others if o.name == predicate.target)
            outlet = outlet_of(target.asset, predicate.keypoint, target.joint_position)
            if outlet is not None:
                below.append((target, float(se3.apply(target.T_base_root, outlet)[2])))

    def left(size: Array) -> list[tuple[float, str]]:
        found = []
        for o, room in rooms:
            if room is not None and room.lidded:
                least, height = float(size.min()), _height(room)
                text = f"at least {100 * least:.1f} cm into the {100 * height:.1f} cm of"
                found.append((height - least, f"{text} {o.name!r} ({o.asset.ref})"))
        for o, height in below:
            text = f"{100 * size[2]:.1f} cm under the {100 * height:.1f} cm of"
            found.append((height - size[2] - UNDER, f"{text} {o.name!r} ({o.asset.ref})"))
        return found

    return left


def _height(room: Interior) -> float:
    """Least size (m) of a room along the ways in and upright, which a lid or a front leaves."""
    ways = np.abs(np.array([*room.open_faces, room.T_link_box[2, :3]]))
    return float(2.0 * (ways @ room.half_size).min())


def _place_beside(
    spec: ObjectSpec,
    loaded: ArticulatedAsset,
    rng: np.random.Generator,
    randomize: bool,
    others: Sequence[PlacedObject],
) -> PlacedObject:
    """An object where it has room and is within reach.

    It is drawn anew until it has; where its own range of places offers none, from all of the table
    that is in reach, first on its own side.
    """
    taken = [footprint(o.asset, o.T_base_root) for o in others]
    nearest = -np.inf
    for number in range(TRIES):
        T, q = _draw_pose(spec, loaded, rng, randomize or number > 0)
        if number >= OWN_TRIES:
            x, y = rng.uniform(*TABLE_X), rng.uniform(*TABLE_Y)
            if number < SIDE_TRIES:
                y = np.copysign(y, spec.placement.y)
            T[:2, 3] = x, y
        own = footprint(loaded, T)
        distance = float(np.linalg.norm(T[:2, 3]))
        near = float(np.linalg.norm(own, axis=1).min())
        room = min(gap(own, other) for other in taken)
        in_reach = near > NEAREST and distance < FARTHEST
        nearest = max(nearest, room if in_reach else -np.inf)
        if in_reach and room >= ROOM:
            return PlacedObject(spec.name, loaded, T, q)
    names = ", ".join(repr(o.name) for o in others)
    raise NoRoomError(
        f"no room for {spec.name!r} ({loaded.ref}) beside {names}: in {TRIES} tries the most that "
        f"was left between them within reach was {100 * nearest:.1f} cm, and {100 * ROOM:.0f} cm "
        "are needed; give another seed, or other placements"
    )


def start_openness(task: TaskSpec, name: str, start: Start) -> float | None:
    """Openness an object is set to at the start; None = as the task file says."""
    if start == "honest":
        # What is done with it first: a box that has to be closed in the end is opened before.
        first = zip(task.subtasks, task.done_conditions, strict=True)
        condition = next((done for s, done in first if s.object == name), task.success)
        for predicate in condition.predicates:
            if predicate.object == name and isinstance(predicate, OpennessAbove):
                return 0.0
            if predicate.object == name and isinstance(predicate, OpennessBelow):
                return 1.0
    return {"closed": 0.0, "open": 1.0}.get(start)


def _place(
    spec: ObjectSpec,
    loaded: ArticulatedAsset,
    rng: np.random.Generator,
    randomize: bool,
    opened_by: float | None,
) -> PlacedObject:
    T, q = _draw_pose(spec, loaded, rng, randomize)
    if opened_by is not None:
        q = loaded.joint_position(opened_by)
    return PlacedObject(spec.name, loaded, T, q)


def _draw_pose(
    spec: ObjectSpec, loaded: ArticulatedAsset, rng: np.random.Generator, randomize: bool
) -> tuple[Array, float]:
    """Pose of the root and joint position."""
    place = spec.placement
    dx, dy, turn, opened = rng.uniform([-1, -1, 0, -1], 1.0) * float(randomize)
    yaw = place.yaw + np.copysign(turn * place.yaw_spread, dy)
    openness = np.clip(spec.openness.default + opened * spec.openness.spread, 0.0, 1.0)
    offset = np.array([dx, dy, 0.0]) * place.spread
    xyz = _default_position(spec, loaded) + offset
    T = loaded.resting(xyz, float(yaw))
    return T, loaded.joint_position(float(openness))


def _default_position(spec: ObjectSpec, asset: ArticulatedAsset) -> Array:
    """Position (3,) of the root without any random offset, m in base."""
    place = spec.placement
    xyz = np.array([place.x, place.y, asset.rest_height()])
    if not place.anchor:
        return xyz
    points = asset.keypoints(asset.joint_position(spec.openness.default))
    if place.anchor not in points:
        raise AssetError(
            f"asset {asset.ref}: no keypoint {place.anchor!r}, by which object {spec.name!r} is "
            f"placed; it has: {', '.join(sorted(points))}"
        )
    p = se3.apply(asset.resting(np.zeros(3), place.yaw), points[place.anchor])
    return xyz - np.array([p[0], p[1], 0.0])
