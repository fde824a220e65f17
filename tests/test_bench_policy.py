"""`./ws python bench/policy_speed.py`: one size is compared, and figures say what they mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from figures import BenchError, Figure
from policy_contests import CONTESTS, Contest, opening
from policy_speed import Times, Worker, compare, contest_figures

CONTEST = {contest.key: contest for contest in CONTESTS}
MILLION = 1_000_000


class Fake(Worker):
    """Answers as a worker does."""

    def __init__(self, size: int, used: int, train: float, act: float) -> None:
        self._size, self._used, self._times = size, used, {"train": train, "act": act}
        self.asked: list[dict[str, Any]] = []

    def ask(self, question: dict[str, Any]) -> Any:
        """One constant time for each kind of work."""
        self.asked.append(question)
        if question["do"] == "open":
            return [self._size, self._used]
        return [self._times[question["do"]]] * question["times"]


def figures(contest: Contest, ours: Fake, theirs: Fake | None) -> dict[str, Figure]:
    """Figures of a contest of two rounds, by key without the first parts."""
    workers: list[Worker] = [ours] if theirs is None else [ours, theirs]
    found = contest_figures(contest, *compare(contest, workers, 2, 8))
    return {figure.key.removeprefix(f"policy.{contest.key}."): figure for figure in found}


def test_a_share_above_one_means_that_ours_is_slower() -> None:
    """And is over its bound where both see as much."""
    found = figures(
        CONTEST["ppt.diffusion"],
        Fake(MILLION, MILLION, 300.0, 40.0),
        Fake(MILLION, MILLION, 200.0, 80.0),
    )
    assert (found["train.share"].value, found["train.share"].verdict) == (1.5, "OVER")
    assert (found["act.share"].value, found["act.share"].verdict) == (0.5, "ok")
    assert found["train"].value == pytest.approx(1000.0 * 8 / 300.0)
    assert found["act"].bound == 400.0


def test_what_sees_less_sets_no_bound() -> None:
    """A vector is no cloud; what a chunk does not need does not make a policy slow."""
    ours = Fake(MILLION, MILLION, 300.0, 40.0)
    half = Fake(MILLION, MILLION // 2, 200.0, 20.0)
    assert figures(CONTEST["tiny.act"], ours, half)["train.share"].bound is None
    found = figures(CONTEST["ppt.act"], ours, half)
    assert found["train.share"].bound == 1.0
    assert found["act.share"].bound is None


def test_policies_of_other_sizes_are_not_compared() -> None:
    """A ratio of different work would be worth nothing."""
    theirs = Fake(2 * MILLION, 2 * MILLION, 1.0, 1.0)
    with pytest.raises(BenchError, match="one size"):
        compare(CONTEST["ppt.act"], [Fake(MILLION, MILLION, 1.0, 1.0), theirs], 1, 8)


def test_the_rival_is_asked_for_the_size_of_ours() -> None:
    """And both for the same work."""
    ours, theirs = Fake(MILLION, MILLION, 1.0, 1.0), Fake(MILLION, MILLION, 1.0, 1.0)
    compare(CONTEST["ppt.act"], [ours, theirs], 3, 8)
    assert theirs.asked[0] == opening(CONTEST["ppt.act"], MILLION, 8)
    assert ours.asked[1:] == theirs.asked[1:]


def test_without_lerobot_ours_is_measured() -> None:
    """There is no ratio then."""
    found = figures(CONTEST["tiny.diffusion"], Fake(MILLION, MILLION, 64.0, 5.0), None)
    assert {*found} == {"train", "act"}
    assert found["train"].value == pytest.approx(1000.0)


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.key)
def test_a_contest_survives_the_way_to_a_worker(contest: Contest) -> None:
    """As a line of JSON."""
    question = json.loads(json.dumps(opening(contest, 5, 8)))
    assert Contest.read(question["contest"]) == contest


def test_ours_trains_and_acts() -> None:
    """The worker makes the smallest policy, learns and says a chunk."""
    pytest.importorskip("torch")
    with Worker(Path(sys.executable), "policy_worker.py") as worker:
        times = compare(CONTEST["tiny.bare.act"], [worker], 1, 8)[0]
    assert isinstance(times, Times)
    assert times.parameters > MILLION
    assert min(*times.train, *times.act) > 0.0


def test_a_worker_that_has_failed_is_told() -> None:
    """And the bench does not wait for it."""
    worker = Worker(Path(sys.executable), "no_such_worker.py")
    with worker, pytest.raises(BenchError, match="no_such_worker"):
        worker.ask({"do": "act", "times": 1})
