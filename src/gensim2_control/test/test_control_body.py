"""What a client, an operator and a broken robot can do to the body, and what must follow."""

from __future__ import annotations

import numpy as np
import pytest
from control_rig import Rig
from gensim2_control.body import Body
from gensim2_control.config import ArmConfig, BodyConfig
from gensim2_control.goals import ArmCode, GoalRejected, Outcome, TrajectoryRejected
from gensim2_control.hardware import HOME_Q, Fault
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.mock_hardware import MockHardware
from gensim2_control.state_machine import Mode
from gensim2_control.trajectory import Trajectory

# Rig is defined in control_rig.py; fixtures hand it out.


def test_a_goal_starts_at_the_next_update_and_succeeds(rig) -> None:  # type: ignore[no-untyped-def]
    trajectory = rig.move(0.3, -0.2)
    goal = rig.body.follow(trajectory)
    assert rig.body.busy
    rig.body.update()
    assert rig.hardware.writes[-1][2].max() < 1e-9
    rig.step(2)
    assert np.abs(rig.hardware.writes[-1][2]).max() > 0
    rig.run()
    assert goal.result == type(goal.result)(Outcome.SUCCEEDED, ArmCode.SUCCESSFUL, "")
    assert goal.progress == 1.0
    np.testing.assert_allclose(rig.q, trajectory.q[-1], atol=1e-3)
    assert rig.state.mode is Mode.IDLE
    took = rig.state.t
    assert trajectory.duration <= took <= trajectory.duration + 0.1


def test_the_reference_is_followed_in_time(rig) -> None:  # type: ignore[no-untyped-def]
    trajectory = rig.move(0.4)
    rig.body.follow(trajectory)
    rig.run()
    start = 0.005
    for t, q_ref, dq_ref in rig.hardware.writes:
        q, dq, _ = trajectory.sample(t + 0.005 - start)
        if t + 0.005 >= start:
            np.testing.assert_allclose(q_ref, q, atol=1e-9)
            np.testing.assert_allclose(dq_ref, dq, atol=1e-9)


def test_no_goal_before_the_first_measurement() -> None:
    body = Body(MockHardware())
    assert body.update() is None
    with pytest.raises(TrajectoryRejected, match="no measurement"):
        body.grip(0.0)
    assert not body.motion_possible


def test_a_trajectory_from_rest_is_refused_while_the_arm_moves(rig) -> None:  # type: ignore[no-untyped-def]
    """Starting it would stop the reference within one control period."""
    first = rig.body.follow(rig.move(0.5))
    rig.step(60)
    with pytest.raises(TrajectoryRejected, match="the arm moves"):
        rig.body.follow(rig.move(0.2))
    rig.run()
    assert first.result.succeeded, "a refused goal must not disturb the running one"


def test_a_stop_during_recovery_wins(rig) -> None:  # type: ignore[no-untyped-def]
    rig.body.stop("operator")
    assert rig.body.recover()
    rig.body.stop("again")
    rig.step(5)
    assert rig.state.mode is Mode.STOPPED


def test_a_host_that_steps_only_while_busy_learns_of_stop_and_recovery(rig) -> None:  # type: ignore[no-untyped-def]
    """In lockstep nobody would see a stop, and no recovery would ever end, while nothing moves."""
    assert not rig.body.busy
    rig.body.stop("operator")
    assert rig.run(longest=0.1).mode is Mode.STOPPED
    assert rig.body.recover()
    assert rig.run(longest=0.1).mode is Mode.IDLE
    rig.hardware.set_q(np.array(HOME_Q) + 0.1)
    rig.body.reseed()
    rig.body.update()
    assert not rig.body.busy, "a reset must not make time go on"


def test_recovery_fails_while_the_cause_is_there(rig) -> None:  # type: ignore[no-untyped-def]
    rig.hardware.set_user_stop(True)
    rig.step(3)
    answer = rig.body.recover()
    assert not answer
    assert "stop is pressed" in answer.text
    rig.hardware.set_user_stop(False)
    rig.step(10)
    assert not rig.state.motion_possible, "a refused recovery must not take effect later"


