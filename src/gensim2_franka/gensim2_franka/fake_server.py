"""The servers of arm and hand of a fake robot, with the faults that a real one has.

franky-sim answers libfranka's network protocol over a MuJoCo model. What it leaves out is added
here: reflexes, the user stop, the stop after missed commands, and an answer to every command of
the hand.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import numpy as np
from franky_sim.base_simulator import BaseRobot
from franky_sim.franka_gripper_protocol import GripperCommand, GripperCommandStatus
from franky_sim.franka_gripper_server import FrankaGripperServer
from franky_sim.franka_robot_protocol import (
    AutomaticErrorRecoveryCommand,
    AutomaticErrorRecoveryStatus,
    MoveCommand,
    MoveStatus,
    RobotCommand,
    RobotMode,
)
from franky_sim.franka_robot_server import ControlMode, FrankaRobotServer
from franky_sim.franka_robot_state import FrankaRobotState
from franky_sim.franka_server import BaseCommand, FrankaServer

from gensim2_franka.brief_state import BriefState

WIRE_ERRORS: tuple[str, ...] = (
    "joint_position_limits_violation",
    "cartesian_position_limits_violation",
    "self_collision_avoidance_violation",
    "joint_velocity_violation",
    "cartesian_velocity_violation",
    "force_control_safety_violation",
    "joint_reflex",
    "cartesian_reflex",
    "max_goal_pose_deviation_violation",
    "max_path_pose_deviation_violation",
    "cartesian_velocity_profile_safety_violation",
    "joint_position_motion_generator_start_pose_invalid",
    "joint_motion_generator_position_limits_violation",
    "joint_motion_generator_velocity_limits_violation",
    "joint_motion_generator_velocity_discontinuity",
    "joint_motion_generator_acceleration_discontinuity",
    "cartesian_position_motion_generator_start_pose_invalid",
    "cartesian_motion_generator_elbow_limit_violation",
    "cartesian_motion_generator_velocity_limits_violation",
    "cartesian_motion_generator_velocity_discontinuity",
    "cartesian_motion_generator_acceleration_discontinuity",
    "cartesian_motion_generator_elbow_sign_inconsistent",
    "cartesian_motion_generator_start_elbow_invalid",
    "force_controller_desired_force_tolerance_violation",
    "start_elbow_sign_inconsistent",
    "communication_constraints_violation",
    "power_limit_violation",
    "cartesian_motion_generator_joint_position_limits_violation",
    "cartesian_motion_generator_joint_velocity_limits_violation",
    "cartesian_motion_generator_joint_velocity_discontinuity",
    "cartesian_motion_generator_joint_acceleration_discontinuity",
    "cartesian_position_motion_generator_invalid_frame",
    "controller_torque_discontinuity",
    "joint_p2p_insufficient_torque_for_planning",
    "tau_j_range_violation",
    "instability_detected",
    "joint_move_in_wrong_direction",
    "cartesian_spline_motion_generator_violation",
    "joint_via_motion_generator_planning_joint_limit_violation",
    "base_acceleration_initialization_timeout",
    "base_acceleration_invalid_reading",
)
"""The errors in the order of the protocol, which is not that of libfranka's class."""


_TOLERATED_SILENCE = 20
"""Periods without a command that the real robot bridges with the last one."""


class HandServer(FrankaGripperServer):
    """Server of the hand that answers a command also where a later one replaces it."""

    heard = 0
    """Commands that have arrived."""
    _pending_command_id: int | None

    @property
    def messages(self) -> int:
        """States that have been sent to the client; the last one has this number less one."""
        return self._FrankaServer__message_id  # type: ignore[attr-defined,no-any-return]

    def hear(self) -> None:
        """Take in a command that has arrived, without letting time pass."""
        self._FrankaServer__process_tcp_commands()  # type: ignore[attr-defined]

    def start_move(
        self, width: float, speed: float, command_id: int, tcp_socket: socket.socket
    ) -> None:
        """Begin to move the fingers."""
        self._answer_pending()
        super().start_move(width, speed, command_id, tcp_socket)

    def start_grasp(
        self,
        width: float,
        speed: float,
        force: float,
        epsilon_inner: float,
        epsilon_outer: float,
        command_id: int,
        tcp_socket: socket.socket,
    ) -> None:
        """Begin to close the fingers."""
        self._answer_pending()
        super().start_grasp(
            width, speed, force, epsilon_inner, epsilon_outer, command_id, tcp_socket
        )

    def start_homing(self, command_id: int, tcp_socket: socket.socket) -> None:
        """Begin to measure the largest width."""
        self._answer_pending()
        super().start_homing(command_id, tcp_socket)

    def stop(self, command_id: int, tcp_socket: socket.socket) -> None:
        """Stop the fingers."""
        self._answer_pending()
        super().stop(command_id, tcp_socket)

    def _answer_pending(self) -> None:
        self.heard += 1
        if self._pending_command_id is None or self._pending_tcp_socket is None:
            return
        BaseCommand.send_response(
            self._pending_tcp_socket,
            self._pending_command_type or GripperCommand.kMove,
            self._pending_command_id,
            GripperCommandStatus.kAborted,
            command_type_struct="H",
            status_type_struct="H",
        )
        self._pending_command_id = None


