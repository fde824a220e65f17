"""The learning rate: it warms up, falls, and really ends (that of the public policy never did)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from gensim2_policy.schedule import learning_rate
from gensim2_policy.settings import TrainSettings
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=50, deadline=None)
@given(
    steps=st.integers(2, 300),
    warm_up=st.integers(0, 50),
    rate=st.floats(1e-6, 1.0),
    last=st.floats(0.0, 1.0),
)
def test_it_rises_and_then_falls_to_its_end(
    steps: int, warm_up: int, rate: float, last: float
) -> None:
    train = TrainSettings(steps=steps, warm_up=warm_up, rate=rate, last_rate=last)
    rates = [learning_rate(step, train) for step in range(steps)]
    rising, falling = rates[:warm_up], rates[warm_up:]
    assert all(0.0 < a <= rate * (1 + 1e-9) for a in rising)
    assert rising == sorted(rising)
    assert all(a >= b - 1e-12 for a, b in pairwise(falling))
    if warm_up < steps:
        assert falling[0] == pytest.approx(rate)
    if warm_up < steps - 1:
        assert rates[-1] == pytest.approx(rate * last, abs=1e-12)


def test_it_stays_at_its_end() -> None:
    train = TrainSettings(steps=100, warm_up=10, rate=1e-3, last_rate=0.01)
    assert learning_rate(99, train) == pytest.approx(1e-5)
    assert learning_rate(1000, train) == pytest.approx(1e-5)
    middle = (99 + 10) / 2
    assert learning_rate(int(middle), train) == pytest.approx(0.505e-3, rel=0.05)
