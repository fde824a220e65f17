"""A trajectory that is sampled or checked wrongly moves a real arm into a joint stop."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from gensim2_control.goals import ArmCode, TrajectoryRejected
from gensim2_control.hardware import ARM_JOINTS, HOME_Q
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import (
    Trajectory,
    end_speed_share,
    joint_order,
    point_to_point,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

LIMITS = JointLimits.fr3()
HOME = np.array(HOME_Q)
ZERO = np.zeros((2, 7))


def shifted(joint: int, offset: float) -> np.ndarray:
    """Return home and home with one joint (1 to 7) moved, rad (2, 7)."""
    q = np.vstack([HOME, HOME])
    q[1, joint - 1] += offset
    return q


def two_points(duration: float = 1.0, **change: object) -> dict[str, object]:
    given: dict[str, object] = {
        "t": np.array([0.0, duration]),
        "q": np.vstack([HOME, HOME + 0.1]),
        "dq": ZERO,
        "ddq": ZERO,
    }
    return {**given, **change}


@st.composite
def knots(draw: st.DrawFn, derivatives: int) -> Trajectory:
    n = draw(st.integers(2, 6))
    steps = draw(arrays(np.float64, n - 1, elements=st.floats(0.05, 2.0)))
    t = np.concatenate([[0.0], np.cumsum(steps)])
    values = [
        draw(arrays(np.float64, (n, 7), elements=st.floats(-size, size)))
        for size in (2.0, 1.0, 3.0)[: derivatives + 1]
    ]
    return Trajectory(t, *values)


@pytest.mark.parametrize("derivatives", [0, 1, 2])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_passes_its_points_and_is_smooth_between(derivatives: int, data: st.DataObject) -> None:
    """A jump of the reference is a jump of the torque."""
    trajectory = data.draw(knots(derivatives))
    q, dq, ddq = trajectory.sample(trajectory.t)
    np.testing.assert_allclose(q, trajectory.q, atol=1e-9)
    if derivatives >= 1:
        np.testing.assert_allclose(dq, trajectory.dq, atol=1e-8)
    if derivatives == 2:
        np.testing.assert_allclose(ddq, trajectory.ddq, atol=1e-6)
    before = trajectory.sample(trajectory.t - 1e-9)
    np.testing.assert_allclose(before[0], q, atol=1e-6)
    np.testing.assert_allclose(before[1][1:], dq[1:], atol=1e-5)
    # The velocity is the derivative of the position everywhere.
    times = np.linspace(0.0, trajectory.duration, 40)[1:-1]
    h = 1e-6
    slope = (trajectory.sample(times + h)[0] - trajectory.sample(times - h)[0]) / (2 * h)
    np.testing.assert_allclose(slope, trajectory.sample(times)[1], atol=1e-3)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_bare_positions_neither_overshoot_nor_move_at_the_ends(data: st.DataObject) -> None:
    """A policy's position chunk must not swing beyond the positions it asked for."""
    trajectory = data.draw(knots(0))
    q, dq, _ = trajectory.sample(np.linspace(0.0, trajectory.duration, 200))
    assert (q <= trajectory.q.max(axis=0) + 1e-9).all()
    assert (q >= trajectory.q.min(axis=0) - 1e-9).all()
    np.testing.assert_allclose(dq[[0, -1]], 0.0, atol=1e-9)


def test_stays_at_its_ends() -> None:
    trajectory = Trajectory(**two_points())  # type: ignore[arg-type]
    for t, q in ((-1.0, HOME), (9.0, HOME + 0.1)):
        sample = trajectory.sample(t)
        np.testing.assert_allclose(sample[0], q)
        np.testing.assert_allclose(sample[1], 0.0, atol=1e-12)
        np.testing.assert_array_equal(sample[2], 0.0)