class _Move(MoveCommand):
    """A motion, refused where the robot is stopped."""

    def handle(self, server: RobotServer) -> None:
        if server.stopped:
            self.reply(MoveStatus.kCommandNotPossibleRejected)
        else:
            super().handle(server)


class _Recovery(AutomaticErrorRecoveryCommand):
    """The automatic error recovery, refused while the user stop is pressed."""

    def handle(self, server: RobotServer) -> None:
        recovered = server.recover()
        status = AutomaticErrorRecoveryStatus
        self.reply(status.kSuccess if recovered else status.kCommandNotPossibleRejected)


class RobotServer(FrankaRobotServer):
    """Server of the arm that can be in reflex, user stopped, or left by its client."""

    def __init__(self, robot: BaseRobot, hosts: Sequence[str], longest_silence: int) -> None:
        """Prepare; `init` opens the ports.

        Args:
            robot: what moves.
            hosts: addresses to try, in order.
            longest_silence: periods of 1 ms without a command after which the robot stops.
        """
        self._errors: tuple[str, ...] = ()
        self._user_stop = False
        self._silent = 0
        self._q_hold = np.zeros(7)
        self._longest_silence = longest_silence
        super().__init__(robot, hosts)
        self.hand: HandServer
        self._state = BriefState(robot, self._commands_torques)
        # The base class keeps its commands to itself.
        commands = self._FrankaServer__command_class_map  # type: ignore[attr-defined]
        commands[RobotCommand.kMove] = _Move
        commands[RobotCommand.kAutomaticErrorRecovery] = _Recovery

    @property
    def stopped(self) -> bool:
        """Whether motions are refused."""
        return bool(self._errors) or self._user_stop

    @property
    def in_motion(self) -> bool:
        """Whether a client controls the arm."""
        return self.current_motion_id > 0

    @property
    def udp_socket(self) -> socket.socket | None:
        """Where the commands of a motion arrive; None without a client."""
        return self._FrankaServer__udp_socket  # type: ignore[attr-defined,no-any-return]

    @property
    def robot_state(self) -> FrankaRobotState:
        """The state that is sent, with errors and mode."""
        state = super().robot_state
        if not self.stopped:
            return state
        flags = tuple(name in self._errors for name in WIRE_ERRORS)
        mode = RobotMode.kUserStopped if self._user_stop else RobotMode.kReflex
        return state.replace(errors=flags, reflex_reason=flags, robot_mode=mode)

    def reflex(self, error: str) -> None:
        """Stop as after a collision, until the client asks for recovery.

        Args:
            error: one of `WIRE_ERRORS`.
        """
        if error not in WIRE_ERRORS:
            raise ValueError(f"unknown error '{error}'; known are {', '.join(WIRE_ERRORS)}")
        self._errors = (error,)
        self._abort(MoveStatus.kReflexAborted)

    def press_user_stop(self, pressed: bool) -> None:
        """Press or release the user stop."""
        self._user_stop = pressed
        if pressed:
            self._abort(MoveStatus.kEmergencyAborted)

    def recover(self) -> bool:
        """Clear the errors; False while the user stop is pressed."""
        if self._user_stop:
            return False
        self._errors = ()
        return True

    def send_arm_state(self) -> None:
        """Send the state of the arm, but not that of the hand."""
        FrankaServer.send_state(self)

    def stop_motion(self, send_preemption_signal: bool = True) -> None:
        """End a motion, and hold where the arm is."""
        by_torques = self._is_torque_controlled
        super().stop_motion(send_preemption_signal)
        if by_torques:
            self._FrankaRobotServer__holding_q = tuple(self.robot.inner_state.q)

    @property
    def _is_torque_controlled(self) -> bool:
        mode = self._FrankaRobotServer__control_mode  # type: ignore[attr-defined]
        return mode is ControlMode.TORQUE

    def _commands_torques(self) -> bool:
        return (
            self._is_torque_controlled
            and self.in_motion
            and not self.stopped
            and self._silent <= _TOLERATED_SILENCE
        )

    def _get_state_bytes(self) -> bytes:
        return self._state.bytes(super()._get_state_bytes)

    def _abort(self, status: MoveStatus) -> None:
        motion = self.current_motion_id
        if motion:
            self.stop_motion(send_preemption_signal=False)
            BaseCommand.send_response(
                self._FrankaServer__tcp_socket,  # type: ignore[attr-defined]
                RobotCommand.kMove,
                motion,
                status,
            )
            self.reset_current_motion_id()

    def _bind_children(self, hostname: str) -> None:
        self.hand = HandServer(self.robot, hostname)
        self.hand.init()
        self._FrankaRobotServer__gripper_server = self.hand

    def _handle_udp_command(self, command_data: bytes) -> None:
        self._silent = 0
        super()._handle_udp_command(command_data)

    def _post_process_commands(self) -> None:
        self._silent = self._silent + 1 if self.in_motion else 0
        if self._silent > self._longest_silence:
            self.reflex("communication_constraints_violation")
        if self._silent <= _TOLERATED_SILENCE:
            super()._post_process_commands()
            return
        # The last torque must not count for ever; the real robot would have stopped by now.
        if self._silent == _TOLERATED_SILENCE + 1:
            self._q_hold = np.array(self.robot.inner_state.q)
        self.robot.joint_position_control(self._q_hold)
