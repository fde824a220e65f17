"""Asks a language model stage by stage, until an answer is of use or has been tried for enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from . import prompting
from .answers import AnswerError, UnusableReplyError, plain, read_answer
from .asking import Answer, Ask, Model
from .candidate import CandidateError
from .seeing import Shown, images_of, with_captions
from .source import SourceError

STAGES = (
    *("propose", "decompose", "place", "constraints", "pre_motions", "post_motions"),
    *("predicates", "critique", "repair"),
)
# Of the public pipeline, where it has one.
TEMPERATURES: Mapping[str, float] = {
    "propose": 0.3,
    "decompose": 0.0,
    "place": 0.3,
    "constraints": 0.8,
    "pre_motions": 0.8,
    "post_motions": 0.8,
    "predicates": 0.0,
    "critique": 0.4,
    "repair": 0.4,
}
AGAIN = 0.2  # at least, where an answer has to be another one than the last
MAX_REASON = 1000  # characters
Wanted = TypeVar("Wanted", bound=BaseModel)
Result = TypeVar("Result")


class StageError(Exception):
    """A stage has had no answer of use."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


@dataclass
class Tally:
    """What the questions for one candidate have cost."""

    read: int = 0
    written: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def add(self, answer: Answer) -> None:
        """Takes in an answer."""
        self.read += answer.tokens[0]
        self.written += answer.tokens[1]
        self.cost += answer.cost
        self.seconds += answer.seconds

    @property
    def tokens(self) -> tuple[int, int]:
        """Read and written."""
        return self.read, self.written


@dataclass(frozen=True)
class Backends:
    """Who answers at which stage, and how.

    Attributes:
        default: Answers where no other is named.
        of_stage: Models by stage.
        temperatures: By stage; those left out are `TEMPERATURES`.
        max_tokens: Of an answer.

    Raises:
        SourceError: A stage is unknown, or a temperature is not from 0 to 2.
    """

    default: Model
    of_stage: Mapping[str, Model] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    max_tokens: int = 4096

    def __post_init__(self) -> None:
        for stage in (*self.of_stage, *self.temperatures):
            if stage not in STAGES:
                raise SourceError(
                    f"there is no stage {plain(stage, 40)!r}; stages: {', '.join(STAGES)}"
                )
        for stage, value in self.temperatures.items():
            if not 0.0 <= value <= 2.0:
                raise SourceError(f"the temperature of {stage} is {value}; give 0 to 2")

    def model(self, stage: str) -> Model:
        """Who answers at a stage."""
        return self.of_stage.get(stage, self.default)

    def temperature(self, stage: str) -> float:
        """Of a stage."""
        return self.temperatures.get(stage, TEMPERATURES[stage])


class Asker:
    """Asks, reads and checks.

    Args:
        backends: Who answers.
        regenerations: Times a stage is asked again.
        seed: Of the first question; each one has another.
        told: Called with the stage before every question.
    """

    def __init__(
        self,
        backends: Backends,
        regenerations: int,
        seed: int,
        told: Callable[[str], None] = lambda stage: None,
    ) -> None:
        self._backends, self._regenerations, self._told = backends, regenerations, told
        self._seed = seed
        self.tally = Tally()

    def ask(
        self,
        stage: str,
        question: str,
        kind: type[Wanted],
        check: Callable[[Wanted], Result],
        shown: Sequence[Shown] = (),
    ) -> Result:
        """Asks until the answer is of use.

        Args:
            stage: One of `STAGES`.
            question: In words.
            kind: Type of the answer.
            check: Makes something of the answer; raises AnswerError or CandidateError.
            shown: Pictures for it.

        Raises:
            StageError: No answer was of use; tells what was wrong with the last.
            SourceError, BudgetError: See `Model`.
        """
        reason = ""
        for attempt in range(self._regenerations + 1):
            user = question
            if reason:
                user = prompting.filled("again", question=question, reason=reason)
            temperature = self._backends.temperature(stage)
            asked = Ask(
                stage=stage,
                system=prompting.system(),
                user=with_captions(user, shown),
                answer=kind,
                images=images_of(shown),
                temperature=max(temperature, AGAIN) if attempt else temperature,
                seed=self._next_seed(),
                max_tokens=self._backends.max_tokens,
            )
            self._told(stage)
            try:
                answer = self._backends.model(stage).ask(asked)
                self.tally.add(answer)
                return check(read_answer(answer.text, kind))
            except (AnswerError, CandidateError, UnusableReplyError) as error:
                reason = plain(str(error), MAX_REASON)
        raise StageError(stage, reason)

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed % 2**31