def test_starting_at_goes_on_from_the_present_motion() -> None:
    trajectory = Trajectory(np.array([0.5]), (HOME + 0.05)[None], np.zeros((1, 7)))
    moving = np.full(7, 0.2)
    q, dq, _ = trajectory.starting_at(HOME, moving).sample(0.0)
    np.testing.assert_allclose(q, HOME)
    np.testing.assert_allclose(dq, moving)


nan_in_q = np.vstack([HOME, HOME])
nan_in_q[1, 3] = np.nan
inf_in_ddq = np.zeros((2, 7))
inf_in_ddq[0, 0] = np.inf
fast_end = np.zeros((2, 7))
fast_end[1, 2] = 0.5


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"t": np.array([])}, "no points"),
        ({"t": np.array([0.0, 0.0])}, "increase strictly: point 1"),
        ({"t": np.array([1.0, 0.5])}, "increase strictly: point 1"),
        ({"t": np.array([-0.1, 0.5])}, "not negative"),
        ({"t": np.array([0.0, np.nan])}, "finite"),
        ({"t": np.array([0.0, 1.2e6])}, "more than"),
        ({"q": nan_in_q}, "point 1, fr3_joint4, is not finite"),
        ({"q": np.zeros((2, 6))}, "shape (2, 7), not (2, 6)"),
        ({"q": np.zeros((3, 7))}, "shape (2, 7), not (3, 7)"),
        ({"dq": np.zeros((1, 7))}, "velocities must have the shape"),
        ({"ddq": inf_in_ddq}, "accelerations of point 0, fr3_joint1, is not finite"),
        ({"dq": None}, "accelerations only beside velocities"),
    ],
)
def test_malformed_trajectories_cannot_be_made(change: dict[str, object], text: str) -> None:
    with pytest.raises(TrajectoryRejected) as rejection:
        Trajectory(**two_points(**change))  # type: ignore[arg-type]
    assert rejection.value.code is ArmCode.INVALID_GOAL
    assert text in rejection.value.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"dq": fast_end}, "fr3_joint3 ends with 0.5 rad/s"),
        ({"q": shifted(1, 3.0)}, "position limit: fr3_joint1"),
        ({"q": shifted(2, 1.9)}, "speed limit"),
        ({"t": np.array([0.0, 0.2])}, "acceleration limit"),
        ({"q": np.vstack([HOME + 0.02, HOME + 0.1])}, "starts too far away: fr3_joint2"),
    ],
)
def test_limits_are_checked_with_joint_and_amount(change: dict[str, object], text: str) -> None:
    trajectory = Trajectory(**two_points(**change))  # type: ignore[arg-type]
    with pytest.raises(TrajectoryRejected) as rejection:
        trajectory.validate(LIMITS, q_start=HOME)
    assert text in rejection.value.text


def test_a_peak_between_two_harmless_points_is_found() -> None:
    """Checking waypoints only would let this one swing 0.3 rad beyond the limit."""
    q = np.vstack([HOME, HOME])
    q[:, 6] = LIMITS.q_max[6] - 0.05
    dq = np.zeros((2, 7))
    dq[0, 6] = 1.5
    with pytest.raises(TrajectoryRejected, match="position limit: fr3_joint7"):
        Trajectory(np.array([0.0, 1.5]), q, dq).validate(LIMITS)


def test_a_peak_just_before_a_point_is_found() -> None:
    """The acceleration of a cubic jumps at its points; a grid alone sees only one side."""
    q, dq = np.tile(HOME, (3, 1)), np.zeros((3, 7))
    q[:, 4] = np.cumsum([-2.8, 1.675, 3.0])
    dq[1, 4] = 5.025
    with pytest.raises(TrajectoryRejected, match=r"acceleration limit at 1.000 s: fr3_joint5"):
        Trajectory(np.array([0.0, 1.0, 2.5]), q, dq).validate(LIMITS)


