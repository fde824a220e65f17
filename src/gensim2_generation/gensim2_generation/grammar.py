"""A grammar of tasks: a few choices make a task, and every task it makes is well formed.

Whether it can be done is for the physics to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gensim2_kpam.solver_config import load_solver

from .affordances import DOWN, UP, Affordance, Affordances, Place, noun
from .candidate import Candidate, Document, Origin, make_candidate

SHARES = {0.3: "one third", 0.5: "half", 0.7: "two thirds"}  # of the way to an end
BAND = 0.15  # of openness to both sides of a level
MARGIN = 0.25  # of openness between the start and the level, at least
WIDE = 0.9  # openness of a container that stands open


class Family(StrEnum):
    """Kinds of tasks.

    PART_WAY moves a joint to a level; THERE_AND_BACK moves it to one end and then to the other;
    PUT puts a thing into, onto or under another that is as it has to be; PUT_CLOSE closes it
    then; PUT_LIFT lifts it; OPEN_PUT opens it before; OPEN_PUT_CLOSE both; PUT_TWO puts two
    things there; TWO_PARTS moves the joints of two objects.
    """

    PART_WAY = "part_way"
    THERE_AND_BACK = "there_and_back"
    PUT = "put"
    PUT_CLOSE = "put_close"
    PUT_LIFT = "put_lift"
    OPEN_PUT = "open_put"
    OPEN_PUT_CLOSE = "open_put_close"
    PUT_TWO = "put_two"
    TWO_PARTS = "two_parts"


@dataclass(frozen=True)
class Choice:
    """What a task is made of.

    Attributes:
        family: Kind of the task.
        category: Of the object whose joint moves, or where things are put.
        way: In which its joint moves, where the family leaves it open.
        level: Openness of PART_WAY.
        items: Categories of what is put there.
        other: Category of the second object of TWO_PARTS.
        other_way: In which its joint moves.
    """

    family: Family
    category: str
    way: str = ""
    level: float = 0.0
    items: tuple[str, ...] = ()
    other: str = ""
    other_way: str = ""


def choices(known: Affordances) -> Iterator[Choice]:
    """All choices there are, in a fixed order."""
    yield from _of_joints(known)
    for place in known.places.values():
        families = _families_of(known, place)
        for family in families:
            for item in known.items:
                yield Choice(family, place.category, items=(item,))
        if place.region == "inside":
            yield from _pairs(known, Family.PUT_TWO, place)


def _of_joints(known: Affordances) -> Iterator[Choice]:
    for (category, way), move in known.moves.items():
        for level in SHARES:
            if abs(_start(move, level) - level) >= BAND + MARGIN - 1e-9:
                yield Choice(Family.PART_WAY, category, way, level)
        if (category, DOWN if way == UP else UP) in known.moves:
            yield Choice(Family.THERE_AND_BACK, category, way)
    fixed = [k for k, m in known.moves.items() if not m.upright]
    for first in fixed:
        for second in fixed:
            if first[0] != second[0]:
                yield Choice(
                    Family.TWO_PARTS, first[0], first[1], other=second[0], other_way=second[1]
                )


def _families_of(known: Affordances, place: Place) -> list[Family]:
    found = [Family.PUT]
    if place.opened and (place.category, UP) in known.moves:
        found.append(Family.OPEN_PUT)
        if place.closes and (place.category, DOWN) in known.moves:
            found += [Family.PUT_CLOSE, Family.OPEN_PUT_CLOSE]
    elif (place.category, UP) in known.moves and known.moves[place.category, UP].verb == "lift":
        found.append(Family.PUT_LIFT)
    return found


def _pairs(known: Affordances, family: Family, place: Place) -> Iterator[Choice]:
    for first in known.items:
        for second in known.items:
            if first < second:
                yield Choice(family, place.category, items=(first, second))


@dataclass(frozen=True)
class Outline:
    """A task in words.

    Attributes:
        name: Of the task.
        instruction: As the grammar says it.
        steps: Its parts, as "open the drawer".
    """

    name: str
    instruction: str
    steps: tuple[str, ...]


def outline(choice: Choice, known: Affordances) -> Outline:
    """What `compose` would make of a choice, in words; far faster.

    Raises:
        KeyError: The choice is of other affordances.
    """
    draft = _drafted(choice, known)
    return Outline(draft.name, draft.sentence(), draft.steps)


def _drafted(choice: Choice, known: Affordances) -> _Draft:
    draft = _Draft(choice, known)
    build = {
        Family.PART_WAY: draft.part_way,
        Family.THERE_AND_BACK: draft.there_and_back,
        Family.TWO_PARTS: draft.two_parts,
    }.get(choice.family, draft.put)
    build()
    return draft


def compose(choice: Choice, known: Affordances, origin: Origin, instruction: str = "") -> Candidate:
    """Makes the task of a choice.

    Args:
        choice: One of `choices`.
        known: The affordances it is from.
        origin: For the record.
        instruction: Empty = made by the grammar.

    Raises:
        CandidateError: The models of tasks do not accept it.
        KeyError: The choice is of other affordances.
    """
    draft = _drafted(choice, known)
    document = {
        "name": draft.name,
        "instruction": instruction or draft.sentence(),
        "objects": draft.objects,
        "subtasks": draft.subtasks,
        "success": {"all": draft.success},
    }
    if len(draft.subtasks) > 1:
        # What the whole task asks for: a thing may roll on for a while.
        draft.subtasks[-1]["done"] = {"all": draft.success}
    else:
        draft.subtasks[0].pop("done", None)
    return make_candidate(document, draft.solvers, origin)


def _start(move: Affordance, level: float) -> float:
    """Openness from which a joint goes to a level: the end on the other side of the way."""
    return 0.0 if move.way == UP else 1.0


class _Draft:
    """A task document in the making."""

    def __init__(self, choice: Choice, known: Affordances) -> None:
        self._choice, self._known = choice, known
        self.name = ""
        self.objects: list[dict[str, Any]] = []
        self.subtasks: list[dict[str, Any]] = []
        self.success: list[dict[str, Any]] = []
        self.solvers: dict[str, Document] = {}
        self._said: list[str] = []

    @property
    def steps(self) -> tuple[str, ...]:
        """Parts of the instruction."""
        return tuple(self._said)

    def sentence(self) -> str:
        """The instruction."""
        first, rest = self._said[0], self._said[1:]
        text = first[0].upper() + first[1:]
        if not rest:
            return f"{text}."
        return f"{', '.join([text, *rest[:-1]])} and {rest[-1]}."

    def part_way(self) -> None:
        """One joint to a level."""
        choice = self._choice
        move = self._known.moves[choice.category, choice.way]
        percent = round(100 * choice.level)
        self.name = f"{_camel(move.verb)}{_camel(noun(move.category))}To{percent}"
        start = min(0.9, max(0.1, _start(move, choice.level)))
        if move.upright:
            start = 0.0
        thing = self._stand(move, start, 0.0 if move.upright else 0.1)
        own = []
        for solver in move.solvers:
            name = f"{self.name}_{solver}"
            self.solvers[name] = _with_goal(solver, choice.level)
            own.append(name)
        share = choice.level if move.way == UP else round(1.0 - choice.level, 3)
        self._said.append(f"{move.phrase} about {SHARES[share]} of the way")
        low = {"kind": "openness_above", "object": thing, "value": round(choice.level - BAND, 3)}
        high = {"kind": "openness_below", "object": thing, "value": round(choice.level + BAND, 3)}
        self.success += [low, high] if move.way == UP else [high, low]
        self.success += [*_upright(move, thing), {"kind": "settled", "object": thing}]
        self.subtasks.append({"name": move.verb, "object": thing, "solvers": own})

    def there_and_back(self) -> None:
        """One joint to one end and to the other."""
        choice, known = self._choice, self._known
        first = known.moves[choice.category, choice.way]
        second = known.moves[choice.category, DOWN if choice.way == UP else UP]
        self.name = f"{_camel(first.verb)}And{_camel(second.verb)}{_camel(noun(first.category))}"
        thing = self._stand(first, 0.2 if first.way == UP else 0.8, 0.1)
        self._said += [first.phrase, f"{_it(second.phrase, noun(second.category))} again"]
        self._move(first, thing)
        self._move(second, thing, needs=())
        self.success += [_end(second, thing), {"kind": "settled", "object": thing}]

    def two_parts(self) -> None:
        """The joints of two objects."""
        choice, known = self._choice, self._known
        moves = (
            known.moves[choice.category, choice.way],
            known.moves[choice.other, choice.other_way],
        )
        self.name = "And".join(f"{_camel(m.verb)}{_camel(noun(m.category))}" for m in moves)
        for number, move in enumerate(moves):
            side = 0.24 if number == 0 else -0.24
            thing = self._stand(move, 0.3 if move.way == UP else 0.7, 0.1, y=side)
            self._said.append(move.phrase)
            self._move(move, thing)
            self.success += [_end(move, thing), {"kind": "settled", "object": thing}]

    def put(self) -> None:
        """Things into, onto or under something, perhaps with its joint moved before and after."""
        choice, known = self._choice, self._known
        place = known.places[choice.category]
        opens = choice.family in (Family.OPEN_PUT, Family.OPEN_PUT_CLOSE)
        closes = choice.family in (Family.PUT_CLOSE, Family.OPEN_PUT_CLOSE)
        items = [noun(i) for i in choice.items]
        where = noun(place.category)
        verbs = ("Open" if opens else "") + "Put"
        end = "AndClose" if closes else "AndLift" if choice.family is Family.PUT_LIFT else ""
        things = "And".join(_camel(i) for i in items)
        self.name = f"{verbs}{things}{_camel(place.preposition)}{_camel(where)}{end}"
        target = self._target(place, opens)
        needs: list[str] = []
        if opens:
            move = known.moves[place.category, UP]
            self._said.append(move.phrase)
            self._move(move, target)
            needs.append(move.verb)
        placed: list[str] = []
        for number, category in enumerate(choice.items):
            spec = known.items[category].model_dump(mode="json")
            if number:
                spec["placement"]["y"] = -spec["placement"]["y"]
            thing = spec["name"] = category
            self.objects.append(spec)
            suffix = f" {noun(category)}" if len(choice.items) > 1 else ""
            placed.append(f"place{suffix}")
            self._pick_and_place(thing, target, place, needs, suffix)
        the = " and ".join(f"the {i}" for i in items)
        there = "it" if opens and place.preposition == "into" else f"the {where}"
        self._said.append(f"put {the} {place.preposition} {there}")
        if closes or choice.family is Family.PUT_LIFT:
            move = known.moves[place.category, DOWN if closes else UP]
            self._said.append(_it(move.phrase, where) if closes else move.phrase)
            self._move(move, target, needs=tuple(placed))
            self.success += [_end(move, target), *_upright(move, target)]
        for category in choice.items:
            self.success += [
                _there(category, target, place),
                {"kind": "released", "object": category},
                {"kind": "settled", "object": category},
            ]
        self.success.append({"kind": "settled", "object": target})

    def _stand(
        self, move: Affordance, openness: float, spread: float, y: float | None = None
    ) -> str:
        spec = move.thing.model_dump(mode="json")
        spec["name"] = noun(move.category).replace(" ", "_")
        spec["openness"] = {"default": openness, "spread": spread}
        if y is not None:
            spec["placement"]["y"] = y
            spec["placement"]["spread"] = 0.05
        self.objects.append(spec)
        return str(spec["name"])

    def _target(self, place: Place, opens: bool) -> str:
        spec = place.target.model_dump(mode="json")
        spec["name"] = noun(place.category).replace(" ", "_")
        if place.opened and not opens:
            spec["openness"] = {"default": WIDE, "spread": 0.1}
        self.objects.append(spec)
        return str(spec["name"])

    def _move(self, move: Affordance, thing: str, needs: tuple[str, ...] = ()) -> None:
        verb = move.verb
        if any(s["name"] == verb for s in self.subtasks):
            verb = f"{verb} {thing.replace('_', ' ')}"
        subtask: dict[str, Any] = {
            "name": verb,
            "object": thing,
            "solvers": list(move.solvers),
            "done": {"all": [_end(move, thing)]},
        }
        if needs:
            subtask["needs"] = list(needs)
        self.subtasks.append(subtask)

    def _pick_and_place(
        self, thing: str, target: str, place: Place, needs: list[str], suffix: str
    ) -> None:
        common = {"object": thing, "target": target, "region": place.region}
        pick: dict[str, Any] = {
            "name": f"pick{suffix}",
            "skill": "pick",
            **common,
            "done": {"all": [{"kind": "held", "object": thing}]},
        }
        if needs:
            pick["needs"] = list(needs)
        there = [_there(thing, target, place), {"kind": "released", "object": thing}]
        self.subtasks += [
            pick,
            {
                "name": f"place{suffix}",
                "skill": "place",
                **common,
                "needs": [*needs, f"pick{suffix}"],
                "done": {"all": there},
            },
        ]


def _with_goal(solver: str, level: float) -> Document:
    """The configuration of a shipped solver, with another openness to go to."""
    document = load_solver(solver).document()
    for motion in document.get("post_actuation_motions", ()):
        if motion[0] == "follow_joint":
            motion[1] = level
    return document


def _end(move: Affordance, thing: str) -> dict[str, Any]:
    kind = "openness_above" if move.way == UP else "openness_below"
    return {"kind": kind, "object": thing}


def _upright(move: Affordance, thing: str) -> list[dict[str, Any]]:
    return [{"kind": "upright", "object": thing}] if move.upright else []


def _there(thing: str, target: str, place: Place) -> dict[str, Any]:
    if place.region == "inside":
        return {"kind": "inside", "object": thing, "container": target}
    if place.region == "on_top":
        return {"kind": "on_top", "object": thing, "support": target}
    keypoint = "articulated_object_bottom_base"
    return {"kind": "under", "object": thing, "target": target, "keypoint": keypoint}


def _it(phrase: str, thing: str) -> str:
    """The phrase where the thing has been named before; of its parts it is named again."""
    if f"of the {thing}" in phrase:
        return phrase
    before, _, after = phrase.partition(f" the {thing}")
    verb, _, particle = before.partition(" ")
    return " ".join(filter(None, (verb, "it", particle, after.strip())))


def _camel(words: str) -> str:
    return "".join(w[:1].upper() + w[1:] for w in words.replace("_", " ").split())
