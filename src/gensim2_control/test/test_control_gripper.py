"""A grasp reported wrongly makes the arm leave without the object, or crush it."""

from __future__ import annotations

import math

import pytest
from gensim2_control.config import BodyConfig, GripperConfig
from gensim2_control.goals import GoalRejected, Outcome
from gensim2_control.hardware import JointSample

PERIOD = 0.005


def test_an_empty_hand_reaches_its_goal(rig) -> None:  # type: ignore[no-untyped-def]
    for position in (0.0, 0.04, 0.02):
        goal = rig.body.grip(position)
        rig.run()
        assert goal.result.outcome is Outcome.SUCCEEDED
        assert (goal.reached_goal, goal.stalled) == (True, False)
        assert goal.reached == pytest.approx(position, abs=1e-3)


def test_an_object_stalls_the_fingers_and_is_held(rig) -> None:  # type: ignore[no-untyped-def]
    rig.hardware.place_object(0.015)
    goal = rig.body.grip(0.0, effort=20.0)
    rig.run()
    assert goal.result.outcome is Outcome.SUCCEEDED
    assert (goal.reached_goal, goal.stalled) == (False, True)
    assert goal.reached == pytest.approx(0.015)
    assert goal.force == pytest.approx(20.0)
    assert (rig.state.gripper_ref, rig.state.gripper_effort) == (0.0, 20.0)
    rig.step(100)
    assert rig.state.tau[7] == pytest.approx(20.0), "the hand must go on pressing"
    rig.body.stop("test")
    rig.step(100)
    assert rig.state.tau[7] == pytest.approx(20.0), "a stop must not drop the object"


def test_what_is_commanded_is_told(rig) -> None:  # type: ignore[no-untyped-def]
    """It is recorded: without the force nobody can do again what was done."""
    rig.step()
    assert (rig.state.gripper_ref, rig.state.gripper_effort) == (rig.state.q[7], 0.0)
    goal = rig.body.grip(0.01)
    rig.step()
    assert (rig.state.gripper_ref, rig.state.gripper_effort) == (0.01, goal.effort)
    assert goal.effort > 0.0
    rig.body.cancel(goal)
    rig.step(2)
    assert rig.state.gripper_ref == pytest.approx(rig.state.q[7], abs=1e-3)
    assert rig.state.gripper_effort == 0.0


@pytest.mark.parametrize("start", [0.04, 0.015], ids=["on the way", "from the start"])
def test_a_grasp_that_trembles_is_a_grasp(rig, monkeypatch, start: float) -> None:  # type: ignore[no-untyped-def]
    """Simulated contacts chatter by some 11 um from step to step: fast, but it leads nowhere."""
    rig.hardware.place_object(0.015)
    if start < 0.04:
        rig.body.grip(start)
        rig.run()
    steady, sign = rig.hardware.read, 1.0

    def trembling() -> JointSample:
        nonlocal sign
        sample, sign = steady(), -sign
        sample.q[7:] += sign * 5.5e-6
        sample.dq[7:] += sign * 11e-6 / PERIOD
        return sample

    monkeypatch.setattr(rig.hardware, "read", trembling)
    goal = rig.body.grip(0.0)
    began = rig.state.t
    rig.run()
    assert goal.result.succeeded and goal.stalled, goal.result
    assert rig.state.t - began < 1.0


def test_a_slow_start_is_not_a_stall(make_rig) -> None:  # type: ignore[no-untyped-def]
    """The real hand takes a while to start: that is no grasp."""
    rig = make_rig(BodyConfig(gripper=GripperConfig(response_time=0.5, stall_time=0.2)))
    rig.hardware.place_object(0.04)
    goal = rig.body.grip(0.0)
    rig.step(120)
    rig.hardware.place_object(None)
    rig.run()
    assert goal.reached_goal


def test_fingers_that_creep_for_ever_time_out(make_rig) -> None:  # type: ignore[no-untyped-def]
    rig = make_rig(BodyConfig(gripper=GripperConfig(timeout=1.0)), finger_speed=0.005)
    goal = rig.body.grip(0.0)
    rig.run(longest=3.0)
    assert goal.result.outcome is Outcome.ABORTED
    assert "wanted 0.0000" in goal.result.text
    reached = rig.state.q[7]
    rig.step(50)
    assert rig.state.q[7] == pytest.approx(reached, abs=1e-4), "the fingers must stand"


def test_cancel_and_preemption(rig) -> None:  # type: ignore[no-untyped-def]
    first = rig.body.grip(0.0)
    rig.step(10)
    second = rig.body.grip(0.04)
    assert first.result.outcome is Outcome.ABORTED
    assert "preempted" in first.result.text
    rig.step(5)
    assert rig.body.cancel(second)
    assert second.result.outcome is Outcome.CANCELED
    assert not rig.body.cancel(second)
    rig.step(2)
    reached = rig.state.q[7]
    rig.step(50)
    assert rig.state.q[7] == pytest.approx(reached, abs=1e-3)
    assert not rig.body.busy


@pytest.mark.parametrize(
    ("position", "effort"),
    [(0.08, 10.0), (-0.01, 10.0), (math.nan, 10.0), (0.02, -1.0), (0.02, 1e3), (0.02, math.inf)],
)
def test_impossible_goals_are_refused(rig, position: float, effort: float) -> None:  # type: ignore[no-untyped-def]
    """0.08 is the full width: whoever sends it means something else than this hand does."""
    with pytest.raises(GoalRejected):
        rig.body.grip(position, effort)
    assert not rig.body.busy


def test_arm_and_gripper_move_at_once(rig) -> None:  # type: ignore[no-untyped-def]
    arm = rig.body.follow(rig.move(0.3))
    hand = rig.body.grip(0.0)
    rig.run()
    assert arm.result.succeeded
    assert hand.result.succeeded
