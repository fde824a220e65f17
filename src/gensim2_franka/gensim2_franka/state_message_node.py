"""Puts what the robot reports into a message."""

from __future__ import annotations

import numpy as np
from gensim2_control.ros.conversions import stamp_from_seconds

from gensim2_franka.errors import active
from gensim2_franka.hand import HandState
from gensim2_franka.library import franky
from gensim2_msgs.msg import FrankaState

_MODES = {
    franky.RobotMode.Idle: FrankaState.READY,
    franky.RobotMode.Move: FrankaState.MOVE,
    franky.RobotMode.Guiding: FrankaState.GUIDING,
    franky.RobotMode.Reflex: FrankaState.REFLEX,
    franky.RobotMode.UserStopped: FrankaState.USER_STOPPED,
    franky.RobotMode.AutomaticErrorRecovery: FrankaState.AUTOMATIC_ERROR_RECOVERY,
}


def franka_state(t: float, frame: str, state: franky.RobotState, hand: HandState) -> FrankaState:
    """Return the message.

    Args:
        t: time of the measurement, s of ROS time.
        frame: base of the robot.
        state: of the arm.
        hand: state of the hand.
    """
    message = FrankaState()
    message.header.stamp = stamp_from_seconds(t)
    message.header.frame_id = frame
    message.robot_time = state.time.to_sec()
    message.mode = _MODES.get(state.robot_mode, FrankaState.OTHER)
    message.errors = list(active(state.current_errors))
    message.last_motion_errors = list(active(state.last_motion_errors))
    message.control_command_success_rate = float(state.control_command_success_rate)
    message.tau_external = np.asarray(state.tau_ext_hat_filtered, dtype=np.float64)
    force = np.asarray(state.O_F_ext_hat_K, dtype=np.float64)
    for target, values in (
        (message.wrench_external.force, force[:3]),
        (message.wrench_external.torque, force[3:]),
        (message.tcp.position, np.asarray(state.O_T_EE.translation, dtype=np.float64)),
    ):
        target.x, target.y, target.z = (float(value) for value in values)
    x, y, z, w = (float(value) for value in state.O_T_EE.quaternion)
    q = message.tcp.orientation
    q.x, q.y, q.z, q.w = x, y, z, w
    message.hand_width, message.hand_max_width = hand.width, hand.max_width
    message.is_grasped = hand.is_grasped
    return message
