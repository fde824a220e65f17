"""The backend ``local``: a small language model decides, a few words at a time.

Such a model cannot write a task, but it can choose: what kind of task, with which objects, how
far, and at last how to say it. What it may choose from is what the grammar of tasks leaves open;
whether the outcome can be done is for the physics to say.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np
from gensim2_kpam.solver_config import SolverConfigError
from gensim2_tasks.catalogue import load_task
from pydantic import BaseModel, ConfigDict, Field, create_model

from . import local_prompts, local_wording
from .affordances import Affordances, noun
from .answers import AnswerError, UnusableReplyError, plain, read_answer
from .asker import Tally
from .asking import Ask, Model
from .candidate import Candidate, CandidateError, Origin
from .composer import OF_MODE, fits
from .grammar import Choice, Outline, choices, compose, outline
from .local_decisions import Decision, Path, menu, path_of
from .paraphrasing import said_before, said_otherwise, tasks_to_say
from .source import ExhaustedError, Known, Proposed, Refused, SourceError, Wanted
from .verdict import Verdict

STAGE = "propose"  # of all questions
MODES = (*OF_MODE, "paraphrase")
MOST_OPTIONS = 12  # that are offered at once
TRIES = 3  # for a sentence that says what the task is
DECIDING, WRITING = 1.0, 0.8  # temperatures
LONGEST_ANSWER = 64  # tokens
LONGEST_REASON = 200  # characters of a failure that are told
KEPT = 200  # candidates that can still be repaired
_WORD = "[a-z]{1,12}"
SENTENCE = rf"^[A-Z][a-z]{{1,11}}( {_WORD},?){{2,20}}\.$"


class Sentence(BaseModel):
    """An instruction, of plain words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instruction: str = Field(pattern=SENTENCE)


Wished = TypeVar("Wished", bound=BaseModel)


@dataclass
class _Making:
    """A candidate in the making: what it has cost, and what is worth knowing of it."""

    tally: Tally = field(default_factory=Tally)
    notes: list[str] = field(default_factory=list)


