"""Whatever clients do in whatever order: the references keep the limits and come to rest."""

from __future__ import annotations

import contextlib

import numpy as np
from gensim2_control.goals import GoalRejected
from gensim2_control.hardware import HOME_Q
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

LIMITS = JointLimits.fr3()
PERIOD = 0.005

offsets = arrays(np.float64, 7, elements=st.floats(-0.8, 0.8))
small = arrays(np.float64, 7, elements=st.floats(-0.008, 0.008))
begins = st.sampled_from(
    [
        np.array(HOME_Q),
        LIMITS.q_max - 0.1,
        LIMITS.q_min + 0.1,
        np.where(np.arange(7) % 2, LIMITS.q_max - 0.02, LIMITS.q_min + 0.02),
    ]
)
actions = st.lists(
    st.tuples(
        st.sampled_from(
            ["follow", "onward", "stream", "cancel", "stop", "recover", "home", "lost"]
        ),
        offsets,
        small,
        st.floats(0.1, 2.0),
        st.integers(1, 80),
    ),
    min_size=1,
    max_size=8,
)


def command(rig, kind: str, offset: np.ndarray, jitter: np.ndarray, duration: float) -> None:  # type: ignore[no-untyped-def]
    body, q_ref = rig.body, rig.state.q_ref
    target = np.clip(q_ref + offset, LIMITS.q_min, LIMITS.q_max)
    if kind == "follow":
        q = np.vstack([q_ref + jitter, target])
        rig.goals.append(body.follow(Trajectory(np.array([0.0, 3 * duration]), q)))
    elif kind == "onward":
        still = np.zeros((1, 7))
        rig.goals.append(body.follow(Trajectory(np.array([duration]), target[None], still)))
    elif kind == "stream":
        body.stream(Trajectory(np.array([duration]), target[None], jitter[None] * 20))
    elif kind == "cancel" and rig.goals:
        body.cancel(rig.goals[-1])
    elif kind == "stop":
        body.stop("property")
    elif kind == "recover":
        body.recover()
    elif kind == "home":
        rig.goals.append(body.home())
    elif kind == "lost":
        body.heartbeat_lost()


@given(begins, actions)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_references_keep_every_limit_and_come_to_rest(make_rig, begin, script) -> None:  # type: ignore[no-untyped-def]
    rig = make_rig(lag=0.0, q=begin)
    rig.goals = []
    for kind, offset, jitter, duration, steps in script:
        with contextlib.suppress(GoalRejected):
            command(rig, kind, offset, jitter, duration)
        rig.step(steps)
    rig.body.stop("end")
    rig.step(round(float((LIMITS.dq_max / LIMITS.ddq_max).max()) / PERIOD) + 2)
    assert not rig.body.busy
    assert (rig.hardware.writes[-1][2] == 0.0).all()

    q = np.array([write[1] for write in rig.hardware.writes])
    dq = np.array([write[2] for write in rig.hardware.writes])
    assert np.isfinite(q).all()
    assert LIMITS.contains(q, slack=1e-3)
    speed = np.abs(np.diff(q, axis=0)) / PERIOD
    assert (speed <= LIMITS.dq_max * 1.002).all()
    acceleration = np.abs(np.diff(q, n=2, axis=0)) / PERIOD**2
    assert (acceleration <= LIMITS.ddq_max * 1.01 + 1e-6).all()
    lowest, highest = LIMITS.speed_bounds(q)
    assert (dq <= highest * 1.002 + 2e-3).all() and (dq >= lowest * 1.002 - 2e-3).all()
    # Nothing filters the references: the jerk follows from the acceleration and the period.
    jerk = np.abs(np.diff(q, n=3, axis=0)) / PERIOD**3
    assert (jerk <= 2.0 * LIMITS.ddq_max / PERIOD * 1.01 + 1e-3).all()
    assert (jerk <= LIMITS.dddq_max).all()
    assert (np.abs(np.diff(dq, axis=0)) <= LIMITS.ddq_max * PERIOD * 1.01 + 1e-9).all()
