"""Workers that are too slow, too greedy, or crash."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import pytest
from gensim2_generation.affordances import shipped_affordances
from gensim2_generation.candidate import Candidate, Origin
from gensim2_generation.grammar import Choice, Family, compose
from gensim2_generation.judging import Verifier
from gensim2_generation.verdict import Verdict
from gensim2_generation.verify_pool import Canceled, Limits, VerifierError, VerifyPool

KNOWN = shipped_affordances()
GOOD = Verdict(True, "", "", ())


@dataclass(frozen=True)
class Faulty:
    """Makes a verifier that does with a candidate what the word says."""

    word: str

    def __call__(self) -> Verifier:
        if self.word == "start":
            raise RuntimeError("no physics here")
        if self.word == "vanish":
            os._exit(3)
        return _Faulty(self.word)


@dataclass(frozen=True)
class _Faulty:
    word: str

    def verify(self, candidate: Candidate) -> Verdict:
        if "50" in candidate.name:
            return GOOD
        if self.word == "crash":
            os._exit(7)
        if self.word == "hang":
            threading.Event().wait()
        while self.word == "spin":
            pass
        if self.word == "memory":
            bytearray(10**12)
        if self.word == "error":
            raise ValueError("x" * 10_000)
        return GOOD


def candidate(level: float) -> Candidate:
    return compose(Choice(Family.PART_WAY, "drawer", "up", level), KNOWN, Origin("catalogue"))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("crash", "crashed (exit code 7)"),
        ("spin", "not done within 1 s of CPU time"),
        ("hang", "not done within 1 s of CPU time"),
        ("memory", "more than 8 GB of memory"),
        ("error", "ValueError: xxx"),
    ],
)
def test_whatever_a_candidate_does_there_is_a_verdict_and_the_next_one_runs(
    word: str, said: str
) -> None:
    limits = Limits(seconds=1.0, gigabytes=8.0)
    with VerifyPool(1, Faulty(word), limits) as pool:
        verdict = pool.verify(candidate(0.7))
        assert (verdict.accepted, verdict.stage) == (False, "limits")
        assert said in verdict.reason
        assert len(verdict.reason) < 600
        assert pool.verify(candidate(0.5)) == GOOD


@pytest.mark.parametrize(("word", "said"), [("start", "no physics here"), ("vanish", "not start")])
def test_a_verifier_that_cannot_start_is_an_error_and_no_verdict(word: str, said: str) -> None:
    with VerifyPool(1, Faulty(word)) as pool, pytest.raises(VerifierError, match=said):
        pool.verify(candidate(0.5))


def test_closing_ends_what_is_running() -> None:
    pool = VerifyPool(1, Faulty("hang"), Limits(seconds=600.0))
    assert pool.verify(candidate(0.5)) == GOOD
    future = pool.submit(candidate(0.7))
    while not future.running():
        pass
    pool.close()
    with pytest.raises(Canceled):
        future.result(timeout=0.0)
