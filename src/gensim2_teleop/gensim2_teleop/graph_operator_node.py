"""The operator and the body, as `demonstration.drive` needs them, over topics and actions."""

from __future__ import annotations

import threading
import time

import numpy as np
from control_msgs.action import GripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.hardware import FINGER_MAX, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.body_news import ArmReference, arm_reference, why_no_motion
from gensim2_control.ros.conversions import trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from geometry_msgs.msg import TwistStamped
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_msgs.msg import Float64, String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import RobotStatus

from .demonstration import BodyNews, End
from .twist_input import TwistError, Wanted

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_POLL = 0.05  # s
_STREAM = "fr3_arm_controller/joint_trajectory"


class GraphOperator:
    """Implements `demonstration.Operator`.

    Args:
        node: The node, spun by several threads.
        effort: Force of the fingers, N.
    """

    def __init__(self, node: Node, effort: float) -> None:
        self._node, self._effort = node, effort
        self._lock = threading.Lock()
        self._stream: Publisher | None = None
        self._kinematics: Fr3Kinematics | None = None
        self._status: RobotStatus | None = None
        self._reference: ArmReference | None = None
        self._heard = 0.0
        self._wanted: Wanted | None = None
        self._end: End | None = None
        self._driving = False
        self.told = ""
        """What the operator was last told."""
        group = ReentrantCallbackGroup()
        self._gripper = SafeActionClient(
            node, GripperCommand, "fr3_gripper/gripper_action", callback_group=group
        )
        for kind, topic, heard, qos in (
            (String, "robot_description", self._on_description, _LATCHED),
            (RobotStatus, "robot_status", self._on_status, _LATCHED),
            (TwistStamped, "teleop/twist", self._on_twist, 1),
            (Float64, "teleop/gripper", self._on_gripper, 10),
            (
                JointTrajectoryControllerState,
                "fr3_arm_controller/controller_state",
                self._on_state,
                qos_profile_sensor_data,
            ),
        ):
            node.create_subscription(kind, topic, heard, qos, callback_group=group)
        node.create_service(Trigger, "teleop/done", self._on_done, callback_group=group)

    def begin(self) -> None:
        """A demonstration begins; whatever was wanted before is forgotten."""
        with self._lock:
            self._wanted, self._end, self._driving, self.told = None, None, True, ""

    def ready(self, until: float) -> Fr3Kinematics | None:
        """Wait for the body, until a time of the monotonic clock [s] or the end of it all.

        Returns:
            The kinematics of its description; None = it has not been heard.
        """
        while self._kinematics is None or self._reference is None or self._status is None:
            if time.monotonic() > until or self._end is not None:
                return None
            time.sleep(_POLL)
        # No sooner than it is used: a body takes chunks from one publisher only.
        # Without events: those of a publisher that is destroyed are still waited for.
        silent = PublisherEventCallbacks(use_default_callbacks=False)
        self._stream = self._node.create_publisher(
            JointTrajectory, _STREAM, 1, event_callbacks=silent
        )
        while not self._stream.get_subscription_count():
            if time.monotonic() > until or self._end is not None:
                return None
            time.sleep(_POLL)
        return self._kinematics

    def release(self) -> None:
        """The demonstration is over: others may stream."""
        with self._lock:
            self._driving = False
        if self._stream is not None:
            self._node.destroy_publisher(self._stream)
            self._stream = None

    def end(self, how: End) -> None:
        """Ends the demonstration; the first word counts."""
        with self._lock:
            self._end = how if self._end is None else self._end

    def now(self) -> float:
        """See `Operator`: the time of the body, whose stamps a chunk has to agree with."""
        with self._lock:
            if self._reference is not None:
                return self._reference[2] + time.monotonic() - self._heard
        return float(self._node.get_clock().now().nanoseconds) * 1e-9

    def body(self) -> BodyNews:
        """See `Operator`."""
        with self._lock:
            assert self._reference is not None and self._status is not None
            q, dq, t = self._reference
            age, status = time.monotonic() - self._heard, self._status
        return BodyNews(q, dq, t, age, why_no_motion(status))

    def wanted(self) -> Wanted | None:
        """See `Operator`."""
        with self._lock:
            return self._wanted

    def T_base_tcp(self, q: Array) -> Array:
        """See `Operator`."""
        assert self._kinematics is not None
        return self._kinematics.fk(q)

    def send(self, chunk: Trajectory, t: float) -> None:
        """See `Operator`."""
        assert self._stream is not None
        self._stream.publish(trajectory_to_msg(chunk, t))

    def asked_to_end(self) -> End | None:
        """See `Operator`."""
        with self._lock:
            return self._end

    def tell(self, text: str) -> None:
        """See `Operator`."""
        if text and text != self.told:
            self._node.get_logger().warning(text)
        self.told = text

    def _on_description(self, message: String) -> None:
        try:
            self._kinematics = Fr3Kinematics.from_urdf(message.data)
        except ValueError as error:
            self._node.get_logger().error(f"robot_description cannot be used: {error}")

    def _on_status(self, message: RobotStatus) -> None:
        with self._lock:
            self._status = message

    def _on_state(self, message: JointTrajectoryControllerState) -> None:
        reference = arm_reference(message)
        if reference is None:
            return
        with self._lock:
            self._reference = reference
            self._heard = time.monotonic()

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = message.twist.linear, message.twist.angular
        twist = np.array([linear.x, linear.y, linear.z, angular.x, angular.y, angular.z])
        try:
            # By the clock of this node: that of a joystick's computer may be another one.
            wanted = Wanted(twist, message.header.frame_id, self.now())
        except TwistError as error:
            self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        with self._lock:
            self._wanted = wanted

    def _on_gripper(self, message: Float64) -> None:
        if not self._driving or not 0.0 <= message.data <= FINGER_MAX:
            self._node.get_logger().warning(
                f"fingers to {message.data:.3f} m: left out; no demonstration runs, or it is not "
                f"within 0 to {FINGER_MAX} m"
            )
            return
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = message.data, self._effort
        self._gripper.send_goal_async(goal)

    def _on_done(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._driving
        response.message = "ended" if self._driving else "no demonstration runs"
        if self._driving:
            self.end(End.DONE)
        return response
