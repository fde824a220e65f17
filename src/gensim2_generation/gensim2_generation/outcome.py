"""What a generation has led to, and how far one is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class End(IntEnum):
    """How a generation ends; the values of gensim2_msgs/srv/GenerateTask."""

    NONE = 0
    BAD_REQUEST = 1
    BUSY = 2
    BACKEND_FAILED = 3
    BUDGET = 4
    TIMEOUT = 5
    CANCELED = 6
    NOT_ENOUGH = 7
    INTERNAL = 99


@dataclass(frozen=True)
class Counts:
    """How many proposals came how far, and what they cost."""

    proposed: int = 0
    valid: int = 0
    novel: int = 0
    executed: int = 0
    accepted: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What became of one proposal.

    Attributes:
        name: Of the task.
        instruction: Of the task.
        accepted: Whether it is in the library now.
        stage: At which it failed: one of `Refused`, ``novelty``, or one of `Verdict`.
        reason: Why, in words.
        mode: In which it was made.
        source: Backend and model.
        pass_rate: Share of the expert's episodes.
        episodes: Of the expert.
        novelty: Distance to the nearest known instruction.
        repairs: Times it has been sent back before.
        tokens: Read and written.
        cost: In the currency of the price list.
        seconds: Wall time of making and verifying.
        file: Of the task, or of the record of its rejection.
    """

    name: str
    instruction: str
    accepted: bool
    stage: str
    reason: str
    mode: str
    source: str
    pass_rate: float = 0.0
    episodes: int = 0
    novelty: float = 0.0
    repairs: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    file: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a generation is; see gensim2_msgs/msg/GenerationProgress."""

    run: str
    stage: str
    task: str
    wanted: int
    counts: Counts
    elapsed: float
    note: str


@dataclass(frozen=True)
class Outcome:
    """What a generation has led to.

    Attributes:
        decisions: One for each proposal, in order.
        counts: Of them.
        end: How it ended.
        text: Why, in words; empty = all that was wanted is there.
        seconds: Wall time.
        run: Folder of its record.
    """

    decisions: tuple[Decision, ...]
    counts: Counts
    end: End
    text: str
    seconds: float
    run: Path
