"""`bench/policy_language.py` and `bench/policy_agreement.py`: what counts as a difference."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")
pytest.importorskip("torch")

from gensim2_policy.evaluation import Judged, Share
from policy_agreement import chance, paired
from policy_language import TASKS, obeys, same_scenes


def test_opening_and_closing_a_drawer_are_told_in_the_same_scene() -> None:
    """Otherwise the scene would say what is meant; other tasks show that it is looked at."""
    seeds = range(900_000, 900_020)
    assert same_scenes(TASKS, seeds)
    assert not same_scenes(("OpenDrawer", "CloseBox"), seeds)


@pytest.mark.parametrize(
    ("told_done", "other_done", "obedient"),
    [(17, 0, True), (16, 4, True), (15, 0, False), (20, 5, False), (0, 20, False)],
)
def test_a_policy_that_does_the_other_thing_does_not_obey(
    told_done: int, other_done: int, obedient: bool
) -> None:
    """What was told is done in 80 %, and what was not told left alone in 80 %."""
    done = {
        (told, judge): Share(told_done if told == judge else other_done, 20)
        for told in TASKS
        for judge in TASKS
    }
    assert obeys(done) is obedient
    one = dict.fromkeys(done, Share(20, 20)) | {("OpenDrawer", "PushDrawerClose"): Share(0, 20)}
    assert not obeys(one), "always closing is no obedience"


def episodes(*won: bool, task: str = "CloseBox") -> list[Judged]:
    """Episodes of seeds from 0 on."""
    return [
        Judged(task, "", seed, f"box/{seed}", "unseen", success, "", 7.0)
        for seed, success in enumerate(won)
    ]


def test_evaluations_of_other_scenes_are_not_compared() -> None:
    """Nor those of which one is shorter."""
    with pytest.raises(ValueError, match="not the same episodes"):
        paired(episodes(True, True), episodes(True))
    other = [dataclasses.replace(e, asset="box/9") for e in episodes(True)]
    with pytest.raises(ValueError, match=r"seed 0: box/0 and box/9"):
        paired(episodes(True), other)


def test_a_difference_in_one_direction_is_no_chance() -> None:
    """Six of six are; the same number in both directions is none."""
    first = episodes(*[True] * 6, *[False] * 6)
    worse = paired(first, episodes(*[False] * 12))["CloseBox"]
    swapped = paired(first, episodes(*[False] * 6, *[True] * 6))["CloseBox"]
    assert chance(worse) < 0.05 < chance(swapped)
    assert chance(paired(first, first)["CloseBox"]) == 1.0
