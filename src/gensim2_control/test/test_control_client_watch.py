"""A client that hangs leaves the arm without a master, however many others are well."""

from __future__ import annotations

import pytest
from gensim2_control.client_watch import ClientWatch


@pytest.fixture
def watch() -> ClientWatch:
    return ClientWatch(timeout=2.0, absence=0.5)


def run(watch: ClientWatch, until: float, running: bool, *beating: str) -> list[tuple[float, str]]:
    """Let time pass up to `until` s from where it was; return who was missed, and when."""
    missed = []
    now = getattr(watch, "test_now", 0.0)
    while now < until:
        now = round(now + 0.1, 1)
        for client in beating:
            watch.beat(client, now)
        missed += [(now, client) for client in watch.hung(now, running)]
    watch.test_now = now  # type: ignore[attr-defined]
    return missed


def test_a_living_client_does_not_hide_one_that_hangs(watch: ClientWatch) -> None:
    assert run(watch, 3.0, True, "expert", "policy") == []
    assert run(watch, 10.0, True, "policy") == [(5.1, "expert")]


def test_one_that_hangs_right_after_sending_its_goal_is_missed(watch: ClientWatch) -> None:
    run(watch, 3.0, False, "expert")
    assert run(watch, 10.0, True) == [(5.1, "expert")]


def test_who_fell_silent_before_the_goal_does_not_stop_it(watch: ClientWatch) -> None:
    """An expert that was suspended while idle has nothing to do with the goal of another."""
    run(watch, 3.0, False, "expert", "policy")
    run(watch, 4.0, False, "policy")
    assert run(watch, 20.0, True, "policy") == []


def test_who_comes_back_is_watched_again(watch: ClientWatch) -> None:
    run(watch, 1.0, True, "expert")
    assert run(watch, 4.0, True) == [(3.1, "expert")]
    assert run(watch, 6.0, True, "expert") == []
    assert run(watch, 9.0, True) == [(8.1, "expert")]


def test_who_left_is_not_missed(watch: ClientWatch) -> None:
    run(watch, 1.0, False, "expert", "policy")
    watch.forget()
    assert run(watch, 9.0, True, "policy") == []


def test_a_client_is_heard_from_its_first_beat_until_it_hangs_or_leaves(watch: ClientWatch) -> None:
    assert not watch.heard(0.0)
    run(watch, 1.0, False, "expert")
    # A beat may be late, though nothing runs yet.
    assert watch.heard(1.9)
    assert not watch.heard(3.1)
    run(watch, 4.0, False, "expert")
    watch.forget()
    assert not watch.heard(4.0)
    run(watch, 4.1, False, "policy")
    assert watch.heard(4.1)
