"""Time laws: the limits hold everywhere, the path is kept, and the body takes the result."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from gensim2_control.goals import TrajectoryRejected
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, end_speed_share
from gensim2_kpam.arm_model import ArmModel
from gensim2_kpam.retiming import RetimingError, retime
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kpam_scenes import HOME, Array
from scipy.interpolate import CubicSpline

from gensim2_kpam import transit

FULL = JointLimits.fr3()
GENTLE = FULL.reduced(0.0, 0.35, 0.3)
SLACK = 1e-3  # what the body allows for rounding


def deviation(q: Array, path: Array) -> float:
    """Largest distance (rad, of any joint) of configurations (M, 7) from a polyline (N, 7)."""
    a, d = path[:-1], np.diff(path, axis=0)
    length = np.maximum(np.sum(d * d, axis=1), 1e-18)
    share = np.clip(np.einsum("mnk,nk->mn", q[:, None] - a, d) / length, 0.0, 1.0)
    nearest = a + share[..., None] * d
    return float(np.abs(q[:, None] - nearest).max(axis=2).min(axis=1).max())


def check(trajectory: Trajectory, path: Array, limits: JointLimits, off: float) -> None:
    t = np.linspace(0.0, trajectory.duration, 4000)
    q, dq, ddq = trajectory.sample(t)
    assert np.all(np.abs(dq) <= limits.dq_max * (1.0 + SLACK))
    assert np.all(np.abs(ddq) <= limits.ddq_max * (1.0 + SLACK))
    assert np.max(end_speed_share(q, dq, limits)) <= 1.0 + SLACK
    assert np.array_equal(trajectory.q[0], path[0])
    assert np.allclose(trajectory.q[-1], path[-1], atol=1e-9)
    assert trajectory.t[0] == 0.0
    assert trajectory.dq is not None
    assert not np.any(trajectory.dq[[0, -1]])
    assert deviation(q[::8], path) < off
    # What the body checks before it moves.
    trajectory.validate(FULL, q_start=path[0])


def wavy(seed: int, length: float, spacing: float) -> Array:
    """A smooth random path of about ``length`` rad, densely given."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, length / 4.0, (4, 7))
    corners = np.clip(HOME + np.cumsum(np.vstack([np.zeros(7), steps]), axis=0), -2.5, 3.0)
    corners[:, 3] = np.clip(corners[:, 3], -2.9, -0.3)
    corners[:, 5] = np.clip(corners[:, 5], 0.7, 4.3)
    corners[:, 1] = np.clip(corners[:, 1], -1.6, 1.6)
    corners += rng.normal(0.0, 1e-3, corners.shape)  # no two alike after clipping
    fine = CubicSpline(np.arange(5.0), corners)(np.linspace(0.0, 4.0, 2000))
    path = [fine[0]]
    for q in fine[1:]:
        if np.max(np.abs(q - path[-1])) >= spacing:
            path.append(q)
    return np.array([*path, fine[-1]])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.floats(0.2, 1.2),
    spacing=st.sampled_from([0.003, 0.02, 0.04]),
    limits=st.sampled_from([GENTLE, FULL, FULL.reduced(0.0, 1.0, 0.05)]),
)
def test_smooth_paths(
    arm: ArmModel, seed: int, length: float, spacing: float, limits: JointLimits
) -> None:
    path = wavy(seed, length, spacing)
    assume(FULL.reduced(0.05).contains(path))
    check(retime(arm.plant, path, limits), path, limits, off=0.01)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), corners=st.integers(1, 4), fine=st.booleans())
def test_the_arm_stops_at_corners_and_does_not_cut_them(
    arm: ArmModel, seed: int, corners: int, fine: bool
) -> None:
    rng = np.random.default_rng(seed)
    path = HOME + rng.uniform(-0.3, 0.3, (corners + 1, 7))
    given = path
    if fine:
        given = np.vstack([*[transit.line(a, b, 0.02)[:-1] for a, b in pairwise(path)], path[-1:]])
    trajectory = retime(arm.plant, given, GENTLE)
    check(trajectory, path, GENTLE, off=2.5e-3)
    # Every corner is passed, to the point.
    q, _, _ = trajectory.sample(np.linspace(0.0, trajectory.duration, 20_000))
    for corner in path:
        assert np.min(np.max(np.abs(q - corner), axis=1)) < 2.5e-3


