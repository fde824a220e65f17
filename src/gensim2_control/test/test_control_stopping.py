"""A stop that overshoots hits what the stop was meant to spare."""

from __future__ import annotations

import numpy as np
from gensim2_control.limits import JointLimits
from gensim2_control.stopping import StopRamp, stopping_point
from gensim2_control.trajectory import point_to_point
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

LIMITS = JointLimits.fr3()
unit = arrays(np.float64, 7, elements=st.floats(-1.0, 1.0))
share = arrays(np.float64, 7, elements=st.floats(0.0, 1.0))


@given(unit)
@settings(max_examples=60, deadline=None)
def test_stops_within_the_deceleration_limit(direction: np.ndarray) -> None:
    dq = direction * LIMITS.dq_max
    ramp = StopRamp(np.zeros(7), dq, LIMITS.ddq_max)
    times = np.linspace(-0.1, ramp.duration + 0.1, 300)
    q, speed, ddq = ramp.sample(times)
    assert (np.abs(ddq) <= LIMITS.ddq_max).all()
    assert (np.abs(speed) <= np.abs(dq) + 1e-12).all()
    assert (np.sign(speed) * np.sign(dq) >= 0).all(), "a stop must not reverse"
    at_rest = ramp.sample(ramp.duration)
    np.testing.assert_array_equal(at_rest[1], 0.0)
    np.testing.assert_allclose(q[-1], stopping_point(np.zeros(7), dq, LIMITS.ddq_max), atol=1e-12)
    assert ramp.duration <= (LIMITS.dq_max / LIMITS.ddq_max).max() + 1e-12


@given(share, share, st.floats(0.0, 1.0))
@settings(max_examples=100, deadline=None)
def test_a_stop_on_a_valid_trajectory_stays_inside_the_limits(
    a: np.ndarray, b: np.ndarray, when: float
) -> None:
    """Cancel may come at any instant of a move that ends close to a joint limit."""
    span = LIMITS.q_max - LIMITS.q_min
    trajectory = point_to_point(LIMITS.q_min + a * span, LIMITS.q_min + b * span, LIMITS)
    q, dq, _ = trajectory.sample(when * trajectory.duration)
    assert LIMITS.contains(stopping_point(q, dq, LIMITS.ddq_max), slack=1e-6)
