"""A stop that overshoots hits what the stop was meant to spare."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.config import ArmConfig
from gensim2_control.goals import TrajectoryRejected
from gensim2_control.hardware import HOME_Q
from gensim2_control.limits import JointLimits
from gensim2_control.motion_planner import MotionPlanner
from gensim2_control.stopping import StopRamp, stopping_point
from gensim2_control.trajectory import (
    Trajectory,
    check_motion,
    end_speed_share,
    point_to_point,
)
from hypothesis import assume, given, settings
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


@given(share, unit)
@settings(max_examples=200, deadline=None)
def test_a_stop_from_any_speed_allowed_near_an_end_stays_allowed(
    where: np.ndarray, speed: np.ndarray
) -> None:
    """Of joints whose speed near an end shrinks slower than they can decelerate.

    Joints 5 and 7 may be so fast near an end that only a motion which is known to end in time can
    be stopped in time: see the next test.
    """
    assert LIMITS.ends is not None
    able = LIMITS.ends.gain <= 2.0 * LIMITS.ddq_max
    assert able.tolist() == [True, True, True, True, False, True, False]
    q = LIMITS.q_min + where * (LIMITS.q_max - LIMITS.q_min)
    lowest, highest = LIMITS.speed_bounds(q)
    dq = np.where(able, np.where(speed > 0, highest, -lowest) * speed, 0.0)
    ramp = StopRamp(q, dq, LIMITS.ddq_max)
    path, speeds, _ = ramp.sample(np.linspace(0.0, ramp.duration, 200))
    assert LIMITS.contains(path, slack=1e-5)
    assert end_speed_share(path, speeds, LIMITS).max() <= 1.0


@given(
    joint=st.integers(0, 6),
    upwards=st.booleans(),
    room=st.floats(0.0, 0.5),
    speed=st.floats(0.05, 1.0),
    passed=st.floats(0.0, 1.0),
)
@settings(max_examples=150, deadline=None)
def test_whatever_chunk_is_accepted_can_be_stopped_at_any_time(
    joint: int, upwards: bool, room: float, speed: float, passed: float
) -> None:
    """Within the position limits and the speeds near the ends, at the deceleration limit."""
    planner = MotionPlanner(LIMITS, ArmConfig())
    end, step = (LIMITS.q_max, -1.0) if upwards else (LIMITS.q_min, 1.0)
    fastest = LIMITS.stoppable_within(ArmConfig().stream_stop_time).dq_max[joint]
    dq = speed * fastest
    rise = dq / (0.9 * LIMITS.ddq_max[joint])
    q_end = np.array(HOME_Q)
    q_end[joint] = end[joint] + step * room
    start = q_end.copy()
    start[joint] += step * 0.5 * rise * dq
    velocity = -step * dq * np.eye(7)[joint]
    chunk = Trajectory(np.array([rise]), q_end[None], velocity[None])
    try:
        planned = planner.enter(chunk, (start, np.zeros(7), np.zeros(7)), 0.0)
        planner.check(planned)
        planner.check_stop_after(planned)
    except TrajectoryRejected:
        assume(False)
    q, qd, _ = planned.motion.sample(passed * planned.motion.duration)
    ramp = StopRamp(q, qd, LIMITS.ddq_max)
    check_motion(ramp, ramp.knots, LIMITS)


@pytest.mark.parametrize(("room", "accepted"), [(0.2, False), (0.5, True)])
def test_a_chunk_after_which_no_stop_is_possible_is_refused(room: float, accepted: bool) -> None:
    """Joint 5 may be fast close to its end, faster than it can be stopped before the end."""
    planner = MotionPlanner(LIMITS, ArmConfig())
    q_end = np.array(HOME_Q)
    q_end[4] = LIMITS.q_max[4] - room
    velocity = np.zeros(7)
    velocity[4] = 0.95 * min(2.7, LIMITS.speed_bounds(q_end)[1][4])
    start = q_end.copy()
    start[4] -= 0.5 * velocity[4] * 0.3
    chunk = Trajectory(np.array([0.3]), q_end[None], velocity[None])
    planned = planner.enter(chunk, (start, np.zeros(7), np.zeros(7)), 0.0)
    planner.check(planned)
    if accepted:
        planner.check_stop_after(planned)
        return
    with pytest.raises(TrajectoryRejected, match="a stop after the last point would leave"):
        planner.check_stop_after(planned)


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
    ramp = StopRamp(q, dq, LIMITS.ddq_max)
    if ramp.duration > 0.0:
        check_motion(ramp, ramp.knots, LIMITS)
