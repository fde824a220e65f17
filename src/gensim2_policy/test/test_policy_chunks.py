"""Chunks go on from one another without a jump, within the limits of the arm."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.description import robot_description
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.trajectory import check_motion
from gensim2_policy.acting import Targets
from gensim2_policy.chunk_maker import INSET, Chunk, ChunkConfig, ChunkMaker
from gensim2_policy.chunk_spline import smooth_way
from gensim2_policy.pose_reaching import reach_poses
from hypothesis import given, settings
from hypothesis import strategies as st

KINEMATICS = Fr3Kinematics.from_urdf(robot_description())
LIMITS = JointLimits.fr3().reduced(0.055, 0.7, 0.7).stoppable_within(0.27)
WORKSPACE = Workspace((-0.3, -0.8, 0.002), (0.9, 0.8, 1.2))
HOME = np.array(HOME_Q)


def maker(**config: float) -> ChunkMaker:
    """At rest at home."""
    made = ChunkMaker(KINEMATICS, LIMITS, WORKSPACE, ChunkConfig(**config))  # type: ignore[arg-type]
    made.begin(HOME)
    return made


def targets(t: float, q: Array) -> Targets:
    """Joints of a chunk that was made at a time."""
    return Targets(t + 0.1 * np.arange(1, len(q) + 1), np.full(len(q), 0.02), q)


def line(step: float, count: int = 16, start: Array = HOME) -> Array:
    """The first joint moves evenly, rad per step."""
    q = np.tile(start, (count, 1))
    q[:, 0] += step * np.arange(1, count + 1)
    return q


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1.0, 1.0), min_size=21, max_size=21),
    st.floats(0.4, 1.9),
    st.sampled_from([0.02, 0.05, 0.1]),
)
def test_a_way_begins_exactly_as_the_arm_moves(
    numbers: list[float], duration: float, step: float
) -> None:
    """Position, velocity and acceleration; and its knots give all of it: a cubic."""
    start = tuple(np.array(numbers[k : k + 7]) for k in (0, 7, 14))
    t = np.linspace(0.1, duration, 8)
    q = start[0] + 0.1 * np.sin(t)[:, None]
    way = smooth_way(
        (start[0], start[1], start[2]),
        t,
        q,
        np.ones(8),
        duration=duration,
        step=step,
        jerk_price=1e-6,
    )
    for found, wanted in zip(way.sample(0.0), start, strict=True):
        assert np.allclose(found, wanted, atol=1e-9)
    assert way.duration >= duration - 1e-9
    # Between knots the acceleration is linear: the quintic of the body adds nothing.
    middle = 0.5 * (way.t[:-1] + way.t[1:])
    assert way.ddq is not None
    assert np.allclose(way.sample(middle)[2], 0.5 * (way.ddq[:-1] + way.ddq[1:]), atol=1e-6)


def test_a_cheap_jerk_follows_the_targets_and_weights_tell_which() -> None:
    t = np.linspace(0.1, 1.5, 15)
    q = HOME + 0.2 * np.sin(2.0 * t)[:, None]
    rest = HOME, np.zeros(7), np.zeros(7)

    def worst(q: Array, t: Array, weight: Array, wanted: Array) -> float:
        way = smooth_way(rest, t, q, weight, duration=1.5, step=0.05, jerk_price=1e-9)
        return float(np.abs(way.sample(np.linspace(0.1, 1.5, 15))[0] - wanted).max())

    assert worst(q, t, np.ones(15), q) < 0.01
    both, twice = np.vstack([q, q + 1.0]), np.concatenate([t, t])
    assert worst(both, twice, np.repeat([1.0, 1e-6], 15), q) < 0.02
    assert worst(both, twice, np.ones(30), q) > 0.3


def follow(chunks: list[tuple[Chunk, float]], t: Array) -> Array:
    """Velocities (N, 7) of an arm that follows the newest chunk at each time."""
    found = []
    for now in t:
        made = [(c, at) for c, at in chunks if at + c.trajectory.t[0] <= now + 1e-9]
        chunk, at = made[-1]
        found.append(chunk.trajectory.sample(now - at)[1])
    return np.array(found)


def test_no_jump_where_a_chunk_takes_over_and_none_comes_to_rest_at_its_end() -> None:
    """Targets that change their mind at every step; velocity and acceleration go on."""
    rng, made = np.random.default_rng(3), maker()
    chunks, q = [], HOME
    for k in range(12):
        now = 0.1 * k
        q = made.reference(now)[0]
        speed = rng.uniform(-0.06, 0.06, 7)
        wanted = q + speed * np.arange(1, 17)[:, None]
        chunk = made.chunk(targets(now, wanted), now + 0.2, now)
        assert chunk.slower < np.inf
        check_motion(chunk.trajectory.starting_at(*made.reference(now)), chunk.trajectory.t, LIMITS)
        chunks.append((chunk, now))
    t = np.arange(0.3, 1.2, 0.005)
    dq = follow(chunks, t)
    assert np.abs(np.diff(dq, axis=0)).max() <= 0.005 * LIMITS.ddq_max.max() + 1e-9
    last = chunks[-1][0].trajectory
    assert last.dq is not None and np.abs(last.dq[-1]).max() > 0.05


def test_until_it_takes_over_a_chunk_repeats_the_one_before() -> None:
    made = maker()
    first = made.chunk(targets(0.0, line(0.05)), 0.2, 0.0)
    second = made.chunk(targets(0.3, line(-0.05)), 0.5, 0.3)
    for t in (0.36, 0.4, 0.45, 0.49):
        a, b = first.trajectory.sample(t), second.trajectory.sample(t - 0.3)
        for one, other in zip(a, b, strict=True):
            assert np.allclose(one, other, atol=1e-9)
    assert np.abs(second.trajectory.sample(1.0)[0] - first.trajectory.sample(1.3)[0]).max() > 0.05


def test_the_newest_chunk_counts_most_and_alone_where_that_is_wanted() -> None:
    """Of two opinions that differ, the ensemble is between them; a receding horizon is not."""

    def end(ensemble: float) -> float:
        made = maker(ensemble=ensemble)
        made.chunk(targets(0.0, line(0.02)), 0.2, 0.0)
        chunk = made.chunk(targets(0.1, line(-0.02)), 0.3, 0.1)
        return float(chunk.trajectory.sample(1.0)[0][0] - HOME[0])

    receding, half, alike = end(0.0), end(0.5), end(1.0)
    assert receding < half < alike and receding < -0.1 and abs(alike) < 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 3.0))
def test_whatever_is_wanted_keeps_the_limits(seed: int, wild: float) -> None:
    """Wild targets are followed slowly, or not at all; the arm is never thrown."""
    rng, made = np.random.default_rng(seed), maker()
    for k in range(4):
        now = 0.1 * k
        q = HOME + wild * rng.standard_normal((16, 7))
        chunk = made.chunk(targets(now, q), now + 0.2, now)
        if chunk.slower < np.inf:
            check_motion(chunk.trajectory, chunk.trajectory.t, LIMITS)


def reach(T: Array) -> Array:
    """Joints of poses (N, 4, 4), each from the one before, the first from home."""
    q, reached = np.empty((len(T), 7)), HOME
    for row, pose in zip(q, T, strict=True):
        reached = row[:] = reach_poses(KINEMATICS, reached[None], pose[None], LIMITS)[0]
    return q


def test_targets_below_the_table_are_lifted_onto_it() -> None:
    """The hand goes out and down, and through the table if it were let."""
    T = np.tile(KINEMATICS.fk(HOME), (40, 1, 1))
    T[:, 0, 3] += np.linspace(0.0, 0.2, 40)
    T[:, 2, 3] -= np.linspace(0.0, 0.35, 40)
    q, made = reach(T), maker()
    for k in range(60):
        now = 0.1 * k
        ahead = np.minimum(np.arange(1, 17) + k, 39)
        wanted = Targets(now + 0.1 * np.arange(1, 17), np.zeros(16), q[ahead], T[ahead])
        chunk = made.chunk(wanted, now + 0.2, now)
    z = KINEMATICS.fk(chunk.trajectory.q)[:, 2, 3]
    assert 0.0 < z.min() < 0.03 and chunk.slower < np.inf


def test_the_ends_of_the_joints_are_no_trap() -> None:
    """Targets beyond an end lead to it, and away from it again."""
    made, q = maker(), HOME.copy()
    for k in range(60):
        now = 0.1 * k
        beyond = np.tile(made.reference(now + 0.2)[0], (16, 1))
        beyond[:, 3] -= 0.03 * np.arange(1, 17) if k < 30 else -0.03 * np.arange(1, 17)
        made.chunk(targets(now, beyond), now + 0.2, now)
        if k == 29:
            q = made.reference(now)[0].copy()
    assert q[3] < LIMITS.q_min[3] + 3.0 * INSET
    assert made.reference(6.0)[0][3] > q[3] + 0.2


def test_a_stop_comes_to_rest_and_a_start_from_motion_goes_on() -> None:
    made = maker()
    made.chunk(targets(0.0, line(0.1)), 0.2, 0.0)
    _, dq, _ = made.reference(0.8)
    assert dq[0] > 0.3
    chunk = made.stop(0.8, 0.7).trajectory
    assert chunk.dq is not None and np.abs(chunk.dq[-1]).max() == 0.0
    check_motion(chunk, chunk.t, LIMITS)
    made.begin(HOME, dq, 5.0)
    assert np.allclose(made.reference(5.0)[1], dq) and np.allclose(made.reference(5.0)[0], HOME)


def test_targets_that_have_passed_are_an_error() -> None:
    with pytest.raises(ValueError, match="have passed"):
        maker().chunk(targets(0.0, line(0.1)), 5.0, 5.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_poses_are_reached_near_the_joints_that_are_said(seed: int) -> None:
    """To a tenth of a millimetre, in the branch of the joints beside them."""
    rng = np.random.default_rng(seed)
    truth = HOME + rng.uniform(-0.25, 0.25, (5, 7))
    near = truth + rng.uniform(-0.05, 0.05, truth.shape)
    T = KINEMATICS.fk(truth)
    found = KINEMATICS.fk(reach_poses(KINEMATICS, near, T, LIMITS))
    assert np.linalg.norm(found[:, :3, 3] - T[:, :3, 3], axis=1).max() < 1e-3
    assert np.abs(reach_poses(KINEMATICS, near, T, LIMITS) - truth).max() < 0.4
