"""The loop, with a scripted source, verifier and library."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from generation_script import KNOWN, Judge, Script, Shelf, candidate, verdict
from gensim2_generation.candidate import Candidate, Origin
from gensim2_generation.generator import Options, generate
from gensim2_generation.grammar import Choice, Family, compose
from gensim2_generation.outcome import Decision, End, Outcome
from gensim2_generation.source import BudgetError, ExhaustedError, Refused, SourceError
from gensim2_generation.verdict import Verdict
from gensim2_generation.verify_pool import Canceled


def run(
    source: Script,
    judge: Judge,
    wanted: int = 1,
    shelf: Shelf | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = lambda: 0.0,
    before: tuple[Decision, ...] = (),
    options: Options | None = None,
) -> Outcome:
    return generate(
        source,
        judge,
        shelf or Shelf(),
        wanted,
        run=Path("run"),
        clock=clock,
        options=options or Options(),
        cancelled=cancelled,
        before=before,
    )


def test_a_model_that_is_not_waited_for_any_longer_has_not_failed() -> None:
    """It says that it was interrupted; why it was is what counts."""
    given_up = SourceError("interrupted")
    assert (
        run(
            Script(given_up),
            Judge(),
            clock=iter([0.0, 1.0, 1.0, 9.0, 9.0, 9.0]).__next__,
            options=Options(timeout=5.0),
        ).end
        is End.TIMEOUT
    )
    asked = iter([False, True, True])
    assert run(Script(given_up), Judge(), cancelled=asked.__next__).end is End.CANCELED
    assert run(Script(given_up), Judge()).end is End.BACKEND_FAILED


def test_what_works_is_kept_and_what_fails_is_on_record_with_its_reason() -> None:
    good, bad = candidate(0.5), candidate(0.7)
    shelf = Shelf()
    source = Script(bad, Refused("constraints", "no such keypoint", "X"), good)
    outcome = run(
        source, Judge(OpenDrawerTo50=verdict(True), OpenDrawerTo70=verdict(False)), shelf=shelf
    )
    assert outcome.end is End.NONE
    assert list(shelf.kept) == ["OpenDrawerTo50"]
    assert sorted(shelf.rejected) == [
        ("OpenDrawerTo70", "execute", "it fell"),
        ("X", "constraints", "no such keypoint"),
    ]
    counts = outcome.counts
    assert (counts.proposed, counts.valid, counts.novel, counts.executed, counts.accepted) == (
        3,
        2,
        2,
        2,
        1,
    )


def test_the_same_task_in_other_words_is_not_new() -> None:
    source = Script(candidate(0.5), candidate(0.5, words="Please pull the tray out to the middle."))
    twin = source.given[1]
    assert isinstance(twin, Candidate)
    outcome = run(source, Judge(OpenDrawerTo50=verdict(True)), wanted=2)
    assert outcome.end is End.NOT_ENOUGH
    last = outcome.decisions[0] if not outcome.decisions[0].accepted else outcome.decisions[1]
    assert last.stage == "novelty"


def test_a_failed_task_goes_back_with_its_reason_and_may_come_back_repaired() -> None:
    bad = candidate(0.5)
    better = candidate(0.7)
    source = Script(bad, repairs=[better])
    outcome = run(source, Judge(OpenDrawerTo50=verdict(False), OpenDrawerTo70=verdict(True)))
    assert source.reasons == ["it fell"]
    assert [d.accepted for d in outcome.decisions] == [False, True]


def test_a_repaired_task_may_have_name_and_structure_of_its_parent() -> None:
    class Twice(Judge):
        def submit(self, candidate: Candidate) -> Future[Verdict]:
            future: Future[Verdict] = Future()
            future.set_result(verdict(candidate.origin.repairs != ()))
            return future

    bad = candidate(0.5)
    origin = Origin("catalogue", repairs=("it fell",))
    again = compose(Choice(Family.PART_WAY, "drawer", "up", 0.5), KNOWN, origin)
    outcome = run(Script(bad, repairs=[again]), Twice())
    assert [d.accepted for d in outcome.decisions] == [False, True]


def test_a_rejected_task_is_not_run_again() -> None:
    source = Script(candidate(0.5), candidate(0.5))
    outcome = run(source, Judge(OpenDrawerTo50=verdict(False)))
    assert [d.stage for d in outcome.decisions].count("execute") == 1
    assert [d.stage for d in outcome.decisions].count("novelty") == 1


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (SourceError("wrong key"), End.BACKEND_FAILED),
        (BudgetError("1000 tokens are used up"), End.BUDGET),
        (ExhaustedError("nothing more"), End.NOT_ENOUGH),
    ],
)
def test_how_a_source_ends_is_how_the_run_ends(error: Exception, end: End) -> None:
    shelf = Shelf()
    outcome = run(
        Script(candidate(0.5), error), Judge(OpenDrawerTo50=verdict(True)), wanted=2, shelf=shelf
    )
    assert outcome.end is end
    assert str(error) in outcome.text


def test_cancel_and_timeout_end_a_run_that_waits_for_a_verdict() -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    assert run(Script(candidate(0.5)), Judge(), cancelled=cancelled).end is End.CANCELED
    times = iter(range(1000))
    outcome = run(
        Script(candidate(0.5)),
        Judge(),
        clock=lambda: float(next(times)),
        options=Options(timeout=5.0),
    )
    assert outcome.end is End.TIMEOUT


def test_a_pool_that_closes_is_a_cancel() -> None:
    class Closing(Judge):
        def submit(self, candidate: Candidate) -> Future[Verdict]:
            future: Future[Verdict] = Future()
            future.set_exception(Canceled("closed"))
            return future

    assert run(Script(candidate(0.5)), Closing()).end is End.CANCELED


def test_a_run_goes_on_where_it_was_stopped() -> None:
    first = run(Script(candidate(0.5)), Judge(OpenDrawerTo50=verdict(True)), wanted=2)
    source = Script(candidate(0.7))
    outcome = run(source, Judge(OpenDrawerTo70=verdict(True)), wanted=2, before=first.decisions)
    assert outcome.end is End.NONE
    assert [d.name for d in outcome.decisions] == ["OpenDrawerTo50", "OpenDrawerTo70"]
    assert "OpenDrawerTo50" in source.known[0].names


def test_no_more_proposals_than_allowed() -> None:
    levels = [candidate(0.5), candidate(0.7), candidate(0.5, "box_rotate")]
    outcome = run(
        Script(*levels),
        Judge(**{c.name: verdict(False) for c in levels}),
        options=Options(proposals=2),
    )
    assert outcome.end is End.NOT_ENOUGH
    assert outcome.counts.proposed == 2