def test_an_end_is_approached_slowly_and_left_fast() -> None:
    """The robot ends a motion in a reflex that is too fast for where its joint is."""
    near, away = HOME.copy(), HOME.copy()
    near[3], away[3] = LIMITS.q_max[3] - 0.02, LIMITS.q_max[3] - 0.8
    flat = replace(LIMITS, ends=None)
    approach, leave = (point_to_point(a, b, flat) for a, b in ((away, near), (near, away)))
    approach.validate(flat)
    leave.validate(LIMITS)
    with pytest.raises(TrajectoryRejected) as rejection:
        approach.validate(LIMITS)
    told = re.fullmatch(
        r"speed limit near the end of fr3_joint4 at (.*) s: at (.*) rad (.*) > (.*) rad/s",
        rejection.value.text,
    )
    assert told is not None, rejection.value.text
    t, q, speed, bound = map(float, told.groups())
    there = approach.sample(t)
    assert there[0][3] == pytest.approx(q, abs=2e-3)
    assert there[1][3] == pytest.approx(speed, abs=1e-2)
    assert bound == pytest.approx(np.sqrt(8.0 * (-0.1458 - q)) - 0.3, abs=2e-3)
    assert bound < speed
    slower = point_to_point(away, near, LIMITS)
    slower.validate(LIMITS)
    assert slower.duration > approach.duration


def test_an_arm_outside_of_its_limits_may_come_back_but_not_go_further() -> None:
    outside = HOME.copy()
    outside[3] = LIMITS.q_max[3] + 0.05
    point_to_point(outside, HOME, LIMITS).validate(LIMITS, q_start=outside)
    further, aside = outside.copy(), outside.copy()
    further[3] += 0.02
    aside[0] += 0.1
    with pytest.raises(TrajectoryRejected, match="position limit: fr3_joint4"):
        point_to_point(outside, further, LIMITS).validate(LIMITS)
    with pytest.raises(TrajectoryRejected, match="position limit: fr3_joint4"):
        point_to_point(outside, aside, LIMITS).validate(LIMITS)


@given(
    arrays(np.float64, 7, elements=st.floats(0.0, 1.0)),
    arrays(np.float64, 7, elements=st.floats(0.0, 1.0)),
)
@settings(max_examples=60, deadline=None)
def test_point_to_point_uses_the_limits_and_keeps_them(a: np.ndarray, b: np.ndarray) -> None:
    span = LIMITS.q_max - LIMITS.q_min
    q_from, q_to = LIMITS.q_min + a * span, LIMITS.q_min + b * span
    trajectory = point_to_point(q_from, q_to, LIMITS)
    trajectory.validate(LIMITS, q_start=q_from)
    q, dq, ddq = trajectory.sample(np.linspace(0, trajectory.duration, 4000))
    used = max(end_speed_share(q, dq, LIMITS).max(), (np.abs(ddq) / LIMITS.ddq_max).max())
    assert used > 0.98 or trajectory.duration == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (ARM_JOINTS[:6], "missing: fr3_joint7"),
        ((*ARM_JOINTS[:6], "panda_joint7"), "unknown: panda_joint7"),
        ((*ARM_JOINTS, "fr3_joint1"), "doubled: fr3_joint1"),
    ],
)
def test_wrong_joints_are_named(names: tuple[str, ...], text: str) -> None:
    with pytest.raises(TrajectoryRejected) as rejection:
        joint_order(names)
    assert rejection.value.code is ArmCode.INVALID_JOINTS
    assert text in rejection.value.text


def test_joints_are_matched_by_name() -> None:
    """Commanding by index swaps joints as soon as a client orders them differently."""
    assert joint_order(ARM_JOINTS[::-1]) == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("name", ["q", "dq", "ddq"])
def test_numbers_that_overflow_between_the_points_are_refused(name: str) -> None:
    """They are finite, and NaN half-way: over no limit, and the end of the control loop."""
    values = two_points()
    huge = np.array(values[name], dtype=float)
    huge[0, 3] = 1e308
    with pytest.raises(TrajectoryRejected):
        Trajectory(**{**values, name: huge}).validate(LIMITS)  # type: ignore[arg-type]
