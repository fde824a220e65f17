"""The body contract as tests, the same for every hardware.

A hardware proves that it keeps the contract by a rig and one line,
`class TestMyContract(BodyContract): rig = MyRig`. All times and bounds are hardware time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gensim2_control.goals import ArmCode, GoalRejected, Outcome, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, FINGER_MAX, FINGER_MIN, Fault
from gensim2_control.state_machine import Mode
from gensim2_control.testing.contract_rig import ContractRig, require_smooth
from gensim2_control.testing.unsound_requests import (
    BAD_CHUNKS,
    HOME,
    UNSOUND,
    chunk,
    far_goal,
    nan_goal,
)
from gensim2_control.trajectory import Trajectory

FINGER_SLACK = 1e-3
"""How far measured fingers may overshoot their range, m."""
CHUNK_BOUND = 0.3
"""Longest time from a bad chunk to rest, s."""
CHUNK_SPEED = 2.6
"""A speed that a stream may have, rad/s: at 10 rad/s^2 a joint needs 0.26 s from there."""
CLIENT_BOUND = 1.0
"""Longest time from the death of a client to rest, s."""
LEASE = 0.5
"""Part of it until the death is noticed, s; see gensim2_control/ros/heartbeat.py."""


class BodyContract:
    """Every body, whatever its hardware, behaves as these tests say."""

    rig: Callable[[], ContractRig]

    @pytest.fixture
    def robot(self) -> ContractRig:
        """A body at home that nothing has happened to yet."""
        return type(self).rig()

    # --- states ---------------------------------------------------------------------------

    def test_states_are_finite_and_in_order_and_time_moves(self, robot: ContractRig) -> None:
        """Nine joints, the arm first."""
        assert robot.body.limits.names == ARM_JOINTS
        np.testing.assert_allclose(robot.state.q, [*HOME, FINGER_MAX, FINGER_MAX], atol=1e-3)
        robot.body.follow(robot.move(0.2))
        robot.body.grip(0.0)
        states = [*robot.run(), *robot.step(50)]
        for field in ("q", "dq", "tau"):
            values = np.array([getattr(state, field) for state in states])
            assert values.shape == (len(states), 9) and np.isfinite(values).all()
        np.testing.assert_allclose(np.diff([s.t for s in states]), robot.period, rtol=1e-6)
        fingers = np.array([state.q[ARM_DOF:] for state in states])
        assert fingers.min() >= FINGER_MIN - FINGER_SLACK
        assert fingers.max() <= FINGER_MAX + FINGER_SLACK

    def test_a_goal_is_reached_smoothly(self, robot: ContractRig) -> None:
        """The way and the end are those that were asked for."""
        trajectory = robot.move(0.3, -0.2, 0.1, 0.2)
        goal = robot.body.follow(trajectory)
        states = robot.run()
        assert goal.result is not None and goal.result.succeeded, goal.result
        require_smooth(robot, states)
        robot.step(60)
        np.testing.assert_allclose(robot.state.q[:ARM_DOF], trajectory.q[-1], atol=2e-3)
        assert robot.state.mode is Mode.IDLE and not robot.state.in_motion

    def test_the_same_calls_give_the_same_motion(self, robot: ContractRig) -> None:
        """Episodes repeat to the last bit."""

        def script(rig: ContractRig) -> np.ndarray:
            rig.body.follow(rig.move(0.3, 0.1))
            states = rig.step(60)
            rig.body.grip(0.01)
            return np.array([[*s.q, *s.q_ref] for s in [*states, *rig.run()]])

        np.testing.assert_array_equal(script(robot), script(type(self).rig()))

    # --- refusals -------------------------------------------------------------------------

    @pytest.mark.parametrize("case", UNSOUND)
    def test_an_unsound_goal_is_refused_and_nothing_moves(
        self, robot: ContractRig, case: str
    ) -> None:
        """It says why, the reference stays to the last bit, and so does the arm."""
        request, text = UNSOUND[case]
        robot.step(20)
        before = robot.state
        with pytest.raises(GoalRejected, match=text):
            request(robot)
        for state in robot.step(30):
            np.testing.assert_array_equal(state.q_ref, before.q_ref)
            np.testing.assert_allclose(state.q, before.q, atol=1e-4)
        assert robot.body.motion_possible and not robot.body.busy

    def test_a_running_goal_goes_on_whatever_is_refused(self, robot: ContractRig) -> None:
        """Its reference is that of a goal nobody has disturbed."""
        undisturbed = type(self).rig()
        expected = []
        for rig in (undisturbed, robot):
            goal = rig.body.follow(rig.move(0.8))
            references = [state.q_ref for state in rig.step(10)]
            for request, _ in UNSOUND.values():
                if rig is robot:
                    with pytest.raises(GoalRejected):
                        request(rig)
                references += [state.q_ref for state in rig.step(2)]
            references += [state.q_ref for state in rig.run()]
            assert goal.result is not None and goal.result.succeeded, goal.result
            expected.append(np.array(references))
        np.testing.assert_array_equal(expected[0], expected[1])

    # --- tolerances -----------------------------------------------------------------------

    def test_an_arm_that_is_held_up_ends_its_goal_on_the_way(self, robot: ContractRig) -> None:
        """The joint and the amount are named; the arm slows down and holds."""
        robot.hold_up()
        goal = robot.body.follow(far_goal(robot, 1, HOME[1] + 0.6, 3.0), path_tol=0.05)
        states = robot.run()
        assert goal.result is not None
        assert goal.result.code is ArmCode.PATH_TOLERANCE_VIOLATED, goal.result
        assert "fr3_joint2 is off by" in goal.result.text
        require_smooth(robot, states)
        assert robot.body.motion_possible

    def test_an_arm_that_is_held_up_does_not_reach_its_goal(self, robot: ContractRig) -> None:
        """Without a tolerance on the way that of the goal decides; unlimited it is contact."""
        robot.hold_up()
        goal = robot.body.follow(far_goal(robot, 1, HOME[1] + 0.6, 3.0))
        robot.run()
        assert goal.result is not None
        assert goal.result.code is ArmCode.GOAL_TOLERANCE_VIOLATED, goal.result
        still = Trajectory(np.array([0.5]), robot.state.q_ref[None])
        pressing = robot.body.follow(still, goal_tol=-1.0)
        robot.run()
        assert pressing.result is not None and pressing.result.succeeded, pressing.result

    # --- ends of motions ------------------------------------------------------------------

    def test_a_new_goal_takes_over_smoothly(self, robot: ContractRig) -> None:
        """No step in the velocity, though the new goal lies behind."""
        first = robot.body.follow(robot.move(0.8, speed=0.8))
        states = robot.run(until=lambda state: state.dq_ref[0] > 0.8)
        second = robot.body.follow(Trajectory(np.array([2.0]), HOME[None]))
        states += robot.run()
        assert first.result is not None and first.result.outcome is Outcome.ABORTED
        assert "preempted" in first.result.text
        assert second.result is not None and second.result.succeeded, second.result
        require_smooth(robot, states)
        np.testing.assert_allclose(robot.state.q_ref, HOME, atol=1e-6)

    def test_cancel_slows_down_within_the_limits(self, robot: ContractRig) -> None:
        """It takes just as long as the deceleration allows, and does not latch."""
        goal = robot.body.follow(robot.move(1.5, speed=1.0))
        states = robot.run(until=lambda state: state.dq_ref[0] > 1.5)
        began, speed = robot.state.t, float(robot.state.dq_ref[0])
        assert robot.body.cancel(goal)
        states += robot.run()
        assert goal.result is not None and goal.result.outcome is Outcome.CANCELED
        require_smooth(robot, states)
        bound = (speed + 10.0 * robot.period) / robot.body.limits.ddq_max[0]
        assert robot.state.t - began <= bound + 3 * robot.period
        assert np.abs(robot.state.dq_ref).max() == 0.0
        assert robot.body.motion_possible and not robot.body.cancel(goal)

    def test_stop_latches_until_recover_and_home_follows(self, robot: ContractRig) -> None:
        """Nothing is resumed, and nothing jumps."""
        goal = robot.body.follow(robot.move(1.0, speed=0.8))
        grip = robot.body.grip(0.0)
        states = robot.run(until=lambda state: state.dq_ref[0] > 1.0)
        robot.body.stop("operator")
        assert goal.result is not None and goal.result.text == "STOP_REQUESTED: operator"
        assert grip.result is None or grip.result.outcome is not Outcome.CANCELED
        assert not robot.body.recover(), "not while the arm is decelerating"
        states += robot.run()
        assert robot.state.mode is Mode.STOPPED and not robot.state.motion_possible
        for request in (robot.body.home, lambda: robot.body.grip(0.0)):
            with pytest.raises(GoalRejected, match="robot/recover"):
                request()
        states += robot.step(20)
        require_smooth(robot, states)
        held = robot.state.q_ref
        assert robot.body.recover()
        recovered = robot.step(30)
        assert robot.state.mode is Mode.IDLE
        np.testing.assert_allclose([s.q_ref for s in recovered], [held] * 30, atol=5e-3)
        home = robot.body.home()
        require_smooth(robot, robot.run())
        assert home.result is not None and home.result.succeeded, home.result
        robot.step(60)
        np.testing.assert_allclose(robot.state.q[:ARM_DOF], HOME, atol=2e-3)

    def test_a_lost_client_stops_what_runs_in_time(
        self, robot: ContractRig, record_property: Callable[[str, object], None]
    ) -> None:
        """The lease and the stop together are shorter than the bound."""
        assert not robot.body.heartbeat_lost("nobody"), "an idle robot needs no client"
        goal = robot.body.follow(robot.move(1.8, speed=1.0))
        states = robot.run(until=lambda state: state.dq_ref[0] > 2.0)
        began = robot.state.t
        assert robot.body.heartbeat_lost("gone")
        states += robot.run(until=lambda state: not state.in_motion)
        took = robot.state.t - began
        _tell(record_property, "client lost", robot, states, took + LEASE)
        assert took + LEASE <= CLIENT_BOUND
        require_smooth(robot, states)
        assert goal.result is not None and goal.result.outcome is Outcome.ABORTED
        assert robot.state.error_code is Fault.HEARTBEAT_LOST
        assert robot.state.mode is Mode.STOPPED

    # --- fingers --------------------------------------------------------------------------

    def test_free_fingers_reach_their_goal(self, robot: ContractRig) -> None:
        """Empty hands are not taken for a grasp."""
        for position in (0.0, 0.03, 0.04):
            goal = robot.body.grip(position)
            robot.run()
            assert goal.result is not None and goal.result.succeeded, goal.result
            assert goal.reached_goal and not goal.stalled
            robot.step(40)
            np.testing.assert_allclose(robot.state.q[ARM_DOF:], position, atol=2e-3)

    def test_fingers_that_meet_an_object_have_grasped_it(self, robot: ContractRig) -> None:
        """It ends as a success that says stalled; the arm may carry the object away."""
        robot.place_object(0.02)
        goal = robot.body.grip(0.0, 15.0)
        robot.run()
        assert goal.result is not None and goal.result.succeeded, goal.result
        assert goal.stalled and not goal.reached_goal
        assert goal.reached == pytest.approx(0.02, abs=1.5e-3)
        assert goal.force == pytest.approx(15.0, rel=0.1)
        opened = robot.body.grip(0.04)
        robot.run()
        assert opened.reached_goal

    # --- streams --------------------------------------------------------------------------

    def test_a_stale_chunk_is_refused_and_the_former_runs_out(self, robot: ContractRig) -> None:
        """It was late, not wrong: the arm arrives where the former chunk ends, and holds."""
        robot.step(60)
        target = robot.state.q_ref + 0.1 * np.eye(ARM_DOF)[0]
        robot.body.stream(Trajectory(np.array([0.6]), target[None]), robot.state.t)
        states = robot.step(40)
        with pytest.raises(TrajectoryRejected, match="old") as refused:
            robot.body.stream(Trajectory(np.array([0.5]), HOME[None]), robot.state.t - 0.25)
        assert refused.value.code is ArmCode.OLD_HEADER_TIMESTAMP
        states += [*robot.run(longest=1.0), *robot.step(10)]
        require_smooth(robot, states)
        np.testing.assert_allclose(robot.state.q_ref, target, atol=1e-9)
        assert robot.state.mode is Mode.IDLE

    def test_a_stream_that_runs_out_slows_down_and_holds(self, robot: ContractRig) -> None:
        """Nobody goes on at the last velocity."""
        robot.body.stream(robot.cruise(0, 1.0, 0.2))
        states = [*robot.run(longest=2.0), *robot.step(20)]
        require_smooth(robot, states)
        assert max(state.dq_ref[0] for state in states) == pytest.approx(1.0, abs=1e-3)
        np.testing.assert_array_equal(robot.state.dq_ref, 0.0)
        assert robot.body.motion_possible

    @pytest.mark.parametrize("case", [*BAD_CHUNKS, "not a number"])
    def test_a_bad_chunk_ends_its_stream_in_time(
        self, robot: ContractRig, case: str, record_property: Callable[[str, object], None]
    ) -> None:
        """Who sends nonsense is not followed on the way of before either."""
        robot.body.stream(robot.cruise(0, CHUNK_SPEED, 0.4))
        states = robot.run(until=lambda state: state.dq_ref[0] > CHUNK_SPEED - 1e-3)
        began = robot.state.t
        with pytest.raises(TrajectoryRejected):
            if case in BAD_CHUNKS:
                BAD_CHUNKS[case](robot)
            else:
                # A message that makes no trajectory: who has read it says so to the body.
                robot.body.end_stream()
                nan_goal(robot, "q")
        states += robot.run(until=lambda state: not state.in_motion)
        took = robot.state.t - began
        _tell(record_property, f"bad chunk ({case})", robot, states, took)
        assert took <= CHUNK_BOUND
        require_smooth(robot, states)
        held = robot.state.q_ref
        np.testing.assert_array_equal([s.q_ref for s in robot.step(40)], [held] * 40)
        assert robot.body.motion_possible

    @pytest.mark.parametrize("joint", range(ARM_DOF))
    def test_no_stream_is_faster_than_can_be_stopped_in_time(
        self,
        robot: ContractRig,
        joint: int,
        record_property: Callable[[str, object], None],
    ) -> None:
        """Joints 5 to 7 could turn so fast that they would need half a second to stop."""
        limits = robot.body.limits
        allowed = limits.stoppable_within(robot.body.config.arm.stream_stop_time).dq_max[joint]
        # Away from where the joint has least room.
        sign = np.sign(limits.q_min[joint] + limits.q_max[joint] - 2.0 * HOME[joint]) or 1.0
        if allowed < limits.dq_max[joint]:
            with pytest.raises(TrajectoryRejected, match="speed limit"):
                robot.body.stream(robot.cruise(joint, sign * (allowed + 0.05), 0.05))
        robot.body.stream(robot.cruise(joint, sign * (allowed - 0.01), 0.05))
        states = robot.run(until=lambda state: abs(state.dq_ref[joint]) > allowed - 0.02)
        began = robot.state.t
        with pytest.raises(TrajectoryRejected):
            BAD_CHUNKS["position"](robot)
        states += robot.run(until=lambda state: not state.in_motion)
        took = robot.state.t - began
        _tell(record_property, f"bad chunk, fastest joint {joint + 1}", robot, states, took)
        assert took <= CHUNK_BOUND
        require_smooth(robot, states)

    def test_a_stream_does_not_disturb_a_goal(self, robot: ContractRig) -> None:
        """Neither a good chunk nor a bad one."""
        goal = robot.body.follow(robot.move(0.3))
        states = robot.step(20)
        for request in (*BAD_CHUNKS.values(), lambda rig: rig.body.stream(chunk(rig, 0.1))):
            with pytest.raises(TrajectoryRejected):
                request(robot)
            states += robot.step(2)
        require_smooth(robot, states + robot.run())
        assert goal.result is not None and goal.result.succeeded, goal.result


def _tell(
    record_property: Callable[[str, object], None],
    what: str,
    robot: ContractRig,
    states: list,
    took: float,
) -> None:
    speed = max(float(np.abs(state.dq_ref).max()) for state in states)
    print(f"{type(robot).__name__}: {what} at {speed:.2f} rad/s: at rest after {took:.3f} s")
    record_property(f"time to rest, {what}, s", round(took, 4))
