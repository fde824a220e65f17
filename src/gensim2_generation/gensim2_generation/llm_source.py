"""The backends that ask a language model: a `Source` of candidates, stage by stage.

Which model answers, and whether it is asked or replayed, is the business of the `Backends`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from gensim2_kpam.solver_config import SolverConfigError
from gensim2_tasks.catalogue import load_task

from . import prompting
from .answers import plain
from .asker import Asker, Backends, StageError
from .assembly import assemble
from .candidate import Candidate, CandidateError, Origin
from .draft import Draft
from .examples import Examples, known_text, no_examples
from .image_input import ImageError, read_image
from .paraphrasing import said_before, said_otherwise, tasks_to_say
from .pipeline import PARTS, Pipeline, PipelineOptions
from .proposals import Proposer
from .seeing import Pictures
from .source import (
    MODES,
    Known,
    Proposed,
    Refused,
    SourceError,
    Wanted,
)
from .stages import MAX_PARAPHRASES, Paraphrases
from .verdict import Verdict
from .vocabulary import Vocabulary

KEPT = 200  # drafts that can still be repaired
GIVE_UP = "give_up"
LONGEST_REASON = 4000  # characters of a verdict that a question quotes


@dataclass(frozen=True)
class _Made:
    """A candidate that can be repaired: its draft, and what exists beside it."""

    draft: Draft
    known: Known


@dataclass
class _Paraphrasing:
    """Tasks that are still to be said in other words, and words that were found for one."""

    left: deque[str] = field(default_factory=deque)
    found: deque[tuple[str, str]] = field(default_factory=deque)


class LlmSource:
    """Implements `Source`.

    Args:
        wanted: What is asked for.
        backends: Who answers.
        name: Of the backend, for tables and records: openai, local or replay.
        options: How tasks are made.
        vocabulary: What tasks can be about.
        examples: Tasks of the library, accepted and rejected ones.
        pictures: For models that see; None = text only.
        told: Called with the stage before every question; stages are those of `asker.STAGES`.

    Raises:
        SourceError: There is no such mode, no such task to say in other words, or no such picture.
    """

    def __init__(
        self,
        wanted: Wanted,
        backends: Backends,
        name: str = "openai",
        *,
        options: PipelineOptions | None = None,
        vocabulary: Vocabulary | None = None,
        examples: Examples = no_examples,
        pictures: Pictures | None = None,
        told: Callable[[str], None] = lambda stage: None,
    ) -> None:
        if wanted.mode not in MODES:
            raise SourceError(
                f"there is no mode {plain(wanted.mode, 40)!r}; modes: {', '.join(MODES)}"
            )
        self._wanted, self._backends, self._backend = wanted, backends, name
        self._told = told
        self._options = options or PipelineOptions()
        vocabulary = vocabulary or Vocabulary()
        self._proposer = Proposer(wanted, vocabulary, examples, self._options.examples)
        self._pipeline = Pipeline(vocabulary, self._options, pictures)
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._seed = wanted.seed * 100_003
        self._image = _picture(wanted) if wanted.mode == "image" else None
        self._said = _Paraphrasing()
        if wanted.mode == "paraphrase":
            self._said.left.extend(tasks_to_say(wanted))

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"{self._backend} {self._backends.default.name}"

    def propose(self, known: Known) -> Proposed:
        """See `Source`."""
        asker = self._asker()
        try:
            if self._wanted.mode == "paraphrase":
                return self._paraphrase(known, asker)
            draft = self._draft(known, asker)
        except StageError as error:
            return _refused(error, asker)
        return self._finished(draft, known, asker)

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        """See `Source`."""
        made = self._made.get(candidate.name)
        if made is None:
            return None
        asker, reason = self._asker(), reason_text(verdict)
        failed = next((t.subtask for t in verdict.expert if t.subtask), "")
        draft = made.draft
        try:
            part, why = self._pipeline.part_to_mend(draft, candidate, reason, asker, failed)
            if part == GIVE_UP:
                raise StageError("repair", f"the model gives up: {why or 'it does not say why'}")
            draft = self._pipeline.complete(draft, asker, part, f"{reason}. {why}")
        except StageError as error:
            return _refused(error, asker, draft)
        repairs = (*candidate.origin.repairs, f"{verdict.stage}: {verdict.reason}")
        return self._finished(draft, made.known, asker, repairs)

    def _asker(self) -> Asker:
        self._seed += 1_000
        return Asker(self._backends, self._options.regenerations, self._seed, self._told)

    def _draft(self, known: Known, asker: Asker) -> Draft:
        if self._wanted.mode == "bottomup":
            return self._proposer.chain(known, asker)
        if self._wanted.mode == "primitive":
            draft = self._proposer.primitive(known, asker)
        else:
            draft = self._proposer.long(known, asker, self._image)
        try:
            return self._pipeline.complete(draft, asker)
        except StageError as error:
            raise _NamedError(error, draft) from None

    def _finished(
        self, draft: Draft, known: Known, asker: Asker, repairs: tuple[str, ...] = ()
    ) -> Proposed:
        """The candidate of a draft, once critics agree with it."""
        try:
            for number in range(self._options.regenerations + 1):
                candidate = assemble(draft, self._origin(asker, repairs))
                said = self._pipeline.criticise(draft, candidate, known_text(known), asker)
                if not said:
                    break
                if number == self._options.regenerations or not draft.places:
                    raise StageError("critique", said)
                part, why = self._pipeline.part_to_mend(draft, candidate, said, asker)
                if part == GIVE_UP:
                    raise StageError("critique", said)
                draft = self._pipeline.complete(draft, asker, part, f"{said} {why}")
        except CandidateError as error:
            return _refused(StageError(error.stage, str(error)), asker, draft)
        except StageError as error:
            return _refused(error, asker, draft)
        self._made[draft.name] = _Made(draft, known)
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return replace(candidate, origin=self._origin(asker, repairs))

    def _origin(self, asker: Asker, repairs: tuple[str, ...] = ()) -> Origin:
        tally = asker.tally
        return Origin(
            source=self._backend,
            model=self._backends.default.name,
            mode=self._wanted.mode,
            prompts=prompting.version(),
            seed=self._wanted.seed,
            tokens=tally.tokens,
            cost=tally.cost,
            seconds=tally.seconds,
            repairs=repairs,
        )

    def _paraphrase(self, known: Known, asker: Asker) -> Proposed:
        """The next way to say a task; a question gives several at once."""
        said = self._said
        if not said.found:
            name = said.left[0]
            task = load_task(name)
            before = [task.instruction, *said_before(name, known)]
            question = prompting.filled(
                "paraphrase",
                count=MAX_PARAPHRASES // 2,
                task=f"Task {name}: {task.instruction}",
                known="\n".join(f"- {plain(i)}" for i in before),
            )
            found = asker.ask("propose", question, Paraphrases, lambda answer: answer)
            # One task after another has its turn; one that is wanted is the only one.
            said.left.rotate(-1)
            said.found.extend((name, plain(i)) for i in found.instructions)
        name, instruction = said.found.popleft()
        task = load_task(name)
        try:
            return said_otherwise(task, instruction, known, self._origin(asker))
        except (CandidateError, SolverConfigError) as error:
            return _refused(StageError("propose", str(error)), asker)


class _NamedError(StageError):
    """A stage has failed of a task whose name is known."""

    def __init__(self, error: StageError, draft: Draft) -> None:
        super().__init__(error.stage, str(error))
        self.draft = draft


def _refused(error: StageError, asker: Asker, draft: Draft | None = None) -> Refused:
    if draft is None and isinstance(error, _NamedError):
        draft = error.draft
    return Refused(
        stage=error.stage,
        reason=plain(str(error), LONGEST_REASON),
        name=draft.name if draft is not None else "",
        instruction=draft.instruction if draft is not None else "",
        tokens=asker.tally.tokens,
        cost=asker.tally.cost,
        seconds=asker.tally.seconds,
    )


def reason_text(verdict: Verdict) -> str:
    """What was measured of a candidate that failed, for a question."""
    lines = [f"Failed at: {verdict.stage}. {verdict.reason}"]
    for trial in verdict.trials:
        if trial.success and trial.held and trial.actor == "expert":
            continue
        measured = ", ".join(
            f"{m.name} is {m.value:.3f} ({'met' if m.satisfied else 'not met'}, "
            f"threshold {m.threshold:g})"
            for m in trial.measured
        )
        step = f" at sub-task {trial.subtask}" if trial.subtask else ""
        lines.append(
            f"- {trial.actor}, seed {trial.seed}, {trial.asset}: "
            f"{'success' if trial.success else 'no success'}{step}; "
            f"{trial.failure} {trial.reason}; {measured}"
        )
    text = "\n".join(plain(line, 600) for line in lines)
    return text[:LONGEST_REASON]


def _picture(wanted: Wanted) -> bytes:
    if not wanted.image:
        raise SourceError("the mode image needs a picture: give image:=FILE")
    try:
        return read_image(Path(wanted.image))
    except ImageError as error:
        raise SourceError(str(error)) from None


assert GIVE_UP not in PARTS
