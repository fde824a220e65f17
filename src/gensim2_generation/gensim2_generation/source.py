"""Where candidates come from: what a backend offers to the loop that verifies them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .candidate import Candidate
from .verdict import Verdict

MODES = ("primitive", "topdown", "bottomup", "paraphrase", "image")
BACKENDS = ("catalogue", "openai", "local", "replay")


class SourceError(RuntimeError):
    """The backend does not work: nobody answers, a wrong key, no such model; says how to mend."""


class BudgetError(RuntimeError):
    """Tokens, money or time are used up; says which."""


class ExhaustedError(RuntimeError):
    """The source has nothing more to propose."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        mode: One of `MODES`.
        target_object: Category or words; empty = any.
        target_task: Name of a task, or words; empty = any.
        image: File of a picture; empty = none.
        seed: Of everything that is drawn.
    """

    mode: str = "primitive"
    target_object: str = ""
    target_task: str = ""
    image: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Refused:
    """A proposal that is no valid task.

    Attributes:
        stage: propose, decompose, place, constraints, pre_motions, post_motions, predicates,
            critique.
        reason: In words; text of a model is quoted, cut and without control characters.
        name: As proposed; empty = it has none.
        instruction: As proposed.
        tokens: Read and written.
        cost: In the currency of the price list.
        seconds: Wall time.
    """

    stage: str
    reason: str
    name: str = ""
    instruction: str = ""
    tokens: tuple[int, int] = (0, 0)
    cost: float = 0.0
    seconds: float = 0.0


Proposed = Candidate | Refused


@dataclass(frozen=True)
class Known:
    """Tasks that exist: what is new is unlike all of them.

    Attributes:
        names: Of all tasks, shipped, of the library, and proposed before.
        instructions: Of the same, in the same order.
    """

    names: tuple[str, ...] = ()
    instructions: tuple[str, ...] = field(default=())


class Source(Protocol):
    """Proposes candidates, one at a time."""

    @property
    def name(self) -> str:
        """For tables: ``catalogue``, or backend and model."""

    def propose(self, known: Known) -> Proposed:
        """Makes the next candidate.

        Raises:
            SourceError, BudgetError, ExhaustedError: See there.
        """

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        """Makes another one of a candidate that failed; None = this source does not repair.

        Raises:
            SourceError, BudgetError: See there.
        """