def test_a_recovery_that_does_not_show_at_once_is_void(rig, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Otherwise releasing the user stop minutes later would bring the robot back by itself."""
    rig.hardware.set_user_stop(True)
    rig.step(3)
    monkeypatch.setattr(rig.hardware, "recover", lambda: True)
    assert rig.body.recover()
    rig.step(5)
    rig.hardware.set_user_stop(False)
    rig.step(50)
    assert not rig.state.motion_possible


def test_an_arm_that_is_guided_by_hand_is_followed_and_not_commanded(rig) -> None:  # type: ignore[no-untyped-def]
    """Holding the old reference would throw the arm back as soon as the drives follow again."""
    rig.hardware.set_user_stop(True)
    rig.step(2)
    count = len(rig.hardware.writes)
    guided = np.array(HOME_Q) + 0.3
    rig.hardware.set_q(guided)
    rig.step(5)
    assert len(rig.hardware.writes) == count
    np.testing.assert_array_equal(rig.state.q_ref, guided)
    rig.hardware.set_user_stop(False)
    assert rig.body.recover()
    rig.step(20)
    np.testing.assert_array_equal(rig.hardware.writes[-1][1], guided)


def test_a_late_measurement_stops_the_arm_and_does_not_jump(rig) -> None:  # type: ignore[no-untyped-def]
    """After a pause of the host the time law has moved on: catching up would be a leap."""
    goal = rig.body.follow(rig.move(0.8, velocity=1.0, acceleration=0.8))
    rig.step(80)
    before = rig.hardware.writes[-1]
    rig.hardware.step(0.5)
    rig.body.update()
    assert np.abs(rig.hardware.writes[-1][1] - before[1]).max() <= 2.62 * 0.005
    rig.run()
    assert "no measurement for 0.5" in goal.result.text
    assert rig.state.error_code is Fault.STATE_STALE


def test_time_may_stand_still_or_leap_while_nothing_runs(rig) -> None:  # type: ignore[no-untyped-def]
    for _ in range(100):
        rig.body.update()
    rig.hardware.step(3600.0)
    rig.body.update()
    assert rig.state.mode is Mode.IDLE


def test_a_clock_that_runs_back_is_a_fault_unless_announced(rig) -> None:  # type: ignore[no-untyped-def]
    rig.step(100)
    rig.hardware.step(-0.4)
    rig.body.reseed()
    rig.body.update()
    assert rig.state.mode is Mode.IDLE
    rig.hardware.step(-0.05)
    rig.body.update()
    assert rig.state.error_code is Fault.STATE_INVALID
    assert "ran back" in rig.state.reason


def test_reseed_aborts_and_holds_where_the_reset_put_the_arm(rig) -> None:  # type: ignore[no-untyped-def]
    goal = rig.body.follow(rig.move(0.8))
    rig.step(80)
    elsewhere = np.array(HOME_Q) + 0.4
    rig.hardware.set_q(elsewhere)
    rig.body.reseed()
    assert "reset" in goal.result.text
    rig.body.update()
    assert not rig.body.busy
    np.testing.assert_array_equal(rig.hardware.writes[-1][1], elsewhere)
    np.testing.assert_array_equal(rig.hardware.writes[-1][2], 0.0)


def test_goal_tolerance_decides_about_contact(rig) -> None:  # type: ignore[no-untyped-def]
    """Pushing tasks deviate on purpose: unlimited tolerance succeeds, the default aborts."""
    rig.hardware.block_joint(1)
    blocked = rig.body.follow(rig.move(0.2, 0.2))
    rig.run()
    assert blocked.result.code is ArmCode.GOAL_TOLERANCE_VIOLATED
    assert "fr3_joint2 is off by 0.2000 > 0.0200 rad, 1 s after" in blocked.result.text
    free = rig.body.follow(rig.move(0.2, 0.2), goal_tol=[0, -1, 0, 0, 0, 0, 0])
    rig.run()
    assert free.result.succeeded


def test_the_goal_may_settle_within_its_time(make_rig) -> None:  # type: ignore[no-untyped-def]
    rig = make_rig(lag=0.15)
    trajectory = rig.move(0.3)
    goal = rig.body.follow(trajectory, goal_tol=0.001)
    rig.run()
    assert goal.result.succeeded
    assert rig.state.t > trajectory.duration + 0.2


def test_a_plan_may_go_on_from_the_held_reference_in_contact(rig) -> None:  # type: ignore[no-untyped-def]
    """In contact the arm is not at its reference: both are sound places to go on from."""
    rig.hardware.block_joint(1)
    rig.body.follow(rig.move(0.0, 0.2), goal_tol=-1)
    rig.run()
    assert rig.state.q_ref[1] - rig.q[1] == pytest.approx(0.2)
    onward = rig.body.follow(rig.move(0.1), goal_tol=-1)
    rig.run()
    assert onward.result.succeeded
    rig.hardware.writes.clear()
    measured = rig.q.copy()
    away = np.vstack([measured, measured])
    away[1, 1] -= 0.1
    retreat = rig.body.follow(Trajectory(np.array([0.0, 2.0]), away), goal_tol=-1)
    rig.run()
    assert retreat.result.succeeded
    steps = np.diff([write[1] for write in rig.hardware.writes], axis=0)
    assert np.abs(steps).max() < 2.62 * 0.005, "the difference must be worked off smoothly"
    with pytest.raises(TrajectoryRejected, match="starts too far away"):
        rig.body.follow(Trajectory(np.array([0.0, 2.0]), away + 0.05))


def test_a_control_period_too_short_for_the_jerk_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="jerk limit"):
        Body(MockHardware(), config=BodyConfig(control_period=0.002))


@pytest.mark.parametrize(
    ("offsets", "text"),
    [
        ([0.6, 0.7], r"fr3_joint7 moves by 0.\d+ rad from the reference, at most 0.5 rad"),
        ([0.1, -0.5], r"fr3_joint7 moves by 0.600 rad from one point to the next"),
    ],
)
def test_a_stream_that_leaps_is_refused_and_ended(
    rig: Rig, offsets: list[float], text: str
) -> None:
    """It keeps every limit, and no policy in its right mind asks for it."""
    axis = np.eye(7)[6]
    first = rig.state.q_ref + 0.4 * axis
    rig.body.stream(Trajectory(np.array([0.8]), first[None]))
    rig.step(20)
    q = rig.state.q_ref + np.outer(offsets, axis)
    with pytest.raises(TrajectoryRejected, match=text):
        rig.body.stream(Trajectory(np.array([0.9, 1.8]), q))
    rig.run()
    assert np.abs(rig.q - first).max() > 0.1, "the stream before goes on"
    # As a goal it is fine.
    rig.body.follow(Trajectory(np.array([1.5, 3.0]), rig.state.q_ref + np.outer(offsets, axis)))


def test_points_of_a_chunk_that_have_passed_are_no_leap(rig: Rig) -> None:
    q = rig.state.q_ref + np.outer([-0.6, 0.1], np.eye(7)[6])
    rig.step(60)
    rig.body.stream(Trajectory(np.array([0.05, 0.8]), q), rig.state.t - 0.1)


def test_fingertips_stay_in_the_workspace(kinematics: Fr3Kinematics) -> None:
    """A hand that is rolled over the table touches it with a finger first."""
    q = np.array(HOME_Q)
    q[6] -= np.pi / 2  # one finger behind the other: tilting the hand lowers one of them
    hardware = MockHardware(q)
    hardware.connect()
    rolled = q - 0.5 * np.eye(7)[5]
    way = np.linspace(q, rolled, 20)
    down = float(kinematics.fk(way)[:, 2, 3].min()) - 0.01
    body = Body(hardware, kinematics=kinematics, workspace=Workspace((-1, -1, down), (1, 1, 1.2)))
    body.update()
    with pytest.raises(TrajectoryRejected, match=r"(a|the other) fingertip would reach"):
        body.follow(Trajectory(np.array([3.0]), rolled[None]))


def test_the_workspace_is_checked_on_the_way(kinematics: Fr3Kinematics) -> None:
    """Both ends are above the table, the straight joint line between them is not."""
    hardware = MockHardware()
    hardware.connect()
    body = Body(hardware, kinematics=kinematics, workspace=Workspace((-1, -1, 0.2), (1, 1, 1.2)))
    state = body.update()
    assert state is not None
    low = state.q[:7].copy()
    low[1] += 0.25
    back = np.vstack([state.q[:7], low, state.q[:7]])
    with pytest.raises(TrajectoryRejected, match="workspace: the TCP would reach"):
        body.follow(Trajectory(np.array([0.0, 2.0, 4.0]), back))
    with pytest.raises(ValueError, match="pass both"):
        Body(hardware, workspace=Workspace((-1, -1, 0.2), (1, 1, 1.2)))


def test_streaming_follows_the_newest_chunk_and_rests_when_it_ends(rig) -> None:  # type: ignore[no-untyped-def]
    start = rig.q.copy()
    for i in range(10):
        steps = np.arange(1, 5) * 0.1
        q = start + np.outer(steps + i * 0.1, np.eye(7)[0]) * 0.2
        rig.body.stream(Trajectory(steps, q), stamp=rig.state.t)
        rig.step(20)
        assert rig.state.mode is Mode.MOVING
    rig.run(longest=2.0)
    assert rig.state.mode is Mode.IDLE
    np.testing.assert_allclose(rig.q, q[-1], atol=1e-3)


@pytest.mark.parametrize(
    ("stamp", "t", "offset", "speed", "text"),
    [
        (-0.3, 0.5, 0.1, 0.0, "0.300 s old"),
        (0.3, 0.5, 0.1, 0.0, "-0.300 s old"),
        (-0.15, 0.1, 0.1, 0.0, "every point is in the past"),
        (0.0, 3.0, 0.1, 0.0, "at most 2 s"),
        (0.0, 0.1, 0.4, 0.0, "limit"),
        (0.0, 0.5, 3.0, 0.0, "stream step"),
    ],
)
def test_bad_chunks_are_refused(
    rig,  # type: ignore[no-untyped-def]
    stamp: float,
    t: float,
    offset: float,
    speed: float,
    text: str,
) -> None:
    rig.step(200)
    chunk = Trajectory(np.array([t]), rig.q[None] + np.eye(7)[:1] * offset, np.eye(7)[:1] * speed)
    with pytest.raises(TrajectoryRejected, match=text):
        rig.body.stream(chunk, stamp=rig.state.t + stamp if stamp else 0.0)
    assert not rig.body.busy


def test_conditions_of_the_host_are_asked(rig) -> None:  # type: ignore[no-untyped-def]
    rig.body.require(lambda: "no heartbeat")
    with pytest.raises(GoalRejected, match="no heartbeat"):
        rig.body.home()


def test_close_lets_everybody_go(rig) -> None:  # type: ignore[no-untyped-def]
    goals = [rig.body.follow(rig.move(0.5)), rig.body.grip(0.0)]
    rig.body.close("over")
    assert all(goal.wait(0.0) for goal in goals)
    assert [goal.result.text for goal in goals] == ["over", "over"]


def test_the_same_calls_give_the_same_references_at_any_time_of_day(make_rig) -> None:  # type: ignore[no-untyped-def]
    """Episodes must repeat to the bit, whenever in a run they are recorded."""

    def run(t: float) -> np.ndarray:
        rig = make_rig(t=t)
        rig.body.follow(rig.move(0.3, 0.2))
        rig.step(100)
        rig.body.stop("")
        rig.step(50)
        rig.body.recover()
        rig.step(2)
        rig.body.home()
        rig.run()
        return np.array([write[1] for write in rig.hardware.writes])

    np.testing.assert_array_equal(run(0.0), run(12345.678))


def test_a_config_without_stale_check_allows_any_pause() -> None:
    hardware = MockHardware()
    hardware.connect()
    body = Body(hardware, JointLimits.fr3(), BodyConfig(max_stale_updates=0, arm=ArmConfig()))
    body.update()
    goal = body.grip(0.0)
    for _ in range(1000):
        body.update()
    assert not goal.done
    assert body.motion_possible
