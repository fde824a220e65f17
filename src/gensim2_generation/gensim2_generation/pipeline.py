"""The stages that make a task of a proposal: place, solvers, predicates, critique.

Each asks one question, checks the answer by the models that read every task, and hands on a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import prompting, stage_types, vocabulary
from .answers import AnswerError
from .asker import Asker
from .assembly import assemble, holds_at_start, scene_task, solver_of
from .candidate import MAX_SOLVERS, Candidate, CandidateError, Document, Origin
from .draft import Draft, Move, Way
from .draft_text import (
    document_text,
    objects_text,
    start_text,
    steps_text,
    task_text,
    ways_text,
)
from .seeing import PictureError, Pictures, Shown
from .stages import MAX_TRIALS, Critique, Reply
from .vocabulary import Vocabulary

PARTS = ("place", "constraints", "pre_motions", "post_motions", "predicates")
"""Stages that complete a draft, in order; what one answers, the later ones rest upon."""


@dataclass(frozen=True)
class PipelineOptions:
    """How tasks are made.

    Attributes:
        trials: Alternatives of the solver configuration of a step; all of them are tried in order
            when the task runs.
        regenerations: Times a stage is asked again when its answer is of no use.
        reflections: Critiques that have to agree that a task makes sense; 0 = none is asked for.
        reuse: Whether known solver configurations may be reused.
        together: Motions before and after the actuation pose in one question instead of two.
        examples: Accepted tasks of the library that a proposal shows, and as many rejected ones.
    """

    trials: int = 3
    regenerations: int = 5
    reflections: int = 0
    reuse: bool = True
    together: bool = False
    examples: int = 3

    def __post_init__(self) -> None:
        bounds = {"trials": (1, MAX_TRIALS), "regenerations": (0, 20), "reflections": (0, 5)}
        for name, (least, most) in {**bounds, "examples": (0, 20)}.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}: give {least} to {most}, not {getattr(self, name)}")


class Pipeline:
    """Completes drafts.

    Args:
        vocabulary: What tasks can be about.
        options: How tasks are made.
        pictures: For models that see; None = text only.
    """

    def __init__(
        self, vocabulary: Vocabulary, options: PipelineOptions, pictures: Pictures | None = None
    ) -> None:
        self._vocabulary, self._options, self._pictures = vocabulary, options, pictures

    def complete(self, draft: Draft, asker: Asker, since: str = PARTS[0], why: str = "") -> Draft:
        """Asks what is missing.

        Args:
            draft: Objects and steps are known.
            asker: Who is asked.
            since: The first of `PARTS` that is asked for; earlier ones stay.
            why: What was wrong with the last answer of that stage; empty = nothing.

        Raises:
            StageError: A stage has had no answer of use.
        """
        first = PARTS.index(since)
        for number, part in enumerate(PARTS[first:], start=first):
            reason = why if number == first else ""
            if part == "place":
                draft = self._place(draft, asker, reason)
            elif part == "constraints":
                draft = self._each(draft, asker, reason, self._constraints)
            elif part == "pre_motions":
                draft = self._each(draft, asker, reason, self._pre)
            elif part == "post_motions" and not self._options.together:
                draft = self._each(draft, asker, reason, self._post)
            elif part == "predicates":
                draft = self._goals(draft, asker, reason)
        return draft

    def criticise(self, draft: Draft, candidate: Candidate, known: str, asker: Asker) -> str:
        """What critics say against a task; empty = all agree that it makes sense."""
        question = prompting.filled(
            "critique", task=task_text(draft), document=document_text(candidate), known=known
        )
        shown = (
            []
            if self._pictures is None or not self._options.reflections
            else self._see(lambda p: [*p.scene(candidate.task), *p.motion(candidate, "")])
        )
        for _ in range(self._options.reflections):
            found = asker.ask("critique", question, Critique, lambda c: c, shown)
            if not found.passes:
                return found.reason or "a critic says that it makes no sense"
        return ""

    def part_to_mend(
        self, draft: Draft, candidate: Candidate, reason: str, asker: Asker, subtask: str = ""
    ) -> tuple[str, str]:
        """Asks which of `PARTS` is to be made anew, or ``give_up``, and why.

        Args:
            draft: That the candidate was made of.
            candidate: That failed.
            reason: What was measured.
            asker: Who is asked.
            subtask: That failed; empty = unknown.
        """
        parts = [p for p in PARTS if self._has(draft, p)]
        question = prompting.filled(
            "repair",
            task=task_text(draft),
            document=document_text(candidate),
            reason=reason,
            parts=", ".join(parts),
        )
        shown = self._see(lambda p: [*p.scene(candidate.task), *p.motion(candidate, subtask)])
        kind = stage_types.mending(parts)
        found: Any = asker.ask("repair", question, kind, lambda answer: answer, shown)
        return found.part, found.diagnosis

    def _has(self, draft: Draft, part: str) -> bool:
        if part in ("place", "predicates"):
            return True
        if part == "post_motions" and self._options.together:
            return False
        ways = [w for ws in draft.ways.values() for w in ws]
        return any(not w.reuse for w in ways) if part == "pre_motions" else bool(ways)

    def _place(self, draft: Draft, asker: Asker, why: str) -> Draft:
        question = prompting.filled(
            "place",
            task=task_text(draft),
            steps=steps_text(draft),
            usual=self._vocabulary.usual_places(draft.objects),
        )

        def check(answer: Any) -> Draft:
            places = [p.model_dump(mode="json") for p in answer.objects]
            names = [str(p["object"]) for p in places]
            if set(names) != set(draft.objects):
                missing = ", ".join(n for n in draft.objects if n not in names)
                raise AnswerError(f"every object once: {missing} is missing")
            for place in places:
                if draft.objects[place["object"]] in self._vocabulary.carried:
                    place["openness"] = place["openness_spread"] = 0.0
            placed = replace(draft, places=tuple(places))
            scene_task(placed)
            return placed

        return asker.ask(
            "place", _because(question, why), stage_types.placing(draft.objects), check
        )

    def _each(
        self,
        draft: Draft,
        asker: Asker,
        why: str,
        stage: Callable[[Draft, Move, Asker, str, list[Shown]], tuple[Way, ...]],
    ) -> Draft:
        """Asks a solver stage for each move."""
        ways = dict(draft.ways)
        for move in draft.moves:
            shown = self._see(lambda p: [*p.scene(scene_task(draft)), *p.gripper()])
            ways[move.name] = stage(draft, move, asker, why, shown)
        return replace(draft, ways=ways)

    def _constraints(
        self, draft: Draft, move: Move, asker: Asker, why: str, shown: list[Shown]
    ) -> tuple[Way, ...]:
        category = draft.objects[move.object]
        known = self._vocabulary.solvers(category)
        trials = max(1, min(self._options.trials, MAX_SOLVERS // len(draft.moves)))
        question = prompting.filled(
            "constraints",
            **self._about(draft, move),
            trials=trials,
            keypoints=vocabulary.object_keypoints(category),
        )
        if self._options.reuse and known:
            question += (
                f"\n\nAn alternative of kind reuse takes one of them as it is: {', '.join(known)}."
            )

        def check(answer: Any) -> tuple[Way, ...]:
            ways = []
            for number, found in enumerate(answer.alternatives, start=1):
                if found.kind == "reuse":
                    ways.append(Way(reuse=found.solver))
                    continue
                plain = tuple(c.model_dump(mode="json") for c in found.constraint_list)
                ways.append(Way(gripper=found.gripper, constraints=plain))
                _checked(ways[-1], number)
            return tuple(ways)

        kind = stage_types.constraints(category, known if self._options.reuse else (), trials)
        return asker.ask("constraints", _because(question, why), kind, check, shown)

    def _pre(
        self, draft: Draft, move: Move, asker: Asker, why: str, shown: list[Shown]
    ) -> tuple[Way, ...]:
        ways = draft.ways[move.name]
        own = [w for w in ways if not w.reuse]
        both = self._options.together
        told = list(ways) if both else own
        if not told:
            return ways
        question = prompting.filled(
            "motions" if both else "pre_motions",
            **self._about(draft, move),
            alternatives=ways_text(told),
            keypoints=vocabulary.object_keypoints(draft.objects[move.object]),
            count=len(told),
        )

        def check(answer: Any) -> tuple[Way, ...]:
            found = []
            for number, (way, said) in enumerate(zip(told, answer.alternatives, strict=True), 1):
                pre = () if way.reuse else _motions(said.pre if both else said.motions)
                post = _motions(said.post) if both else None
                found.append(_checked(replace(way, pre=pre, post=post), number))
            return _merged(ways, told, found)

        kind = stage_types.motions(len(told), self._turns(draft, move), after=False, both=both)
        return asker.ask("pre_motions", _because(question, why), kind, check, shown)

    def _post(
        self, draft: Draft, move: Move, asker: Asker, why: str, shown: list[Shown]
    ) -> tuple[Way, ...]:
        ways = draft.ways[move.name]
        question = prompting.filled(
            "post_motions",
            **self._about(draft, move),
            alternatives=ways_text(ways),
            count=len(ways),
        )

        def check(answer: Any) -> tuple[Way, ...]:
            return tuple(
                _checked(replace(way, post=_motions(said.motions)), number)
                for number, (way, said) in enumerate(zip(ways, answer.alternatives, strict=True), 1)
            )

        kind = stage_types.motions(len(ways), self._turns(draft, move), after=True)
        return asker.ask("post_motions", _because(question, why), kind, check, shown)

    def _goals(self, draft: Draft, asker: Asker, why: str) -> Draft:
        # The only step of a task is done when the task is.
        names = [m.name for m in draft.moves] if len(draft.steps) > 1 else []
        question = prompting.filled(
            "predicates",
            task=task_text(draft),
            objects=objects_text(draft),
            steps=steps_text(draft),
            start=start_text(draft),
            and_steps=f", and when each of the steps {', '.join(names)} is" if names else "",
        )

        def check(answer: Any) -> Draft:
            success = _predicates(answer.success)
            steps = getattr(answer, "steps", [])
            done = {s.step: _predicates(s.done) for s in steps}
            if set(done) != set(names):
                raise AnswerError(f"every step once: {', '.join(names)}")
            problem = holds_at_start(draft, success)
            if problem:
                raise AnswerError(problem)
            complete = replace(draft, success=success, done=done)
            assemble(complete, Origin(""))
            return complete

        kind = stage_types.goals(draft.objects, names)
        return asker.ask("predicates", _because(question, why), kind, check)

    def _about(self, draft: Draft, move: Move) -> dict[str, object]:
        known = self._vocabulary.solvers(draft.objects[move.object])
        return {
            "task": task_text(draft),
            "step": move.name,
            "category": draft.objects[move.object],
            "towards": move.towards,
            "known": vocabulary.solver_examples(known if self._options.reuse else known[:1]),
        }

    def _turns(self, draft: Draft, move: Move) -> bool:
        return vocabulary.axis_of(draft.objects[move.object]) is not None

    def _see(self, look: Callable[[Pictures], list[Shown]]) -> list[Shown]:
        """Pictures, or none where there is nothing to be seen: text has to do then."""
        if self._pictures is None:
            return []
        try:
            return look(self._pictures)
        except PictureError:
            return []


def _checked(way: Way, number: int) -> Way:
    try:
        solver_of(way, "alternative")
    except CandidateError as error:
        raise AnswerError(f"alternative {number}: {error}") from None
    return way


def _merged(ways: Sequence[Way], asked: Sequence[Way], found: Sequence[Way]) -> tuple[Way, ...]:
    """The ways, those that were asked about replaced."""
    if len(asked) == len(ways):
        return tuple(found)
    left = iter(found)
    return tuple(w if w.reuse else next(left) for w in ways)


def _motions(said: Sequence[Reply]) -> tuple[object, ...]:
    plain = [m.model_dump(mode="json") for m in said]
    return tuple([m["kind"], m["value"]] if "value" in m else m["kind"] for m in plain)


def _predicates(said: Sequence[Reply]) -> tuple[Document, ...]:
    return tuple(p.model_dump(mode="json") for p in said)


def _because(question: str, why: str) -> str:
    return prompting.filled("again", question=question, reason=why) if why else question