class LocalSource:
    """Implements `Source`.

    Args:
        wanted: What is asked for.
        affordances: What can be done.
        model: Decides.
        backend: For tables and records: local or replay.
        told: Called with the stage of every question.

    Raises:
        SourceError: The mode needs somebody who sees, or nothing fits what is wanted.
    """

    def __init__(
        self,
        wanted: Wanted,
        affordances: Affordances,
        model: Model,
        backend: str = "local",
        *,
        told: Callable[[str], None] = lambda stage: None,
    ) -> None:
        if wanted.mode not in MODES:
            more = "; the model sees nothing" if wanted.mode == "image" else ""
            raise SourceError(
                f"the backend local has no mode {plain(wanted.mode, 40)!r}: it has "
                f"{', '.join(MODES)}{more}"
            )
        self._wanted, self._affordances, self._model = wanted, affordances, model
        self._backend, self._told = backend, told
        self._rng = np.random.default_rng(wanted.seed)
        self._asked = 0
        self._nouns = {noun(c) for c in affordances.categories} | local_prompts.NOUNS
        self._made: OrderedDict[str, Path] = OrderedDict()
        self._left: dict[Path, Choice] = {}
        self._names: dict[Path, str] = {}
        self._known = Known()
        self._to_say: deque[str] = deque()
        if wanted.mode == "paraphrase":
            self._to_say.extend(tasks_to_say(wanted))
            return
        for choice in choices(affordances):
            if choice.family in OF_MODE[wanted.mode] and fits(choice, wanted, affordances):
                path = path_of(choice, affordances, wanted.mode)
                self._left[path] = choice
                self._names[path] = outline(choice, affordances).name
        if not self._left:
            raise SourceError(
                f"no task of the mode {wanted.mode} is about {plain(wanted.target_object, 60)!r} "
                f"{plain(wanted.target_task, 60)!r}; known objects: "
                f"{', '.join(affordances.categories)}"
            )

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"{self._backend} {self._model.name}"

    def propose(self, known: Known) -> Proposed:
        """See `Source`."""
        making, self._known = _Making(), known
        if self._wanted.mode == "paraphrase":
            return self._paraphrase(making)
        self._leave_out(set(known.names))
        if not self._left:
            raise ExhaustedError("every task that the grammar offers in this mode is known")
        try:
            path = self._complete((), making)
        except (AnswerError, UnusableReplyError) as error:
            return _refused(str(error), making)
        return self._finished(path, making)

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        """Has the model change one decision; what has failed is no option any more."""
        path = self._made.get(candidate.name)
        if path is None:
            return None
        making, reason = _Making(), plain(verdict.reason, LONGEST_REASON)
        try:
            changed = self._changed(path, making, reason)
        except (AnswerError, UnusableReplyError) as error:
            return _refused(str(error), making)
        if changed is None:
            return None
        repairs = (*candidate.origin.repairs, f"{verdict.stage}: {verdict.reason}")
        return self._finished(changed, making, repairs)

    def _leave_out(self, names: set[str]) -> None:
        self._left = {p: c for p, c in self._left.items() if self._names[p] not in names}

    def _complete(self, taken: Path, making: _Making) -> Path:
        """Has the model decide until only one task has all the decisions.

        Raises:
            AnswerError: It does not choose what is offered.
        """
        while found := menu(self._left, taken, MOST_OPTIONS, self._rng):
            if found.open > len(found.offered):
                making.notes.append(
                    f"{found.key}: {len(found.offered)} of {found.open} options were offered"
                )
            taken = (*taken, self._decide(found.key, taken, found.offered, making))
        return taken

    def _changed(self, path: Path, making: _Making, reason: str) -> Path | None:
        """Another path than one that failed, as close to it as the model wants; None = none."""
        menus = {}
        for depth, decision in enumerate(path):
            found = menu(
                self._left, path[:depth], MOST_OPTIONS, self._rng, frozenset({decision.text})
            )
            if found is not None:
                menus[decision.key] = depth, found
        if not menus:
            return None
        # Where skills follow one another, their keys are the same; the last one is changed.
        change = self._decide("change", path, tuple(menus), making, reason)
        depth, found = menus[change.text]
        kept = path[:depth]
        again = self._decide(found.key, kept, found.offered, making, reason)
        return self._complete((*kept, again), making)

    def _decide(
        self,
        key: str,
        taken: Path,
        options: tuple[str, ...],
        making: _Making,
        reason: str = "",
    ) -> Decision:
        if len(options) == 1:
            making.notes.append(f"{key}: only {options[0]!r} was left")
            return Decision(key, options[0])
        so_far = [(d.key, d.text) for d in taken]
        question = local_prompts.decision(key, so_far, options, reason)
        answer = self._ask(question, _one_of(key, options), DECIDING, making)
        return Decision(key, str(getattr(answer, key)))

    def _ask(
        self, question: str, kind: type[Wished], temperature: float, making: _Making
    ) -> Wished:
        self._asked += 1
        self._told(STAGE)
        answer = self._model.ask(
            Ask(
                stage=STAGE,
                system=local_prompts.SYSTEM,
                user=question,
                answer=kind,
                temperature=temperature,
                seed=(self._wanted.seed * 100_003 + self._asked) % 2**31,
                max_tokens=LONGEST_ANSWER,
            )
        )
        making.tally.add(answer)
        return read_answer(answer.text, kind)

    def _finished(self, path: Path, making: _Making, repairs: tuple[str, ...] = ()) -> Proposed:
        choice = self._left.pop(path)
        said = outline(choice, self._affordances)
        words = self._instruction(choice, said, making)
        try:
            candidate = compose(choice, self._affordances, self._origin(making, repairs), words)
        except CandidateError as error:
            return replace(_refused(str(error), making), stage=error.stage, name=said.name)
        self._made[candidate.name] = path
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return candidate

    def _instruction(self, choice: Choice, said: Outline, making: _Making) -> str:
        """What the model says, where that is the task; else empty, for the grammar to say it."""
        mine = [noun(c) for c in (choice.category, choice.other, *choice.items) if c]
        sentence = self._sentence(
            local_prompts.instruction(said.steps),
            lambda text: (
                local_wording.problem(text, said.steps, mine, self._nouns, self._known.instructions)
                or local_wording.added(text, (*said.steps, *mine))
            ),
            making,
        )
        if not sentence:
            making.notes.append("instruction: by the grammar")
        return sentence

    def _sentence(self, question: str, problem: Callable[[str], str], making: _Making) -> str:
        """The first sentence without a problem; empty = there was none."""
        for _ in range(TRIES):
            try:
                text = self._ask(question, Sentence, WRITING, making).instruction
                why = problem(text)
            except (AnswerError, UnusableReplyError) as error:
                text, why = "", str(error)
            if not why:
                return text
            making.notes.append(f"instruction {plain(text, 80)!r} refused: {plain(why, 120)}")
        return ""

    def _paraphrase(self, making: _Making) -> Proposed:
        name = self._to_say[0]
        # One task after another has its turn; one that is wanted is the only one.
        self._to_say.rotate(-1)
        task = load_task(name)
        before = [task.instruction, *said_before(name, self._known)]
        nouns = {noun(o.category) for o in task.objects}
        # The door of the oven is none of its own.
        others = {n for n in self._nouns if n not in task.instruction.lower()}
        sentence = self._sentence(
            local_prompts.other_words(task.instruction),
            lambda text: (
                local_wording.problem(text, (), nouns, others, before)
                or local_wording.turned(text, task.instruction)
                or local_wording.added(text, (task.instruction, *nouns))
            ),
            making,
        )
        if not sentence:
            return _refused(f"{name} in other words: {making.notes[-1]}", making)
        try:
            return said_otherwise(task, sentence, self._known, self._origin(making))
        except (CandidateError, SolverConfigError) as error:
            return _refused(str(error), making)

    def _origin(self, making: _Making, repairs: tuple[str, ...] = ()) -> Origin:
        return Origin(
            source=self._backend,
            model=self._model.name,
            mode=self._wanted.mode,
            prompts=local_prompts.REVISION,
            seed=self._wanted.seed,
            tokens=making.tally.tokens,
            cost=making.tally.cost,
            seconds=making.tally.seconds,
            repairs=repairs,
            notes=tuple(making.notes),
        )


def _one_of(key: str, options: tuple[str, ...]) -> type[BaseModel]:
    """Type of the answer to a question with options."""
    literal: Any = Literal
    fields: dict[str, Any] = {key: (literal[options], ...)}
    return create_model("Decided", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _refused(reason: str, making: _Making) -> Refused:
    return Refused(
        stage=STAGE,
        reason=reason,
        tokens=making.tally.tokens,
        cost=making.tally.cost,
        seconds=making.tally.seconds,
    )
