"""The FR3 and its hand behind `RobotHardware`, through libfranka.

References are streamed into one joint impedance motion that runs from connection to
disconnection, so that the control mode never changes while the arm moves.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import numpy as np
from gensim2_control.hardware import (
    ARM_DOF,
    FINGER_MAX,
    Array,
    Fault,
    HardwareError,
    HardwareStatus,
    JointSample,
)
from gensim2_control.kinematics import Fr3Kinematics

from gensim2_franka.connection import open_robot, require_tcp
from gensim2_franka.errors import active
from gensim2_franka.hand import FrankaHand
from gensim2_franka.library import franky
from gensim2_franka.reference_guard import ReferenceGuard
from gensim2_franka.settings import FrankaSettings

_START_TIME = 1.0
_REST_TIME = 2.0
_LONGEST_STEP = 0.05
_DDQ_MAX = 10.0
_TORQUE_STEP = 2.5
"""Largest change of a torque in 1 ms, N m, before the filter of 100 Hz behind it.

The filter lets 39 % of it through: 0.97 N m, and the robot allows 1. Left at 1 the arm could not
brake as fast as its references.
"""
_LOST = (franky.NetworkException, franky.ProtocolException, RuntimeError)
"""What libfranka raises without a connection; a broken socket comes as a plain RuntimeError."""


class FrankyHardware:
    """`RobotHardware` over a Franka Research 3."""

    def __init__(
        self,
        settings: FrankaSettings,
        kinematics: Fr3Kinematics,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        hand: FrankaHand | None = None,
    ) -> None:
        """Prepare; `connect` opens the connection.

        Args:
            settings: what to set on the robot.
            kinematics: of the description, to compare the TCP with.
            clock: ROS time, s: measurements are stamped with it when they are first seen.
            steady: a clock that never jumps, s.
            hand: the hand; default: the one at the robot.
        """
        self._settings = settings
        self._kinematics = kinematics
        self._clock = clock
        self._hand = hand or FrankaHand(settings.robot_ip, settings.hand_speed)
        self._guard = ReferenceGuard(settings.command_age, self._hold, steady)
        self._changing = threading.RLock()
        self._leaving = threading.Event()
        self._robot: franky.Robot | None = None
        self._model: franky.Model | None = None
        self._motion: franky.JointImpedanceTrackingMotion | None = None
        self._state: franky.RobotState | None = None
        self._robot_t = -1.0
        self._t = 0.0
        self._q_ref = np.zeros(ARM_DOF)
        self._dq_ref = np.zeros(ARM_DOF)
        self._t_ref = 0.0
        self._grasp_force = 0.0
        self._status = HardwareStatus(connected=False, drives_powered=False)
        self._lost = ""
        self._ended = ""

    @property
    def robot_state(self) -> franky.RobotState | None:
        """What the robot reported last, whole; None before."""
        return self._state

    @property
    def in_control(self) -> bool:
        """Whether references reach the drives."""
        return self._status.drives_powered

    @property
    def hand(self) -> FrankaHand:
        """The hand."""
        return self._hand

    def connect(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Connect to arm and hand, and hold the arm where it is.

        Args:
            given_up: tells whether to stop trying.

        Raises:
            HardwareError: that failed; the message says how to mend it.
            KeyboardInterrupt: it was given up.
        """
        self._leaving.clear()
        self._connect(given_up)

    def disconnect(self) -> None:
        """Let the arm come to rest and close the connection; safe to call twice."""
        self._leaving.set()
        self._guard.stop()
        with self._changing:
            self._let_go()

    def status(self) -> HardwareStatus:
        """Look at the robot, and report its condition."""
        robot = self._robot
        if robot is not None:
            try:
                self._observe(robot)
            except _LOST as error:
                if robot is self._robot:
                    self._lose(str(error))
        return self._status

    def read(self) -> JointSample:
        """Return the measurement that belongs to the last `status`."""
        state = self._state
        if self._robot is None or state is None:
            raise HardwareError(self._lost or "the robot is not connected")
        hand = self._hand.state
        finger, finger_dq = hand.width / 2, hand.speed / 2
        force = self._grasp_force if hand.is_grasped and hand.width / 2 > 1e-3 else 0.0
        return JointSample(
            t=self._t,
            q=np.concatenate([state.q, [finger, finger]]),
            dq=np.concatenate([state.dq, [finger_dq, finger_dq]]),
            tau=np.concatenate([state.tau_J, [force, force]]),
        )

    def write(self, q_ref: Array, dq_ref: Array) -> None:
        """Hand a reference to the loop in libfranka."""
        if not (np.isfinite(q_ref).all() and np.isfinite(dq_ref).all()):
            raise ValueError("a reference is not a finite number")
        motion, state, model = self._motion, self._state, self._model
        if motion is None or state is None or model is None:
            return
        # Without the torque for its acceleration the arm would lag behind, most of all at stops.
        tau = np.zeros(ARM_DOF)
        if 0 < (step := self._t - self._t_ref) < _LONGEST_STEP:
            ddq = (dq_ref - self._dq_ref) / step
            tau = np.asarray(model.mass(state)) @ np.clip(ddq, -_DDQ_MAX, _DDQ_MAX)
        self._q_ref, self._dq_ref, self._t_ref = np.array(q_ref), np.array(dq_ref), self._t
        motion.set_reference(franky.JointReference(q=q_ref, dq=dq_ref, tau_ff=tau))
        self._guard.renew()

    def gripper_command(self, position_m: float, effort_N: float) -> None:
        """Close on something with a force, or move to a width.

        The hand has no force for moves: `effort_N` counts for grasps, to below `grasp_below`.
        """
        if position_m < self._settings.grasp_below:
            self._grasp_force = effort_N
            self._hand.grasp(effort_N)
        else:
            self._hand.move(2 * min(position_m, FINGER_MAX))

    def gripper_stop(self) -> None:
        """Stop the fingers where they are."""
        self._hand.stop()

    def recover(self) -> bool:
        """Reconnect, or let the robot recover from its errors; then hold the arm where it is.

        Raises:
            HardwareError: that failed; the message says how to mend it.
        """
        with self._changing:
            if self._robot is None or self._hand_lost():
                try:
                    self._connect()
                except KeyboardInterrupt:
                    raise HardwareError("the driver ends") from None
                return True
            # Not before: as long as somebody holds the last connection, it stays open.
            robot = self._robot
            try:
                if robot.state.robot_mode == franky.RobotMode.UserStopped:
                    return False
                if not robot.is_in_control or robot.has_errors:
                    if not robot.recover_from_errors():
                        return False
                    self._track()
            except HardwareError:
                raise
            except _LOST as error:
                self._lose(str(error))
                raise HardwareError(f"the connection is gone: {error}") from None
            except franky.Exception as error:
                raise HardwareError(str(error)) from None
            return True

    def _connect(self, given_up: Callable[[], bool] = lambda: False) -> None:
        with self._changing:
            # A robot has one client: what is left of the last connection would keep this one out.
            self._let_go()
            robot = open_robot(self._settings, lambda: given_up() or self._leaving.is_set())
            state = robot.state
            require_tcp(
                np.asarray(state.O_T_EE.matrix),
                np.asarray(state.q),
                self._kinematics,
                self._settings.tcp_tolerance,
            )
            self._hand.connect()
            self._robot, self._model, self._lost = robot, robot.model, ""
            self._track()
            self._guard.start()

    def _hand_lost(self) -> bool:
        try:
            return self._hand.state is None
        except HardwareError:
            return True

    def _track(self) -> None:
        """Start the motion that references are streamed into, at the measured configuration."""
        robot = self._robot
        assert robot is not None
        q = np.array(robot.state.q)
        motion = franky.JointImpedanceTrackingMotion(
            stiffness=np.array(self._settings.stiffness),
            damping=np.array(self._settings.damping),
            max_delta_tau=_TORQUE_STEP,
        )
        motion.set_reference(franky.JointReference(q=q))
        self._q_ref, self._dq_ref = q, np.zeros(ARM_DOF)
        # What ended the motion before is told once more, by the next call.
        with contextlib.suppress(franky.ControlException):
            robot.poll_motion()
        robot.move(motion, asynchronous=True)
        deadline = time.monotonic() + _START_TIME
        while robot.state.robot_mode != franky.RobotMode.Move:
            if time.monotonic() > deadline:
                raise HardwareError(f"the robot does not take up a motion: {robot.state}")
            time.sleep(0.001)
        self._motion, self._ended = motion, ""

    def _observe(self, robot: franky.Robot) -> None:
        state = robot.state
        stamp = state.time.to_sec()
        if stamp != self._robot_t:
            self._robot_t, self._t = stamp, self._clock()
        self._state = state
        in_control = robot.is_in_control
        if self._motion is not None and not in_control and not self._ended:
            self._ended = self._why_ended(robot)
        errors = active(state.current_errors)
        mode = state.robot_mode
        fault = Fault.NONE
        if errors or mode == franky.RobotMode.Reflex:
            fault = Fault.REFLEX
        if self._ended and mode != franky.RobotMode.UserStopped:
            fault = Fault.REFLEX
            errors = errors or (self._ended,)
        stopped = mode == franky.RobotMode.UserStopped
        self._status = HardwareStatus(
            connected=True,
            drives_powered=in_control and mode == franky.RobotMode.Move and not self._ended,
            e_stopped=stopped,
            fault=Fault.USER_STOPPED if stopped else fault,
            errors=errors,
        )

    def _why_ended(self, robot: franky.Robot) -> str:
        try:
            robot.poll_motion()
        except franky.ControlException as error:
            return str(error) or "the motion was aborted"
        return "the motion ended without an error"

    def _hold(self) -> None:
        motion = self._motion
        if motion is not None:
            motion.set_reference(franky.JointReference(q=self._q_ref))

    def _lose(self, text: str) -> None:
        self._lost = f"the robot does not answer: {text}"
        self._drop()

    def _let_go(self) -> None:
        """Bring the arm to rest and close the connection."""
        robot = self._robot
        if robot is not None and self._motion is not None:
            with contextlib.suppress(*_LOST, franky.ControlException, franky.Exception):
                if robot.is_in_control:
                    robot.move(franky.TorqueStopMotion(), asynchronous=True)
                robot.join_motion(timeout=_REST_TIME)
        self._drop()

    def _drop(self) -> None:
        self._hand.disconnect()
        self._robot = self._model = self._motion = self._state = None
        self._ended = ""
        self._status = HardwareStatus(
            connected=False,
            drives_powered=False,
            fault=Fault.COMM_LOST if self._lost else Fault.NONE,
            errors=(self._lost,) if self._lost else (),
        )
