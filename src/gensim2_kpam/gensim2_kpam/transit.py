"""Collision-free joint paths between two configurations: straight where possible, else RRT-Connect.

RRT-Connect: Kuffner and LaValle, ICRA 2000, followed by random shortcuts. Deterministic for a
given generator.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .arm_model import ArmModel
from .collision_model import CollisionModel

Array = NDArray[np.float64]
CheckFunction = Callable[[Array], bool]
RESOLUTION = 0.06  # rad, largest joint step between checked configurations
EXTEND = 0.5  # rad, step of the tree
MAX_NODES = 600
MAX_SAMPLES = 900  # where both ends are enclosed the trees do not grow, whatever is drawn
SHORTCUTS = 24


def line(q_from: Array, q_to: Array, resolution: float = RESOLUTION) -> Array:
    """Configurations (N, 7) on the straight joint line, both ends included."""
    count = max(1, int(np.ceil(np.max(np.abs(q_to - q_from)) / resolution)))
    return q_from + np.linspace(0.0, 1.0, count + 1)[:, None] * (q_to - q_from)


def line_is_free(q_from: Array, q_to: Array, collides: CheckFunction) -> bool:
    """Whether the straight joint line is free; the ends are checked too, middle first."""
    points = line(q_from, q_to)
    order = sorted(range(len(points)), key=_bit_reversed(len(points)))
    return not any(collides(points[i]) for i in order)


def _bit_reversed(count: int) -> Callable[[int], int]:
    bits = max(1, (count - 1).bit_length())
    return lambda i: int(f"{i:0{bits}b}"[::-1], 2)


class _Tree:
    def __init__(self, root: Array) -> None:
        self.nodes = [root]
        self.parents = [-1]

    def add(self, q: Array, parent: int) -> int:
        self.nodes.append(q)
        self.parents.append(parent)
        return len(self.nodes) - 1

    def nearest(self, q: Array) -> int:
        return int(np.argmin(np.max(np.abs(np.array(self.nodes) - q), axis=1)))

    def branch(self, index: int) -> list[Array]:
        path = []
        while index >= 0:
            path.append(self.nodes[index])
            index = self.parents[index]
        return path[::-1]


def plan_transit(
    q_start: Array,
    q_goal: Array,
    collides: CheckFunction,
    bounds: tuple[Array, Array],
    rng: np.random.Generator,
) -> list[Array] | None:
    """Corners of a collision-free path from start to goal, both included; None = not found.

    Args:
        q_start: Configuration (7,), rad.
        q_goal: Configuration (7,), rad.
        collides: Whether a configuration must not be entered.
        bounds: Lower and upper joint limits (7,), rad.
        rng: Source of the random samples.
    """
    if line_is_free(q_start, q_goal, collides):
        return [q_start, q_goal]
    if collides(q_start) or collides(q_goal):
        return None
    path = _connect(q_start, q_goal, collides, bounds, rng)
    return None if path is None else _shorten(path, collides, rng)


def _connect(
    q_start: Array,
    q_goal: Array,
    collides: CheckFunction,
    bounds: tuple[Array, Array],
    rng: np.random.Generator,
) -> list[Array] | None:
    trees = (_Tree(q_start), _Tree(q_goal))
    forward = True
    # Samples spread around the two ends first: most detours are short ones.
    low = np.minimum(q_start, q_goal)
    high = np.maximum(q_start, q_goal)
    for _ in range(MAX_SAMPLES):
        if len(trees[0].nodes) + len(trees[1].nodes) >= MAX_NODES:
            break
        a, b = trees if forward else trees[::-1]
        spread = 0.3 + 2.0 * (len(a.nodes) + len(b.nodes)) / MAX_NODES
        sample = rng.uniform(low - spread, high + spread)
        sample = np.clip(sample, *bounds)
        new = _extend(a, a.nearest(sample), sample, collides)
        if new is not None:
            target = a.nodes[new]
            reached: int | None = b.nearest(target)
            while reached is not None and np.max(np.abs(b.nodes[reached] - target)) > 1e-9:
                reached = _extend(b, reached, target, collides)
            if reached is not None:
                first, second = a.branch(new), b.branch(reached)
                return first + second[-2::-1] if forward else second + first[-2::-1]
        forward = not forward
    return None


def _extend(tree: _Tree, index: int, target: Array, collides: CheckFunction) -> int | None:
    q = tree.nodes[index]
    step = target - q
    length = float(np.max(np.abs(step)))
    if length < 1e-9:
        return index
    q_new = target if length <= EXTEND else q + step * (EXTEND / length)
    if any(collides(p) for p in line(q, q_new)[1:]):
        return None
    return tree.add(q_new, index)


def _shorten(path: list[Array], collides: CheckFunction, rng: np.random.Generator) -> list[Array]:
    for _ in range(SHORTCUTS):
        if len(path) < 3:
            break
        i, j = np.sort(rng.choice(len(path), 2, replace=False))
        if j - i >= 2 and line_is_free(path[i], path[j], collides):
            path = path[: i + 1] + path[j:]
    return path


def free_way(
    arm: ArmModel,
    model: CollisionModel,
    q_start: Array,
    q_goal: Array,
    *,
    part_q: float,
    clearance: float,
    rng: np.random.Generator,
    check: Callable[[], None] = lambda: None,
) -> Array | None:
    """A free joint path (N, 7) from one configuration to another; None = none was found.

    Args:
        arm: The arm.
        model: Placed at the scene.
        q_start: Where it begins (7,), rad.
        q_goal: Where it ends (7,), rad.
        part_q: Position of the object's joint, rad or m.
        clearance: Kept from everything, m; where the path begins or ends nearer to something it
            may be as near.
        rng: Of the random samples.
        check: Called before every look at a configuration.
    """
    bounds = arm.limits_from(q_start)
    if any(model.in_collision(q, part_q, clearance) for q in (q_start, q_goal)):
        clearance = 0.0

    def collides(q: Array) -> bool:
        check()
        within = np.all(q >= bounds[0] - 1e-6) and np.all(q <= bounds[1] + 1e-6)
        return not within or model.in_collision(q, part_q, clearance)

    corners = plan_transit(q_start, q_goal, collides, bounds, rng)
    if corners is None:
        return None
    legs = [line(a, b)[:-1] for a, b in pairwise(corners)]
    return np.vstack([*legs, corners[-1][None]])
