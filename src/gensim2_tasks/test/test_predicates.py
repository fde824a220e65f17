"""Success predicates: what holds now, and what has held long enough."""

import math
from itertools import product

import numpy as np
import pytest
from asset_samples import UNTIMED
from gensim2_tasks.monitor import SuccessMonitor
from gensim2_tasks.predicates import (
    ObjectObservation,
    OpennessAbove,
    OpennessBelow,
    Settled,
    SuccessCondition,
)
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

PERIOD = 0.005
OPEN, SHUT = ({"lid": ObjectObservation(o, 0.0)} for o in (0.9, 0.1))


def condition(dwell: float) -> SuccessCondition:
    return SuccessCondition(all=(OpennessAbove(object="lid"),), dwell=dwell)


steps = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


@UNTIMED
@given(steps, st.integers(0, 60), st.integers(0, 10**6))
@example([(0, True), (40, True), (39, True), (1, True)], 80, 0)
def test_success_means_held_without_a_break_for_the_dwell_time(moments, dwell, start):
    """Against a search through the whole history, in whole periods."""
    monitor = SuccessMonitor(condition(dwell * PERIOD))
    history: list[tuple[int, bool]] = []
    for pause, holds in moments:
        now = (history[-1][0] if history else start) + pause
        history.append((now, holds))
        succeeded = monitor.update(now * PERIOD, OPEN if holds else SHUT)
        run = [n for i, (n, _) in enumerate(history) if all(h for _, h in history[i:])]
        assert succeeded == monitor.succeeded == (bool(run) and now - run[0] >= dwell)
        assert monitor.holds == holds
        assert monitor.dwell == pytest.approx((now - run[0]) * PERIOD if run else 0.0, abs=1e-9)


def test_success_comes_exactly_with_the_dwell_time_and_goes_with_the_condition():
    monitor = SuccessMonitor(condition(0.5))
    assert not monitor.succeeded
    t, results = 1234.5, []
    for _ in range(120):
        results.append(monitor.update(t, OPEN))
        t += PERIOD  # sums up rounding errors, as a clock does
    assert results.index(True) == 100 and all(results[100:])
    assert not monitor.update(t, SHUT)
    assert not monitor.update(t + 0.4, OPEN), "starts anew"
    assert not monitor.update(t + 0.8, OPEN) and monitor.update(t + 0.9, OPEN)
    assert not monitor.update(t + 0.1, OPEN), "a clock set back is no success"


def test_rounding_of_times_costs_no_period():
    for start in range(0, 3000, 7):
        monitor = SuccessMonitor(condition(0.5))
        times = [start * PERIOD, (start + 99) * PERIOD, (start + 100) * PERIOD]
        assert [monitor.update(t, OPEN) for t in times] == [False, False, True], start


def test_without_dwell_time_the_present_moment_decides():
    monitor = SuccessMonitor(condition(0.0))
    assert monitor.update(0.0, OPEN) and not monitor.update(0.1, SHUT)


@pytest.mark.parametrize(
    ("every", "some"), list(product(product([0, 1], repeat=2), [(), *product([0, 1], repeat=2)]))
)
def test_all_of_all_and_one_of_any(every, some):
    scene = {
        n: ObjectObservation(float(v), 0.0) for n, v in zip("abcd", every + some, strict=False)
    }
    made = [OpennessAbove(object=n) for n in "abcd"]
    both = SuccessCondition(all=tuple(made[:2]), any=tuple(made[2 : 2 + len(some)]))
    holds, evaluations = both.evaluate(scene)
    assert holds == (sum(every) == 2 and (not some or sum(some) > 0))
    assert [e.satisfied for e in evaluations] == [bool(v) for v in every + some]


numbers = st.floats(0.0, 1.0)


@UNTIMED
@given(numbers, st.floats(-1.0, 1.0), st.floats(0.01, 0.99))
def test_a_predicate_compares_and_tells_by_how_much(openness, speed, value):
    scene = {"lid": ObjectObservation(openness, speed)}
    above = OpennessAbove(object="lid", value=value).evaluate(scene)
    below = OpennessBelow(object="lid", value=value).evaluate(scene)
    settled = Settled(object="lid", value=value).evaluate(scene)
    assert above.satisfied == (openness > value) and below.satisfied == (openness < value)
    assert settled.satisfied == (abs(speed) < value) and settled.value == abs(speed)
    assert (above.value, above.threshold) == (below.value, below.threshold) == (openness, value)
    assert above.name == f"openness_above(lid, {value:g})"


def test_a_measurement_that_is_no_number_satisfies_nothing():
    scene = {"lid": ObjectObservation(math.nan, math.nan)}
    for kind in (OpennessAbove, OpennessBelow, Settled):
        assert not kind(object="lid").evaluate(scene).satisfied
    monitor = SuccessMonitor(condition(0.0))
    assert not monitor.update(0.0, scene)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.5, "much", None])
def test_thresholds_that_can_never_or_always_be_met_are_refused(value):
    for kind in (OpennessAbove, OpennessBelow):
        with pytest.raises(ValidationError):
            kind(object="lid", value=value)
    if value != 1.5:
        with pytest.raises(ValidationError):
            Settled(object="lid", value=value)
        with pytest.raises(ValidationError):
            condition(value)


def test_a_condition_of_nothing_is_refused():
    with pytest.raises(ValidationError, match="at least 1 item"):
        SuccessCondition(all=(), any=(Settled(object="lid"),))


@pytest.mark.parametrize("dwell", [0.5, 2.0])
def test_numpy_scalars_are_numbers_too(dwell):
    monitor = SuccessMonitor(condition(dwell))
    scene = {"lid": ObjectObservation(np.float64(0.9), np.float64(0.0))}
    assert [monitor.update(t, scene) for t in np.array([0.0, dwell])] == [False, True]
