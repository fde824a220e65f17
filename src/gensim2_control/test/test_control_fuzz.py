"""Inputs of any kind to the body: refused without effect, or carried out within the limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from control_fuzz_inputs import Family, check_references
from control_rig import Rig
from gensim2_control.goals import GoalRejected
from gensim2_control.trajectory import Trajectory

COUNT, BLOCKS = 1500, 5


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_any_input_is_refused_without_effect_or_kept_within_limits(
    family: Family, block: int, tmp_path: Path
) -> None:
    each = COUNT // BLOCKS
    accepted = sum(family.run(block * each + i) for i in range(each))
    assert 0.1 * each < accepted < 0.7 * each, "inputs of one kind only show nothing"


def test_a_reference_beyond_the_limits_would_be_noticed() -> None:
    rig = Rig(lag=0.0)
    rig.step(5)
    check_references(rig)
    t, q, dq = rig.hardware.writes[-1]
    jump = np.zeros(7)
    jump[3] = 0.001
    rig.hardware.writes.append((t, q + jump, dq))
    with pytest.raises(AssertionError, match="acceleration limit"):
        check_references(rig)
    rig.hardware.writes[-1] = (t, q * np.nan, dq)
    with pytest.raises(AssertionError, match="not finite"):
        check_references(rig)


def two_points(rig: Rig, t: tuple[float, float], **first: float) -> Trajectory:
    """Two points where the arm is, with one number of joint 1 changed in the first of them."""
    rows = {"q": np.vstack([rig.state.q_ref] * 2), "dq": np.zeros((2, 7)), "ddq": np.zeros((2, 7))}
    for name, value in first.items():
        rows[name][0, 0] += value
    return Trajectory(np.array(t), **rows)


def refused(rig: Rig, trajectory: Trajectory, stamp: float | None = None) -> str:
    """Sends a trajectory that must be refused and must not move the arm; returns the reason."""
    with pytest.raises(GoalRejected) as caught:
        if stamp is None:
            rig.body.follow(trajectory)
        else:
            rig.body.stream(trajectory, stamp)
    before = rig.state.q_ref.copy()
    rig.step(20)
    assert (rig.state.q_ref == before).all() and not rig.body.busy
    return str(caught.value)


@pytest.mark.parametrize("t", [(0.0, 1.0), (0.5, 1.0)])
@pytest.mark.parametrize("name", ["q", "dq", "ddq"])
def test_numbers_that_overflow_between_the_points_are_refused(
    name: str, t: tuple[float, float]
) -> None:
    """They are finite, and NaN half-way: over no limit, and the end of the control loop."""
    rig = Rig(lag=0.0)
    assert refused(rig, two_points(rig, t, **{name: 1e308}))


def test_bare_positions_that_overflow_are_refused() -> None:
    rig = Rig(lag=0.0)
    q = rig.state.q_ref + np.outer([0.0, 1e308, -1e308], np.ones(7))
    assert refused(rig, Trajectory(np.array([0.0, 0.5, 1.0]), q))
    assert refused(rig, Trajectory(np.array([0.5, 0.6, 1.0]), q))


def test_a_jump_between_two_times_of_the_check_is_refused() -> None:
    """A chunk so old that its next point is due at once: 0.02 rad within a millisecond."""
    rig = Rig(lag=0.0)
    assert "speed limit" in refused(rig, two_points(rig, (0.001, 1.0), q=0.02))
    chunk = two_points(rig, (0.181, 0.22), q=0.02)
    assert "limit" in refused(rig, chunk, stamp=rig.state.t - 0.18)
