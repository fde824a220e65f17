"""`./ws python bench/policy_language.py`: nothing but the instruction says what is meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")
pytest.importorskip("torch")

from gensim2_policy.evaluation import Share
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