@settings(max_examples=40, deadline=None)
@given(
    ends=st.lists(st.sampled_from([-1, 0, 1]), min_size=7, max_size=7).filter(any),
    bend=st.floats(0.0, 0.4),
    limits=st.sampled_from([GENTLE, FULL]),
)
def test_ends_of_joints_are_approached_slowly_enough_for_the_body(
    arm: ArmModel, ends: list[int], bend: float, limits: JointLimits
) -> None:
    """Straight and curved, as far as the planner goes, which at full speed is too fast."""
    towards = np.array(ends)
    last = np.where(towards > 0, arm.q_max, np.where(towards < 0, arm.q_min, HOME))
    s = np.linspace(0.0, 1.0, 60)[:, None]
    aside = np.where(towards == 0, bend, 0.0) * np.sin(np.pi * s)
    path = last + (1.0 - s) * 0.3 * (HOME - last) + aside
    check(retime(arm.plant, path, limits), path, limits, off=0.01)


def test_a_path_that_is_too_fast_near_an_end_is_slowed_down(arm: ArmModel) -> None:
    """And one that leaves the end is not: it is as fast as where there is no end."""
    last = np.where(np.arange(7) == 3, arm.q_max, HOME)
    path = np.vstack([last - 0.5 * np.eye(7)[3], last])
    flat = replace(FULL, ends=None)
    there, back = retime(arm.plant, path, FULL), retime(arm.plant, path[::-1], FULL)
    assert there.duration > 1.05 * back.duration
    assert back.duration == pytest.approx(retime(arm.plant, path[::-1], flat).duration)
    with pytest.raises(TrajectoryRejected, match="near the end of fr3_joint4"):
        retime(arm.plant, path, flat).validate(FULL)


def test_a_long_straight_way_is_not_slower_than_it_must(arm: ArmModel) -> None:
    path = np.vstack([HOME, HOME + np.array([1.5, 0, 0, 0, 0, 0, 0])])
    duration = retime(arm.plant, path, GENTLE).duration
    fastest = 1.5 / GENTLE.dq_max[0] + GENTLE.dq_max[0] / GENTLE.ddq_max[0]
    assert fastest < duration < 2.0 * fastest


@pytest.mark.parametrize("size", [1e-5, 1e-3, 0.01])
@pytest.mark.parametrize("count", [2, 3, 10])
def test_tiny_paths(arm: ArmModel, size: float, count: int) -> None:
    bend = np.linspace(0.0, 1.0, count)[:, None]
    path = HOME + size * np.hstack([bend, bend**2, np.zeros((count, 5))])
    check(retime(arm.plant, path, GENTLE), path, GENTLE, off=0.25 * size + 1e-6)


def test_repeated_points_do_not_matter(arm: ArmModel) -> None:
    path = wavy(3, 0.4, 0.02)
    doubled = np.repeat(path, 3, axis=0)
    once, thrice = retime(arm.plant, path, GENTLE), retime(arm.plant, doubled, GENTLE)
    assert np.array_equal(once.t, thrice.t)
    assert np.array_equal(once.q, thrice.q)


def test_a_path_and_back(arm: ArmModel) -> None:
    there = transit.line(HOME, HOME + 0.3, 0.02)
    path = np.vstack([there, there[::-1]])
    trajectory = retime(arm.plant, path, GENTLE)
    check(trajectory, np.vstack([there[0], there[-1], there[0]]), GENTLE, off=2.5e-3)
    q, _, _ = trajectory.sample(np.linspace(0.0, trajectory.duration, 2000))
    assert np.max(np.abs(q - HOME)) == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("path", [HOME[None], np.vstack([HOME] * 5)], ids=["one", "five"])
def test_a_path_without_length_is_refused(arm: ArmModel, path: Array) -> None:
    with pytest.raises(RetimingError, match="no length"):
        retime(arm.plant, path, GENTLE)
