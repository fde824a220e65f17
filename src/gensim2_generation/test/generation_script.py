"""A scripted source, verifier and library."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from gensim2_generation.affordances import shipped_affordances
from gensim2_generation.candidate import Candidate, Origin
from gensim2_generation.grammar import Choice, Family, compose
from gensim2_generation.source import ExhaustedError, Known, Proposed
from gensim2_generation.verdict import EXPERT, Trial, Verdict

KNOWN = shipped_affordances()
ORIGIN = Origin("catalogue")


def candidate(level: float = 0.5, category: str = "drawer", words: str = "") -> Candidate:
    choice = Choice(Family.PART_WAY, category, "up", level)
    return compose(choice, KNOWN, ORIGIN, words)


def verdict(accepted: bool, stage: str = "execute", reason: str = "it fell") -> Verdict:
    trials = (Trial(EXPERT, 1, "a", accepted, accepted),)
    return Verdict(accepted, "" if accepted else stage, "" if accepted else reason, trials)


class Script:
    """A source that proposes what it is told to."""

    name = "script"

    def __init__(self, *given: Proposed | Exception, repairs: Sequence[Proposed] = ()) -> None:
        self.given, self.repairs = list(given), list(repairs)
        self.known: list[Known] = []
        self.reasons: list[str] = []

    def propose(self, known: Known) -> Proposed:
        self.known.append(known)
        if not self.given:
            raise ExhaustedError("nothing more")
        first = self.given.pop(0)
        if isinstance(first, Exception):
            raise first
        return first

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        self.reasons.append(verdict.reason)
        return self.repairs.pop(0) if self.repairs else None


class Judge:
    """A pool that judges by name; what it does not know is never done."""

    def __init__(self, **by_name: Verdict) -> None:
        self.by_name = by_name

    def submit(self, candidate: Candidate) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        if candidate.name in self.by_name:
            future.set_result(self.by_name[candidate.name])
        return future


class Shelf:
    """A library in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Candidate] = {}
        self.rejected: list[tuple[str, str, str]] = []

    def names(self) -> list[str]:
        return sorted(self.kept)

    def load(self, name: str) -> Candidate:
        return self.kept[name]

    def add(self, candidate: Candidate, *_: object) -> Path:
        self.kept[candidate.name] = candidate
        return Path(candidate.name)

    def reject(self, proposed: Proposed, stage: str, reason: str, *_: object) -> Path:
        self.rejected.append((proposed.name, stage, reason))
        return Path("rejected")
