"""The body contract as tests, the same for every hardware.

A hardware proves that it keeps the contract by a rig and one line,
`class TestMyContract(BodyContract): rig = MyRig`. All times and bounds are hardware time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gensim2_control.goals import ArmCode, GoalRejected, Outcome, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, FINGER_MAX, FINGER_MIN, HOME_Q, Fault
from gensim2_control.state_machine import Mode
from gensim2_control.testing.contract_rig import ContractRig, require_smooth
from gensim2_control.trajectory import Trajectory, joint_order

HOME = np.array(HOME_Q)
FINGER_SLACK = 1e-3
"""How far measured fingers may overshoot their range, m."""
CHUNK_BOUND = 0.3
"""Longest time from a bad chunk to rest, s."""
CHUNK_SPEED = 2.6
"""Speed up to which `CHUNK_BOUND` holds, rad/s: at 10 rad/s^2 a joint needs 0.26 s from there."""
CLIENT_BOUND = 1.0
"""Longest time from the death of a client to rest, s."""
LEASE = 0.5
"""Part of it until the death is noticed, s; see gensim2_control/ros/heartbeat.py."""

Request = Callable[[ContractRig], object]


def _far(rig: ContractRig, joint: int, to: float, duration: float) -> Trajectory:
    q = np.vstack([rig.state.q_ref, rig.state.q_ref])
    q[1, joint] = to
    return Trajectory(np.array([0.0, duration]), q)


def _points(rig: ContractRig, t: list[float], columns: int = ARM_DOF) -> Trajectory:
    return Trajectory(np.array(t), np.tile(rig.state.q_ref[:columns], (len(t), 1)))


def _nan(rig: ContractRig, field: str) -> Trajectory:
    values = {"t": np.array([0.0, 1.0]), "q": np.tile(rig.state.q_ref, (2, 1))}
    values["dq"] = np.zeros((2, ARM_DOF))
    values[field] = values[field].copy()
    values[field][-1] = np.nan
    return Trajectory(**values)


def _ends_moving(rig: ContractRig) -> Trajectory:
    q = np.vstack([rig.state.q_ref, rig.state.q_ref + 0.1])
    return Trajectory(np.array([0.0, 1.0]), q, np.vstack([np.zeros(7), np.full(7, 0.1)]))


def _reach_out(rig: ContractRig) -> Trajectory:
    # The arm stretched out: inside the joint limits, outside of the workspace.
    target = rig.state.q_ref.copy()
    target[1], target[3] = 0.9, -0.5
    return Trajectory(np.array([0.0, 5.0]), np.vstack([rig.state.q_ref, target]))


UNSOUND: dict[str, tuple[Request, str]] = {
    "nan position": (lambda rig: rig.body.follow(_nan(rig, "q")), "not finite"),
    "nan velocity": (lambda rig: rig.body.follow(_nan(rig, "dq")), "not finite"),
    "nan time": (lambda rig: rig.body.follow(_nan(rig, "t")), "finite"),
    "no points": (lambda rig: rig.body.follow(_points(rig, [])), "no points"),
    "six joints": (lambda rig: rig.body.follow(_points(rig, [0.0, 1.0], 6)), "shape"),
    "time stands": (lambda rig: rig.body.follow(_points(rig, [0.0, 1.0, 1.0])), "strictly"),
    "time back": (lambda rig: rig.body.follow(_points(rig, [0.0, 1.0, 0.5])), "strictly"),
    "negative time": (lambda rig: rig.body.follow(_points(rig, [-1.0, 1.0])), "not negative"),
    "one joint missing": (lambda rig: joint_order(ARM_JOINTS[:6]), "missing: fr3_joint7"),
    "foreign joint": (lambda rig: joint_order([*ARM_JOINTS[:6], "panda_joint7"]), "unknown"),
    "joint twice": (lambda rig: joint_order([*ARM_JOINTS, "fr3_joint1"]), "doubled"),
    "position": (lambda rig: rig.body.follow(_far(rig, 0, 2.8, 9.0)), "position limit: fr3_joint1"),
    "velocity": (lambda rig: rig.body.follow(_far(rig, 0, 2.5, 1.2)), "limit"),
    "acceleration": (lambda rig: rig.body.follow(_far(rig, 6, 1.3, 0.3)), "acceleration limit"),
    "far start": (
        lambda rig: rig.body.follow(Trajectory(np.array([0.0, 5.0]), np.vstack([HOME + 0.9] * 2))),
        "starts too far away",
    ),
    "no time": (lambda rig: rig.body.follow(_points(rig, [0.0])), "no time"),
    "end at speed": (lambda rig: rig.body.follow(_ends_moving(rig)), "last velocity"),
    "workspace": (lambda rig: rig.body.follow(_reach_out(rig)), "workspace: the TCP would reach"),
    "tolerance": (lambda rig: rig.body.follow(rig.move(0.1), goal_tol=np.nan), "tolerance"),
    "wide grip": (lambda rig: rig.body.grip(0.08), "0.04 m"),
    "nan grip": (lambda rig: rig.body.grip(np.nan), "finger joint position"),
    "strong grip": (lambda rig: rig.body.grip(0.0, 1e4), "effort"),
}

BAD_CHUNKS: dict[str, Request] = {
    "position": lambda rig: rig.body.stream(_chunk(rig, 4.0)),
    "velocity": lambda rig: rig.body.stream(_chunk(rig, -1.9)),
    "too long": lambda rig: rig.body.stream(_points(rig, [0.5, 5.0])),
}


def _chunk(rig: ContractRig, to: float) -> Trajectory:
    target = rig.state.q_ref.copy()
    target[0] = to
    return Trajectory(np.array([0.4]), target[None])


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
        goal = robot.body.follow(_far(robot, 1, HOME[1] + 0.6, 3.0), path_tol=0.05)
        states = robot.run()
        assert goal.result is not None
        assert goal.result.code is ArmCode.PATH_TOLERANCE_VIOLATED, goal.result
        assert "fr3_joint2 is off by" in goal.result.text
        require_smooth(robot, states)
        assert robot.body.motion_possible

    def test_an_arm_that_is_held_up_does_not_reach_its_goal(self, robot: ContractRig) -> None:
        """Without a tolerance on the way that of the goal decides; unlimited it is contact."""
        robot.hold_up()
        goal = robot.body.follow(_far(robot, 1, HOME[1] + 0.6, 3.0))
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
                _nan(robot, "q")
        states += robot.run(until=lambda state: not state.in_motion)
        took = robot.state.t - began
        _tell(record_property, f"bad chunk ({case})", robot, states, took)
        assert took <= CHUNK_BOUND
        require_smooth(robot, states)
        held = robot.state.q_ref
        np.testing.assert_array_equal([s.q_ref for s in robot.step(40)], [held] * 40)
        assert robot.body.motion_possible

    def test_the_fastest_joint_stops_as_fast_as_its_deceleration_allows(
        self, robot: ContractRig, record_property: Callable[[str, object], None]
    ) -> None:
        """Faster than `CHUNK_SPEED`, which joints 5 to 7 can be, a stop takes longer."""
        robot.body.stream(robot.cruise(6, -5.2, 0.1))
        states = robot.run(until=lambda state: state.dq_ref[6] < -5.2 + 1e-3)
        began = robot.state.t
        with pytest.raises(TrajectoryRejected):
            BAD_CHUNKS["position"](robot)
        states += robot.run(until=lambda state: not state.in_motion)
        took = robot.state.t - began
        _tell(record_property, "bad chunk at 5.2 rad/s", robot, states, took)
        assert took <= 5.2 / robot.body.limits.ddq_max[6] + 0.1
        require_smooth(robot, states)

    def test_a_stream_does_not_disturb_a_goal(self, robot: ContractRig) -> None:
        """Neither a good chunk nor a bad one."""
        goal = robot.body.follow(robot.move(0.3))
        states = robot.step(20)
        for request in (*BAD_CHUNKS.values(), lambda rig: rig.body.stream(_chunk(rig, 0.1))):
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
