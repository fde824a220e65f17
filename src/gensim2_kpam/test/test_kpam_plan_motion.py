"""A plan as one motion is what the phases of the plan say, one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.plan import Phase, Plan
from gensim2_kpam.plan_motion import GRIP_TIME, joint_motion
from hypothesis import given
from hypothesis import strategies as st
from kpam_scenes import HOME

OPEN, CLOSED = 0.04, 0.0
PARTS = st.lists(
    st.one_of(st.floats(0.02, 10.0).map(lambda d: ("arm", d)), st.just(("grip", GRIP_TIME))),
    max_size=5,
)


@given(PARTS, st.integers(0, 2**32 - 1))
def test_the_motion_is_that_of_the_phases(parts: list[tuple[str, float]], seed: int) -> None:
    """Whatever the phases: it begins where the robot is, and is at every end where it was sent."""
    random = np.random.default_rng(seed)
    arm, finger, phases, ends = HOME, OPEN, [], []
    for kind, duration in parts:
        if kind == "arm":
            arm, before = HOME + random.uniform(-0.5, 0.5, 7), arm
            q = np.vstack([before, arm])
            phases.append(Phase("move", Trajectory(np.array([0.0, duration]), q)))
        else:
            finger = OPEN - finger
            phases.append(Phase("grip", gripper=(finger, 10.0)))
        ends.append((duration, np.array([*arm, finger, finger])))
    motion = joint_motion(Plan(tuple(phases), (), {}, 0.0), HOME, OPEN)
    np.testing.assert_array_equal(motion.q[0], [*HOME, OPEN, OPEN])
    assert motion.t[0] == 0.0 and (np.diff(motion.t) > 0.0).all()
    assert np.diff(motion.t).max(initial=0.0) <= max(GRIP_TIME, 0.05) + 1e-9
    passed = 0.0
    for duration, q in ends:
        passed += duration
        at = np.array([np.interp(passed, motion.t, column) for column in motion.q.T])
        np.testing.assert_allclose(at, q, atol=1e-9)
    assert motion.t[-1] == pytest.approx(passed)
