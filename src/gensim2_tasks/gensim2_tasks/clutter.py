"""Things that stand about and have nothing to do with the task: in the way, but never of need.

They stand near the objects of the task, where they overlap nothing, and clear of what these come to
cover when they are opened, shut, pushed or swung.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .assets import ArticulatedAsset, AssetLibrary
from .footprint import OPENNESSES, covered, footprint, gap
from .placement import NEAREST, ROOM, NoRoomError, PlacedObject
from .procedural.household import GENERATORS
from .randomisation import Count
from .se3 import Array
from .splits import ALL, Split

TRIES, NEAR_TRIES = 60, 40  # for each thing, and those of them near the objects of the task
NEAR = 0.20  # m: what stands farther off is in nobody's way
APART = 0.04  # m between things that stand about
# m in base: where arm and cameras are, and well within the table.
AREA_X, AREA_Y = (0.25, 0.95), (-0.55, 0.55)
NAME = "clutter"


def is_clutter(name: str) -> bool:
    """Whether this is the name of a thing that has nothing to do with the task."""
    return name.startswith(f"{NAME}_") and name[len(NAME) + 1 :].isdigit()


def swept(placed: PlacedObject) -> Array:
    """Convex outline (N, 2) of what an object covers on all of its way, m in base.

    A free one may go the way of its joint too, which is where it is meant to go.
    """
    return covered(placed.asset, placed.T_base_root, OPENNESSES)


def draw_clutter(
    count: Count,
    objects: Sequence[PlacedObject],
    library: AssetLibrary,
    rng: np.random.Generator,
    split: Split = ALL,
) -> tuple[PlacedObject, ...]:
    """Draws things of the household and where they stand; none is of a kind the task is about.

    Args:
        count: How many.
        objects: Those of the task.
        library: Where assets come from.
        rng: Source of every drawn number.
        split: Which assets may be drawn.

    Raises:
        AssetError: One that was drawn cannot be used.
        NoRoomError: There is no room for all of them.
    """
    number = int(rng.integers(count.low, count.high + 1))
    used = {o.asset.ref.category for o in objects}
    kinds = [category for category in GENERATORS if category not in used]
    ways = [swept(o) for o in objects]
    taken = [(way, ROOM) for way in ways]
    placed: list[PlacedObject] = []
    for index in range(number):
        category = kinds[int(rng.integers(len(kinds)))]
        asset = library.load(library.draw(category, rng, split))
        T, outline = _place(asset, ways, taken, rng, index, number)
        placed.append(PlacedObject(f"{NAME}_{index + 1}", asset, T, asset.joint_position(0.0)))
        taken.append((outline, APART))
    return tuple(placed)


def _place(
    asset: ArticulatedAsset,
    ways: Sequence[Array],
    taken: Sequence[tuple[Array, float]],
    rng: np.random.Generator,
    index: int,
    number: int,
) -> tuple[Array, Array]:
    """A pose of the root where there is room, and what the thing covers there."""
    most = -np.inf
    for attempt in range(TRIES):
        xyz = np.array([rng.uniform(*AREA_X), rng.uniform(*AREA_Y), asset.rest_height()])
        T = asset.resting(xyz, float(rng.uniform(-np.pi, np.pi)))
        own = footprint(asset, T)
        if np.linalg.norm(own, axis=1).min() < NEAREST:
            continue
        if attempt < NEAR_TRIES and min(gap(own, way) for way in ways) > NEAR:
            continue
        spare = min((gap(own, other) - room for other, room in taken), default=np.inf)
        if spare >= 0.0:
            return T, own
        most = max(most, spare)
    lacking = f"the best one lacked {-100 * most:.1f} cm" if most > -np.inf else "all too near"
    raise NoRoomError(
        f"no room for thing {index + 1} of {number} that stand about ({asset.ref}): of {TRIES} "
        f"places {lacking}; give another seed, or less clutter"
    )
