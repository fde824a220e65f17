"""Where a held object can be put down: poses of the hand over a region of another object.

Nothing but the shapes of the held object and of the region is looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gensim2_tasks import se3

from .hand_shape import HAND_POINTS, HAND_SOLIDS, meets

Array = NDArray[np.float64]
DOWN = np.array([0.0, 0.0, -1.0])
MOST_TILTED = 0.2  # rad
BACKWARDS = -0.5  # component towards the robot beyond which a hand would have to come from behind
WALL_GAP = 0.004  # m, kept from the walls of an interior
HEIGHTS = (0.006, 0.02, 0.04, 0.07, 0.10, 0.14)  # m over the floor at which it is let go
# m; its lowest point over the rim when it is let go, where there is no room deeper down: past a
# handle that arches over the rim.
OVER_RIM = (0.02, 0.08, 0.12, 0.16)
PER_ROTATION = 3  # places: an arm that is in the way is so in most of them
FALL_STEP = 0.03  # m, between the heights at which the way of what falls is looked at
ON_GAP = 0.003  # m over a surface at which it is let go
CLEAR = 0.03  # m, between the object and the opening before it is put in
# Of shoulder and wrist: what is farther off is out of reach, whatever the elbow does.
P_SHOULDER, REACH, WRIST = np.array([0.0, 0.0, 0.333]), 0.78, 0.107  # m
SHARES = (0.0, 0.7, -0.7)  # of the room to each side of the middle


@dataclass(frozen=True)
class Held:
    """What is in the hand: vertices (N, 3) of its pieces and its centre of mass, hand frame, m."""

    pieces: tuple[Array, ...]
    p_hand_mass: Array
    T_hand_root: Array


@dataclass(frozen=True)
class Region:
    """A room into which, or a surface onto which something is put.

    Attributes:
        T_base_box: A frame in the middle, one of its axes upright.
        planes: (N, 4) rows n, d: a point p of the frame is between the walls where n @ p <= d.
        low: (3,) least coordinates of the room, m.
        high: (3,) greatest ones.
        inwards: Directions in base in which something can be put in.
        drop: Whether it may fall to the bottom.
        level: Whether what stands upright has to stay so.
        lidded: Whether it is shut afterwards, so that nothing may stick out.
    """

    T_base_box: Array
    planes: Array
    low: Array
    high: Array
    inwards: tuple[Array, ...]
    drop: bool = True
    level: bool = False
    lidded: bool = False

    @classmethod
    def box(
        cls,
        T_base_box: Array,
        half_size: Array,
        inwards: tuple[Array, ...],
        *,
        drop: bool = True,
        level: bool = False,
    ) -> Region:
        """A region with six walls, ``half_size`` (3,) m from the middle."""
        planes = np.column_stack([np.vstack([np.eye(3), -np.eye(3)]), np.tile(half_size, 2)])
        return cls(T_base_box, planes, -half_size, half_size, inwards, drop, level)


@dataclass(frozen=True)
class Place:
    """A way to put something down: pose of the hand when it lets go, and before it goes in."""

    T_base_hand: Array
    T_base_before: Array
    cost: float


def find_places(
    held: Held, region: Region, rotations: Array, T_base_hand: Array, obstacles: Array
) -> Iterator[Place]:
    """Candidates, best first, in which neither hand nor object is where an obstacle is.

    Args:
        held: What is in the hand.
        region: Where it has to go.
        rotations: R_base_hand (N, 3, 3) to consider.
        T_base_hand: The hand now.
        obstacles: Points (M, 3) of the surfaces of what stands there, m in base.
    """
    R_now = T_base_hand[:3, :3]
    vertices = np.concatenate(held.pieces)
    R_box, p_box = region.T_base_box[:3, :3], region.T_base_box[:3, 3]
    up_now = R_now.T @ -DOWN  # of the object, in the frame of the hand
    corners = R_box @ np.array([*product(*zip(region.low, region.high, strict=True))]).T
    top, height = float(p_box[2] + corners[2].max()), float(np.ptp(corners[2]))
    # Rows: cost, number of the rotation and of the way in, position, height over the region.
    found: list[Array] = []
    away = p_box[:2] / max(1e-6, float(np.linalg.norm(p_box[:2])))  # from the robot
    for number, R in enumerate(rotations):
        if R[:2, 2] @ away < BACKWARDS:
            continue
        tilted = float(np.arccos(np.clip((R @ up_now)[2], -1.0, 1.0)))
        if tilted > MOST_TILTED and (region.level or not region.drop):
            continue
        if region.lidded and np.ptp((vertices @ R.T)[:, 2]) > height:
            continue
        turn = float(np.arccos(np.clip(0.5 * (np.trace(R_now.T @ R) - 1.0), -1.0, 1.0)))
        against = 0.2 * turn + 0.3 * tilted + 0.5 * abs(float(R[2, 1]))
        turned = vertices @ R.T @ R_box  # about the hand, along the axes of the region
        mass, hand = held.p_hand_mass @ R.T @ R_box, HAND_POINTS @ R.T @ R_box
        for way, inwards in enumerate(region.inwards):
            if inwards[:2] @ away < BACKWARDS:
                continue
            points, costs = _positions(region, turned, mass, hand, R_box.T @ inwards)
            points = p_box + points @ R_box.T
            near = np.linalg.norm(points - WRIST * R[:, 2] - P_SHOULDER, axis=1) < REACH
            numbers = np.full((len(costs), 2), (number, way))
            lowest = points[:, 2] + float((vertices @ R.T)[:, 2].min())
            rows = np.column_stack([costs + against, numbers, points, lowest - top])
            found.append(rows[near])
    if not found:
        return
    table = np.concatenate(found)
    body = _hull_of(vertices)
    solids = [*HAND_SOLIDS, body]
    yielded: Counter[int] = Counter()
    for row in table[np.argsort(table[:, 0], kind="stable")]:
        R, inwards = rotations[int(row[1])], region.inwards[int(row[2])]
        T = se3.transform(row[3:6], R)
        if yielded[int(row[1])] == PER_ROTATION or meets((obstacles - row[3:6]) @ R, solids):
            continue
        # What falls must not land on anything before it is in.
        falls = np.arange(FALL_STEP, float(row[6]) + FALL_STEP, FALL_STEP) if row[6] > 0.0 else ()
        if any(meets((obstacles - DOWN * h - row[3:6]) @ R, [body]) for h in falls):
            continue
        turned = (vertices @ R.T + row[3:6] - p_box) @ R_box
        far = _way(region, turned, R_box.T @ inwards) + CLEAR
        yielded[int(row[1])] += 1
        yield Place(T, se3.transform(row[3:6] - inwards * far, R), float(row[0]))


def _hull_of(vertices: Array) -> Array:
    """Rows n, d of planes close around an object, along the axes and between them."""
    directions = np.array([d for d in product((-1.0, 0.0, 1.0), repeat=3) if any(d)])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.column_stack([directions, (vertices @ directions.T).max(axis=0)])


def _positions(
    region: Region, turned: Array, mass: Array, hand: Array, way_in: Array
) -> tuple[Array, Array]:
    """Positions (M, 3) of the hand in the region, and what is to be said against each (M,).

    Args:
        region: Where.
        turned: Vertices (N, 3) of the object, from the hand along the axes of the region.
        mass: Its centre of mass (3,), likewise.
        hand: Points (K, 3) of the hand, likewise.
        way_in: Direction (3,) in which it goes in, likewise.
    """
    up = region.T_base_box[:3, :3].T @ -DOWN
    axis = int(np.argmax(np.abs(up)))
    sign = float(np.sign(up[axis]))
    low, high = turned.min(axis=0), turned.max(axis=0)
    choices: list[Array] = []
    for side in range(3):
        if side == axis:
            heights = np.array((ON_GAP,))
            if region.drop:
                depth = region.high[side] - region.low[side]
                heights = np.array([*HEIGHTS, *(depth + over for over in OVER_RIM)])
            edge = region.low[axis] - low[axis] if sign > 0 else region.high[axis] - high[axis]
            choices.append(edge + sign * heights)
            continue
        first, last = region.low[side] - low[side], region.high[side] - high[side]
        middle, room = 0.5 * (first + last), max(0.0, 0.5 * (last - first) - WALL_GAP)
        choices.append(middle + room * np.array(SHARES))
    points = np.array([*product(*choices)])
    bottom = sign * points[:, axis] + (low[axis] if sign > 0 else -high[axis])
    top = bottom + (high - low)[axis]
    floor, rim = (
        (region.low[axis], region.high[axis])
        if sign > 0
        else (-region.high[axis], -region.low[axis])
    )
    from_above = sign * way_in[axis] < -0.3
    walls, distances = region.planes[:, :3], region.planes[:, 3]
    # What sticks out of the opening is no matter, as long as its sides fit.
    opening = walls @ _opening(region, way_in) > 0.7
    reach = (turned @ walls.T).max(axis=0)
    gaps = np.where(sign * walls[:, axis] < -0.7, 0.0, WALL_GAP)  # of the floor the heights tell
    fits = np.all((points @ walls.T + reach <= distances - gaps)[:, ~opening], axis=1)
    sticks_out = np.maximum(0.0, top - rim)
    if region.drop:
        within = np.all((points + mass) @ walls.T <= distances, axis=1)
        fits &= (
            (bottom - rim <= OVER_RIM[-1] + 1e-6) if from_above else (within & (sticks_out <= 0.0))
        )
        fits &= _has_room(region, hand, points, way_in)
    aside = points - 0.5 * (region.low + region.high) + 0.5 * (low + high)
    aside[:, axis] = 0.0
    costs = 4.0 * (bottom - floor) + 2.0 * np.linalg.norm(aside, axis=1)
    if region.drop:
        costs += 3.0 * sticks_out
    return points[fits], costs[fits]


def _opening(region: Region, way_in: Array) -> Array:
    """Normal (3,) of the opening through which something goes in, outwards; often not straight."""
    up = region.T_base_box[:3, :3].T @ -DOWN
    if way_in @ up < -0.3:
        return np.asarray(np.round(up))
    return np.asarray(-np.round(way_in / np.abs(way_in).max()))


def _has_room(region: Region, hand: Array, points: Array, way_in: Array) -> Array:
    """Whether what of the hand is beyond the plane of the opening is between the walls (M,)."""
    outwards = _opening(region, way_in)
    axis = int(np.argmax(np.abs(outwards)))
    sides = [other for other in range(3) if other != axis]
    placed = hand[None] + points[:, None]
    if outwards[axis] < 0:
        beyond = placed[..., axis] > region.low[axis]
    else:
        beyond = placed[..., axis] < region.high[axis]
    between = (placed > region.low) & (placed < region.high)
    return np.asarray(np.all(between[..., sides].all(axis=-1) | ~beyond, axis=1))


def _way(region: Region, vertices: Array, way_in: Array) -> float:
    """How far (m) something has to go back until it is out of the region, the way it came."""
    outwards = _opening(region, way_in)
    axis = int(np.argmax(np.abs(outwards)))
    if outwards[axis] < 0:
        far = vertices[:, axis].max() - region.low[axis]
    else:
        far = region.high[axis] - vertices[:, axis].min()
    return float(max(0.0, far) / abs(way_in[axis]))
