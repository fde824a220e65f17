from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest
from gensim2_generation.backoff import Patience, retry_after, wait_time
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 01 Mar 2026 11:59:00 GMT"}, -60.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "\u0661"}, None),
    ],
)
def test_what_a_server_asks_for_is_understood(
    headers: dict[str, str], expected: float | None
) -> None:
    assert retry_after(headers, NOW) == expected


@given(
    attempt=st.integers(1, 2000),
    text=st.one_of(st.text(max_size=40), st.integers().map(str), st.floats().map(str)),
    seed=st.integers(0, 9),
)
def test_no_wait_is_endless_or_negative(attempt: int, text: str, seed: int) -> None:
    patience = Patience(base=1.0, longest=60.0)
    rng = np.random.default_rng(seed)
    for headers in ({}, {"retry-after": text}, {"retry-after-ms": text}):
        assert 0.0 <= wait_time(patience, attempt, headers, rng) <= 60.0


def test_several_who_wait_do_not_come_back_together() -> None:
    waits = {wait_time(Patience(), 3, {}, np.random.default_rng(s)) for s in range(10)}
    assert len(waits) == 10
    assert all(2.0 <= w <= 4.0 for w in waits)
