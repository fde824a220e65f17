"""The first stages: what a task shall be about, and which steps it has."""

from __future__ import annotations

from typing import Any

from gensim2_tasks.interior import INSIDE

from . import prompting, stage_types
from .affordances import Place, noun
from .answers import AnswerError, plain
from .asker import Asker
from .assembly import there_now
from .candidate import Document
from .draft import CLOSED, OPEN, Carry, Draft, Move, Step, Way
from .draft_text import objects_text, task_text
from .examples import Examples, examples_text, known_text
from .seeing import Shown
from .source import Known, Wanted
from .stages import MAX_STEPS, MAX_THINGS
from .vocabulary import Vocabulary

LONGEST_WISH = 300  # characters
MAX_JOINTED = 2  # objects with joints that stand side by side
ASIDE = 0.24  # m from the middle, where two of them stand
PUT = {"inside": "PutInto", "on_top": "PutOnto", "under": "PutUnder"}


class Proposer:
    """Asks for new tasks.

    Args:
        wanted: What is asked for.
        vocabulary: What tasks can be about.
        examples: Tasks of the library.
        most: Of these to be shown, accepted ones, and as many rejected ones.
    """

    def __init__(
        self, wanted: Wanted, vocabulary: Vocabulary, examples: Examples, most: int
    ) -> None:
        self._wanted, self._vocabulary = wanted, vocabulary
        self._examples, self._most = examples, most
        # Where the words name categories, those are meant; else the model reads them.
        self._about = vocabulary.like(wanted.target_object)

    def primitive(self, known: Known, asker: Asker) -> Draft:
        """A task about one joint; its step is known, nothing else.

        Raises:
            StageError: There was no proposal of use.
        """
        movable = self._vocabulary.movable
        categories = [c for c in movable if c in self._about] or list(movable)

        def check(answer: Any) -> Draft:
            self._check_new(answer, known)
            name = noun(answer.category).replace(" ", "_")
            step = Move(answer.step.strip(), name, answer.towards)
            objects = {name: answer.category}
            return Draft(answer.name, plain(answer.instruction), objects, (step,))

        question = prompting.filled("propose_primitive", **self._words(known, categories))
        kind = stage_types.primitive_proposal(categories)
        return asker.ask("propose", question, kind, check)

    def long(self, known: Known, asker: Asker, image: bytes | None = None) -> Draft:
        """A task of several steps, which are known when this returns.

        Args:
            known: Tasks that exist.
            asker: Who is asked.
            image: A picture (PNG) of what the task shall be about.

        Raises:
            StageError: There was no proposal, or no steps, of use.
        """
        categories = self._vocabulary.categories

        def check(answer: Any) -> Draft:
            self._check_new(answer, known)
            objects = {o.name: o.category for o in answer.objects}
            if len(objects) != len(answer.objects):
                raise AnswerError("two objects have the same name")
            if self._about and not set(self._about) & set(objects.values()):
                raise AnswerError(f"one of the objects has to be a {' or a '.join(self._about)}")
            draft = Draft(answer.name, plain(answer.instruction), objects)
            self._parts(draft)
            return draft

        words = self._words(known, categories)
        template = "image" if image is not None else "propose"
        question = prompting.filled(template, **words, most=MAX_THINGS, steps=MAX_STEPS)
        kind = stage_types.proposal(categories, seen=image is not None)
        shown = [Shown(image, "the scene that the task shall fit")] if image is not None else []
        draft = asker.ask("propose", question, kind, check, shown)
        return self._decomposed(draft, asker)

    def _decomposed(self, draft: Draft, asker: Asker) -> Draft:
        movable, carried, targets = self._parts(draft)

        def check(answer: Any) -> Draft:
            steps = tuple(self._step(s, draft) for s in answer.steps)
            found = Draft(draft.name, draft.instruction, draft.objects, steps)
            problem = found.problem()
            if problem:
                raise AnswerError(problem)
            return found

        question = prompting.filled(
            "decompose", task=task_text(draft), objects=objects_text(draft), steps=MAX_STEPS
        )
        kind = stage_types.decomposition(movable, carried, targets)
        return asker.ask("decompose", question, kind, check)

    def _step(self, said: Any, draft: Draft) -> Step:
        if said.kind == "move":
            return Move(said.name.strip(), said.object, said.towards)
        category = draft.objects[said.target]
        place = self._vocabulary.affordances.places.get(category)
        container = bool(set(stage_types.KEYPOINTS[category]) & set(INSIDE))
        possible = {place.region} if place is not None else set()
        possible |= {"inside"} if container else set()
        if possible and said.region not in possible:
            raise AnswerError(
                f"things cannot be put {said.region} a {category}, but {' or '.join(possible)}"
            )
        if not possible and said.region != "on_top":
            raise AnswerError(f"things cannot be put {said.region} a {category}, at most on_top")
        return Carry(said.object, said.target, said.region)

    def _parts(self, draft: Draft) -> tuple[list[str], list[str], list[str]]:
        """Names of objects that can be moved, carried, and that things can be put to."""
        items = self._vocabulary.carried
        movable = [n for n, c in draft.objects.items() if c not in items]
        carried = [n for n, c in draft.objects.items() if c in items]
        targets = [n for n in draft.objects if len(draft.objects) > 1]
        if not movable and not (carried and len(draft.objects) > 1):
            raise AnswerError(
                "with these objects nothing can be done: there is neither a joint nor a place to "
                "put things"
            )
        return movable, carried, targets

    def _check_new(self, answer: Any, known: Known) -> None:
        if answer.name in known.names:
            raise AnswerError(f"a task is named {answer.name} already; propose another one")
        said = {i.casefold().strip(" .") for i in known.instructions}
        if answer.instruction.casefold().strip(" .") in said:
            raise AnswerError("a task has this instruction already; propose another one")

    def _words(self, known: Known, categories: Any) -> dict[str, str]:
        wanted = self._wanted
        wish = []
        if wanted.target_object:
            wish.append(f"It shall be about: {plain(wanted.target_object, LONGEST_WISH)}")
        if wanted.target_task:
            wish.append(f"It shall be like: {plain(wanted.target_task, LONGEST_WISH)}")
        # What is wished for, or else what was done last, tells which examples are near.
        words = f"{wanted.target_object} {wanted.target_task}"
        if not words.strip() and known.instructions:
            words = known.instructions[-1]
        shown = self._examples(words, self._most) if self._most else ()
        return {
            "catalogue": self._vocabulary.catalogue(categories),
            "known": known_text(known),
            "examples": examples_text(shown),
            "wish": "\n".join(wish),
        }

    def chain(self, known: Known, asker: Asker) -> Draft:
        """A task made of skills of the library; nothing is left to be asked.

        Raises:
            StageError: There was no proposal of use.
        """
        affordances = self._vocabulary.affordances
        usable = set(self._vocabulary.categories)
        skills = {m.task: (c, way) for (c, way), m in affordances.moves.items() if c in usable}
        places = {_put_name(p): p for c, p in affordances.places.items() if c in usable}
        items = list(self._vocabulary.carried)

        def check(answer: Any) -> Draft:
            self._check_new(answer, known)
            draft = self._chained(answer, skills, places)
            if self._about and not set(self._about) & set(draft.objects.values()):
                raise AnswerError(f"one of the objects has to be a {' or a '.join(self._about)}")
            return draft

        told = {
            m.task: f"- {m.task}: {m.phrase}; a {m.category} towards {_towards(way)}"
            for (_, way), m in affordances.moves.items()
            if m.task in skills
        }
        question = prompting.filled(
            "chain",
            **{k: v for k, v in self._words(known, ()).items() if k != "catalogue"},
            skills="\n".join(told.values()),
            carries="\n".join(
                f"- {name}: {p.preposition} a {p.category}"
                f"{', which has to be open' if p.opened else ''}"
                for name, p in places.items()
            ),
            items=", ".join(items),
            steps=MAX_STEPS,
        )
        kind = stage_types.chain([*skills], [*places], items)
        return asker.ask("propose", question, kind, check)

    def _chained(
        self, answer: Any, skills: dict[str, tuple[str, str]], places: dict[str, Place]
    ) -> Draft:
        """Steps, places, solvers and goals of a chain, all of them those of the library."""
        affordances = self._vocabulary.affordances
        objects: dict[str, str] = {}
        specs: dict[str, Any] = {}
        steps: list[Step] = []
        ways: dict[str, tuple[Way, ...]] = {}
        begun: dict[str, float] = {}
        for said in answer.skills:
            if said.skill in skills:
                category, way = skills[said.skill]
                move = affordances.moves[category, way]
                name = noun(category).replace(" ", "_")
                if objects.get(name, category) != category:
                    raise AnswerError(f"two kinds of {noun(category)} are one too many")
                specs.setdefault(name, move.thing)
                begun.setdefault(name, 0.15 if _towards(way) == OPEN else 0.85)
                step = Move(_free(move.verb, steps, noun(category)), name, _towards(way))
                ways[step.name] = tuple(Way(reuse=s) for s in move.solvers)
                steps.append(step)
            else:
                place = places[said.skill]
                category, name = place.category, noun(place.category).replace(" ", "_")
                if objects.get(name, category) != category:
                    raise AnswerError(f"two kinds of {noun(category)} are one too many")
                specs.setdefault(name, place.target)
                if place.opened:
                    begun.setdefault(name, 0.9)
                objects[said.item] = said.item
                specs[said.item] = affordances.items[said.item]
                steps.append(Carry(said.item, name, place.region))
            objects.setdefault(name, category)
        # What things are put into stands first; the others find their places beside it.
        order = sorted(objects, key=lambda n: objects[n] in affordances.items)
        objects = {n: objects[n] for n in order}
        draft = Draft(answer.name, plain(answer.instruction), objects, tuple(steps), ways=ways)
        problem = draft.problem() or _state_problem(steps, begun)
        if problem:
            raise AnswerError(problem)
        jointed = [n for n in objects if objects[n] not in affordances.items]
        if len(jointed) > MAX_JOINTED:
            raise AnswerError(f"{' and '.join(jointed)} have no room beside each other; use two")
        sides = {n: side for side, n in enumerate(jointed)} if len(jointed) > 1 else {}
        placed = tuple(_placed(n, specs[n], begun.get(n), sides.get(n)) for n in objects)
        return Draft(
            draft.name, draft.instruction, objects, draft.steps, placed, ways, {}, _ends(steps)
        )


