"""A task as a few small decisions, each among a handful of words.

Every choice of the grammar is a path of decisions. What can still be decided after some of them
are taken is what the paths that begin with them have in common, so that whatever is decided leads
to a task, and tasks that are known already cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .affordances import DOWN, UP, Affordances, noun
from .grammar import SHARES, Choice, Family

KINDS: Mapping[Family, str] = {
    Family.PART_WAY: "move something part of the way",
    Family.THERE_AND_BACK: "move something there and back again",
    Family.PUT: "put a thing somewhere",
    Family.PUT_CLOSE: "put a thing inside something and close it",
    Family.PUT_LIFT: "put a thing inside something and lift it",
    Family.OPEN_PUT: "open something and put a thing inside",
    Family.OPEN_PUT_CLOSE: "open something, put a thing inside and close it",
    Family.PUT_TWO: "put two things in the same place",
    Family.TWO_PARTS: "move one object and then another object",
}
FIRST, NEXT = "first_skill", "next_skill"


@dataclass(frozen=True)
class Decision:
    """What was decided, and about what: ``key`` names the question."""

    key: str
    text: str


Path = tuple[Decision, ...]


def path_of(choice: Choice, affordances: Affordances, mode: str) -> Path:
    """The decisions that lead to a choice.

    Args:
        choice: Of the grammar.
        affordances: It is from.
        mode: In ``bottomup`` one skill is decided after the other, else kind and parts of the task.
    """
    if mode == "bottomup":
        keys = (FIRST, *[NEXT] * 3)
        steps = _skills(choice, affordances)
        return tuple(Decision(k, s) for k, s in zip(keys, steps, strict=False))
    path = [Decision("kind", KINDS[choice.family])]
    if choice.family is Family.PART_WAY:
        move = affordances.moves[choice.category, choice.way]
        # As in the grammar: of the way that is left to its end.
        share = choice.level if choice.way == UP else round(1.0 - choice.level, 3)
        path += [
            Decision("object", noun(choice.category)),
            Decision("motion", move.phrase),
            Decision("how_far", f"{SHARES[share]} of the way"),
        ]
    elif choice.family in (Family.THERE_AND_BACK, Family.TWO_PARTS):
        first = affordances.moves[choice.category, choice.way]
        path += [Decision("object", noun(choice.category)), Decision("motion", first.phrase)]
        if choice.family is Family.TWO_PARTS:
            second = affordances.moves[choice.other, choice.other_way]
            path += [
                Decision("other_object", noun(choice.other)),
                Decision("other_motion", second.phrase),
            ]
    else:
        place = affordances.places[choice.category]
        path.append(Decision("place", f"{place.preposition} the {noun(choice.category)}"))
        keys = ("thing", "other_thing")
        path += [Decision(k, noun(i)) for k, i in zip(keys, choice.items, strict=False)]
    return tuple(path)


def _skills(choice: Choice, affordances: Affordances) -> list[str]:
    """One after the other, as a robot would be told them."""
    moves, family = affordances.moves, choice.family
    if family in (Family.PART_WAY, Family.THERE_AND_BACK, Family.TWO_PARTS):
        steps = [moves[choice.category, choice.way].phrase]
        if family is Family.THERE_AND_BACK:
            steps.append(moves[choice.category, DOWN if choice.way == UP else UP].phrase)
        if family is Family.TWO_PARTS:
            steps.append(moves[choice.other, choice.other_way].phrase)
        return steps
    place = affordances.places[choice.category]
    where = f"{place.preposition} the {noun(choice.category)}"
    steps = [f"put the {noun(i)} {where}" for i in choice.items]
    if family in (Family.OPEN_PUT, Family.OPEN_PUT_CLOSE):
        steps.insert(0, moves[choice.category, UP].phrase)
    if family in (Family.PUT_CLOSE, Family.OPEN_PUT_CLOSE):
        steps.append(moves[choice.category, DOWN].phrase)
    if family is Family.PUT_LIFT:
        steps.append(moves[choice.category, UP].phrase)
    return steps


@dataclass(frozen=True)
class Menu:
    """What can be decided next.

    Attributes:
        key: Names the question.
        offered: Answers to choose from.
        open: Answers there are; more than are offered where they are many.
    """

    key: str
    offered: tuple[str, ...]
    open: int


def menu(
    left: Mapping[Path, Choice],
    taken: Path,
    most: int,
    rng: np.random.Generator,
    without: frozenset[str] = frozenset(),
) -> Menu | None:
    """What can be decided after the decisions that are taken; None = nothing is left.

    Args:
        left: Choices that may still be made, by their paths.
        taken: Decisions so far.
        most: Answers to be offered; those of all kinds of tasks in turn.
        rng: Draws which, and their order.
        without: Answers that are not to be given.
    """
    depth, begun = len(taken), [p for p in left if p[: len(taken)] == taken]
    by_family: dict[Family, list[str]] = {}
    for path in begun:
        if len(path) > depth and path[depth].text not in without:
            texts = by_family.setdefault(left[path].family, [])
            if path[depth].text not in texts:
                texts.append(path[depth].text)
    if not by_family:
        return None
    key = next(p[depth].key for p in begun if len(p) > depth)
    heaps = [[texts[i] for i in rng.permutation(len(texts))] for texts in by_family.values()]
    offered: list[str] = []
    while len(offered) < most and any(heaps):
        for heap in heaps:
            if heap and (text := heap.pop()) not in offered:
                offered.append(text)
    offered = offered[:most]
    shown = tuple(offered[i] for i in rng.permutation(len(offered)))
    return Menu(key, shown, len({t for texts in by_family.values() for t in texts}))
