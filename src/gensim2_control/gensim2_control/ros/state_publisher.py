"""Publishes what the body measures and decides, in hardware time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectoryPoint

from gensim2_control.body_state import BodyState
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, FINGER_JOINTS, Fault
from gensim2_control.report import Level, Report
from gensim2_control.ros.conversions import joint_state_to_msg, point_to_msg, stamp_from_seconds
from gensim2_msgs.msg import RobotStatus

_LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
_LATEST = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
_ROUNDING = 1e-6


class Due:
    """Tells when something that happens `rate` times a second of hardware time is due.

    Instants lie on a fixed grid of the clock, so that the stamps published do not depend on
    when the publisher started.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._last: int | None = None

    def at(self, t: float) -> bool:
        """Return whether `t` s has entered a new interval; any step back has too."""
        interval = int(np.floor(t * self._rate + _ROUNDING))
        due = interval != self._last
        self._last = interval
        return due


class StatePublisher:
    """Publishes joint states, controller states and the robot status; makes the report on it."""

    def __init__(
        self,
        node: Node,
        joint_state_rate: float,
        controller_state_rate: float,
        on_change: Callable[[], None],
    ) -> None:
        """Create the publishers.

        Args:
            node: the node that hosts the body.
            joint_state_rate: Hz of hardware time.
            controller_state_rate: Hz of hardware time.
            on_change: called when `report` may say something else.
        """
        self._on_change = on_change
        self._joints = node.create_publisher(JointState, "joint_states", 10)
        self._arm = node.create_publisher(
            JointTrajectoryControllerState, "fr3_arm_controller/controller_state", _LATEST
        )
        self._gripper = node.create_publisher(
            JointTrajectoryControllerState, "fr3_gripper/controller_state", _LATEST
        )
        self._status = node.create_publisher(RobotStatus, "robot_status", _LATCHED)
        self._joints_due = Due(joint_state_rate)
        self._controllers_due = Due(controller_state_rate)
        self._lock = threading.Lock()
        self._last_condition: tuple[object, ...] | None = None
        self.last_rejection = ""
        """Why the last goal was refused; shown in the diagnostics."""
        self.refusal = ""
        """Why the host accepts no goal at all; empty where it does."""

    def publish(self, state: BodyState | None) -> None:
        """Publish what is due at the time of `state`, and every change of the condition."""
        if state is None:
            return
        if self._joints_due.at(state.t):
            self.publish_joints(state)
        if self._controllers_due.at(state.t):
            self._publish_controllers(state)
        condition = (*_condition(state), self.refusal)
        with self._lock:
            changed, self._last_condition = condition != self._last_condition, condition
        if changed:
            self.publish_condition(state)

    def publish_joints(self, state: BodyState) -> None:
        """Publish the joint state of a measurement, due or not."""
        self._joints.publish(joint_state_to_msg(state.t, state.q, state.dq, state.tau))

    def publish_condition(self, state: BodyState | None) -> None:
        """Publish the robot status, due or not, and diagnostics where they have changed."""
        self._status.publish(status_message(state, self.refusal))
        self._on_change()

    def report(self, state: BodyState | None) -> Report:
        """Return what diagnostics say of the body."""
        if state is None:
            text = self.refusal or "there is no measurement of the robot"
            return Report(Level.ERROR, text, {"last_rejection": self.last_rejection})
        values = {
            "mode": state.mode.name,
            "motion_possible": state.motion_possible and not self.refusal,
            "error_code": f"{int(state.error_code)} {state.error_code.name}",
            "errors": ", ".join(state.errors),
            "measured_at": f"{state.t:.6f} s",
            "largest_error": f"{np.abs(state.q_ref - state.q[:ARM_DOF]).max():.5f} rad",
            "last_rejection": self.last_rejection,
        }
        level, text = (Level.ERROR, self.refusal) if self.refusal else _level(state)
        return Report(level, text, values)

    def _publish_controllers(self, state: BodyState) -> None:
        header = Header(stamp=stamp_from_seconds(state.t))
        q, dq = state.q[:ARM_DOF], state.dq[:ARM_DOF]
        reference = point_to_msg(state.q_ref, state.dq_ref, state.ddq_ref)
        self._arm.publish(
            JointTrajectoryControllerState(
                header=header,
                joint_names=list(ARM_JOINTS),
                reference=reference,
                feedback=point_to_msg(q, dq),
                error=point_to_msg(state.q_ref - q, state.dq_ref - dq),
                output=reference,
                speed_scaling_factor=1.0,
            )
        )
        fingers = float(state.q[ARM_DOF:].mean())
        wanted = JointTrajectoryPoint(positions=[state.gripper_ref], effort=[state.gripper_effort])
        self._gripper.publish(
            JointTrajectoryControllerState(
                header=header,
                joint_names=[FINGER_JOINTS[0]],
                reference=wanted,
                feedback=JointTrajectoryPoint(
                    positions=[fingers],
                    velocities=[float(state.dq[ARM_DOF:].mean())],
                    effort=[float(state.tau[ARM_DOF:].mean())],
                ),
                error=JointTrajectoryPoint(positions=[state.gripper_ref - fingers]),
                output=wanted,
                speed_scaling_factor=1.0,
            )
        )


def status_message(state: BodyState | None, refusal: str = "") -> RobotStatus:
    """Return the robot status of a state; disconnected where there is none.

    Args:
        state: the state.
        refusal: why the host accepts no goal, whatever the state.
    """
    if state is None:
        return RobotStatus(mode=RobotStatus.DISCONNECTED)
    message = RobotStatus(
        mode=int(state.mode),
        e_stopped=state.e_stopped,
        drives_powered=state.drives_powered,
        motion_possible=state.motion_possible and not refusal,
        in_motion=state.in_motion,
        in_error=state.error_code is not Fault.NONE,
        error_code=int(state.error_code),
        errors=list(state.errors),
    )
    message.header.stamp = stamp_from_seconds(state.t)
    return message


def _condition(state: BodyState) -> tuple[object, ...]:
    return (
        state.mode,
        state.e_stopped,
        state.drives_powered,
        state.motion_possible,
        state.in_motion,
        state.error_code,
        state.errors,
    )


def _level(state: BodyState) -> tuple[Level, str]:
    if state.error_code is not Fault.NONE:
        stopped = state.error_code in (Fault.STOP_REQUESTED, Fault.HEARTBEAT_LOST)
        level = Level.WARN if stopped else Level.ERROR
        return level, f"{state.error_code.name}: {state.reason}"
    if not state.motion_possible:
        return Level.WARN, "the drives do not follow references"
    return Level.OK, state.mode.name.lower()
