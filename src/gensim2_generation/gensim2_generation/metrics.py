"""Figures of generations: how far proposals came, where others failed, and what a task costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .outcome import Decision

# In the order in which a proposal goes through them; those before novelty make it a valid task.
STAGES = (
    "propose",
    "decompose",
    "place",
    "constraints",
    "pre_motions",
    "post_motions",
    "predicates",
    "critique",
    "solvers",
    "task",
    "novelty",
    "limits",
    "start",
    "execute",
    "settle",
    "control",
)
OTHER = "other"
_NOVELTY = STAGES.index("novelty")


@dataclass(frozen=True)
class Passed:
    """A stage, and how many proposals reached and passed it."""

    stage: str
    reached: int
    passed: int


@dataclass(frozen=True)
class Figures:
    """Of all proposals of one source in one mode.

    Attributes:
        source: Backend and model.
        mode: In which they were made; empty = several.
        proposed: How many there were.
        valid: Of them, everything fits the typed models.
        novel: Of them, unlike every task known.
        executed: Of them, run in simulation.
        accepted: Of them, in the library.
        stages: Those at which a proposal may fail and at which at least one did, in their order.
        rejected: How many failed at each stage.
        pass_rate: Mean share of the episodes of accepted tasks that succeeded; 0 without any.
        novelty: Mean distance of their instructions to the nearest one known; 0 without any.
        repaired: Accepted tasks that had been sent back before.
        tokens: Of all proposals.
        cost: Of all proposals, in the currency of the price list.
        seconds: Of all proposals, in making and verifying, one after the other.
    """

    source: str
    mode: str
    proposed: int
    valid: int
    novel: int
    executed: int
    accepted: int
    stages: tuple[Passed, ...]
    rejected: dict[str, int]
    pass_rate: float
    novelty: float
    repaired: int
    tokens: int
    cost: float
    seconds: float

    @property
    def title(self) -> str:
        """Source and mode."""
        return f"{self.source}, {self.mode}" if self.mode else self.source

    def share(self, count: int) -> float:
        """Of the proposals, 0 to 1."""
        return count / self.proposed if self.proposed else 0.0

    def each(self, total: float) -> float | None:
        """For each accepted task; None without any."""
        return total / self.accepted if self.accepted else None


def figures(decisions: Sequence[Decision]) -> list[Figures]:
    """Figures of each source and mode, in the order in which they first appear."""
    groups: dict[tuple[str, str], list[Decision]] = {}
    modes: dict[str, Counter[str]] = {}
    for decision in decisions:
        modes.setdefault(decision.source, Counter()).update(
            [decision.mode] if decision.mode else []
        )
    for decision in decisions:
        # A proposal that is no task does not know its mode: it is that of the others.
        known = modes[decision.source]
        mode = decision.mode or (next(iter(known)) if len(known) == 1 else "")
        groups.setdefault((decision.source, mode), []).append(decision)
    return [_figures(source, mode, group) for (source, mode), group in groups.items()]


def _figures(source: str, mode: str, decisions: Sequence[Decision]) -> Figures:
    accepted = [d for d in decisions if d.accepted]
    rejected = Counter(_stage(d) for d in decisions if not d.accepted)
    stages, left = [], len(decisions)
    for stage in (*STAGES, OTHER):
        if rejected[stage]:
            stages.append(Passed(stage, left, left - rejected[stage]))
            left -= rejected[stage]
    n = len(accepted)
    return Figures(
        source=source,
        mode=mode,
        proposed=len(decisions),
        valid=n + _failed_from(rejected, _NOVELTY),
        novel=n + _failed_from(rejected, _NOVELTY + 1),
        executed=sum(d.episodes > 0 for d in decisions),
        accepted=n,
        stages=tuple(stages),
        rejected=dict(rejected),
        pass_rate=sum(d.pass_rate for d in accepted) / n if n else 0.0,
        novelty=sum(d.novelty for d in accepted) / n if n else 0.0,
        repaired=sum(d.repairs > 0 for d in accepted),
        tokens=sum(d.tokens for d in decisions),
        cost=sum(d.cost for d in decisions),
        seconds=sum(d.seconds for d in decisions),
    )


def _failed_from(rejected: Counter[str], first: int) -> int:
    """How many failed at a stage from this one on."""
    return sum(rejected[stage] for stage in STAGES[first:])


def _stage(decision: Decision) -> str:
    return decision.stage if decision.stage in STAGES else OTHER
