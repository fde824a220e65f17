"""How far sentences are from one another."""

from __future__ import annotations

import pytest
from gensim2_generation.novelty import embed


def distance(one: str, other: str) -> float:
    return float(1.0 - embed(one) @ embed(other))


def test_capitals_and_stops_make_no_other_sentence() -> None:
    assert distance("Open the box, and close it.", "open the box and close it") < 1e-9


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Close the box and open it again.", "Open the box and close it again."),
        ("Put the cup into the box.", "Put the box into the cup."),
        ("Open the box.", "Open the door."),
    ],
)
def test_other_words_or_another_order_make_another_sentence(one: str, other: str) -> None:
    assert distance(one, other) > 0.05


def test_what_has_more_in_common_is_nearer() -> None:
    half, far = "Open the box about half of the way.", "Open the box about two thirds of the way."
    assert distance(half, far) < distance(half, "Turn on the faucet.") <= 1.0
    assert distance("", "Open the box.") == 1.0
