"""What can be done with which category of objects, read off the shipped tasks.

A shipped task with one sub-task says how a joint of a category is moved one way; one that puts
something somewhere says where a container stands, and from which side it is filled. Nothing is
listed a second time here: a category that is added to the catalogue is added to the grammar.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.predicate_kinds import OpennessAbove, OpennessBelow
from gensim2_tasks.procedural.household import GENERATORS as HOUSEHOLD
from gensim2_tasks.specs import ObjectSpec, TaskSpec

from gensim2_tasks import procedural

UP, DOWN = "up", "down"  # of the openness
USES = ("_rotate", "_move", "_lift", "_swing", "_press")


@dataclass(frozen=True)
class Affordance:
    """A way to move the joint of a category.

    Attributes:
        task: Shipped task that it is read off.
        verb: Name of its sub-task: open, close, turn on, ...
        phrase: What is done, without the full stop: "open the drawer".
        thing: The object: category, placement and openness.
        way: `UP` or `DOWN`.
        solvers: Solver configurations in order of preference.
        upright: Whether the object has to stay upright.
    """

    task: str
    verb: str
    phrase: str
    thing: ObjectSpec
    way: str
    solvers: tuple[str, ...]
    upright: bool

    @property
    def category(self) -> str:
        """Of the object."""
        return self.thing.category


@dataclass(frozen=True)
class Place:
    """Somewhere to put things.

    Attributes:
        target: Container or support: category, and a placement within reach of its region.
        region: inside, on_top or under.
        opened: Whether it has to be open for that.
        closes: Whether it can be closed over what is in it.
        preposition: "into", "onto", "under".
    """

    target: ObjectSpec
    region: str
    opened: bool
    closes: bool
    preposition: str

    @property
    def category(self) -> str:
        """Of the target."""
        return self.target.category


@dataclass(frozen=True)
class Affordances:
    """See the module.

    Attributes:
        moves: By category and way.
        places: By category.
        items: Household things, with the placement they have in the shipped tasks.
    """

    moves: Mapping[tuple[str, str], Affordance]
    places: Mapping[str, Place]
    items: Mapping[str, ObjectSpec]

    @property
    def categories(self) -> tuple[str, ...]:
        """All that there are, sorted."""
        return tuple(sorted({c for c, _ in self.moves} | {*self.places} | {*self.items}))


def noun(category: str) -> str:
    """A category in words: its use is left out."""
    for use in USES:
        category = category.removesuffix(use)
    return category.replace("_", " ")


@functools.cache
def shipped_affordances() -> Affordances:
    """Those of the shipped tasks."""
    moves: dict[tuple[str, str], Affordance] = {}
    places: dict[str, Place] = {}
    seen: dict[str, ObjectSpec] = {}
    generated = set(procedural.categories())
    for name in task_names():
        task = load_task(name)
        if any(o.category not in generated for o in task.objects):
            continue
        if len(task.subtasks) == 1 and task.subtasks[0].solvers:
            found = _move(task)
            if found is not None:
                moves.setdefault((found.category, found.way), found)
        for subtask in task.subtasks:
            if subtask.skill == "place":
                place = _place(task, subtask.target, subtask.region)
                known = places.get(place.category)
                closes = place.closes or (known is not None and known.closes)
                places[place.category] = Place(
                    (known or place).target, place.region, place.opened, closes, place.preposition
                )
                item = task.object(subtask.object)
                seen.setdefault(item.category, item)
    items = {c: seen.get(c) or _like(next(iter(seen.values())), c) for c in sorted(HOUSEHOLD)}
    return Affordances(moves, places, items)


def _move(task: TaskSpec) -> Affordance | None:
    subtask = task.subtasks[0]
    mine = [p for p in task.success.predicates if p.object == subtask.object]
    ways = [UP for p in mine if isinstance(p, OpennessAbove)]
    ways += [DOWN for p in mine if isinstance(p, OpennessBelow)]
    if len(ways) != 1:
        return None
    phrase = task.instruction.rstrip(".")
    return Affordance(
        task=task.name,
        verb=subtask.name,
        phrase=phrase[0].lower() + phrase[1:],
        thing=task.object(subtask.object),
        way=ways[0],
        solvers=subtask.solvers,
        upright=any(p.kind == "upright" for p in mine),
    )


def _place(task: TaskSpec, target: str, region: str) -> Place:
    moved = [s for s in task.subtasks if s.object == target and s.solvers]
    goals = {p.kind for p in task.success.predicates if p.object == target}
    opened = any(
        p.kind == "openness_above"
        for s in moved
        if s.done is not None
        for p in s.done.predicates
        if p.object == target and region != "under"
    )
    lifted = "lift" in {s.name for s in moved}
    return Place(
        target=task.object(target),
        region=region,
        opened=opened and not lifted,
        closes=opened and not lifted and "openness_below" in goals,
        preposition={"inside": "into", "on_top": "onto", "under": "under"}[region],
    )


def _like(item: ObjectSpec, category: str) -> ObjectSpec:
    return ObjectSpec(
        name=category, category=category, placement=item.placement, openness=item.openness
    )