def _towards(way: str) -> str:
    return OPEN if way == "up" else CLOSED


def _put_name(place: Place) -> str:
    return PUT[place.region] + "".join(w.capitalize() for w in noun(place.category).split())


def _free(verb: str, steps: list[Step], thing: str) -> str:
    taken = {s.name for s in steps if isinstance(s, Move)}
    names = [verb, f"{verb} {thing}", *(f"{verb} {n}" for n in range(2, MAX_STEPS + 2))]
    return next(n for n in names if n not in taken)


def _state_problem(steps: list[Step], begun: dict[str, float]) -> str:
    """Whether a step asks for what is the case already; empty = none does."""
    state = {name: OPEN if openness > 0.5 else CLOSED for name, openness in begun.items()}
    for step in steps:
        if isinstance(step, Move):
            if state.get(step.object) == step.towards:
                return f"{step.object} is {step.towards} already when it is asked to be"
            state[step.object] = step.towards
        elif step.region != "under" and state.get(step.target) == CLOSED:
            return f"{step.target} is closed when {step.object} is put {step.region} it"
    return ""


def _placed(name: str, spec: Any, openness: float | None, side: int | None = None) -> Document:
    """Where an object of a chain stands: as in known tasks, or on a side of the table (0, 1)."""
    plain_place = spec.placement.model_dump(mode="json")
    if side is not None:
        plain_place |= {"y": (ASIDE, -ASIDE)[side], "spread": 0.05}
    started = spec.openness.default if openness is None else openness
    spread = spec.openness.spread if openness is None else 0.1
    anchor = plain_place.pop("anchor") or stage_types.ROOT
    return {
        "object": name,
        "anchor": anchor,
        **plain_place,
        "openness": started,
        "openness_spread": spread,
    }


def _ends(steps: list[Step]) -> tuple[Document, ...]:
    """The goal of a chain: how each joint ends, where each thing is, and that all of it rests."""
    last = {s.object: s for s in steps if isinstance(s, Move)}
    found: list[Document] = []
    for move in last.values():
        kind = "openness_above" if move.towards == OPEN else "openness_below"
        found.append({"kind": kind, "object": move.object})
    carried = [s for s in steps if isinstance(s, Carry)]
    for carry in carried:
        found += [there_now(carry), {"kind": "released", "object": carry.object}]
    rest = dict.fromkeys([*last, *(c.object for c in carried), *(c.target for c in carried)])
    return (*found, *({"kind": "settled", "object": name} for name in rest))
