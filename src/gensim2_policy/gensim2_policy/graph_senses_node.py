"""What a policy has heard of robot and scene on the graph."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.body_news import arm_reference, why_no_motion
from gensim2_control.ros.conversions import nanoseconds
from gensim2_episodes.episode_messages_node import cloud_from_msg, image_from_msg
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image, JointState, PointCloud2
from std_msgs.msg import String

from gensim2_msgs.msg import RobotStatus

from .rollout import BodyNews
from .seen import NS, History
from .settings import ObservationSettings

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def colour_topic(camera: str) -> str:
    """Where a camera publishes its colour pictures."""
    return f"{camera}/color/image_raw"


class Senses:
    """Joint states, clouds, pictures, status and reference of the robot.

    Args:
        node: The node, spun by several threads.
        seen: What is observed.
        group: Of the subscriptions.

    Attributes:
        news: Guards everything here and is notified of each message.
        history: Joint states, clouds and pictures; None before the robot's description has come.
        kinematics: Of the description.
        status: Newest.
        reference: Newest, of the arm.
        began: Stamp of the first joint state that came since ``begin``, ns; None = none has.
        trouble: What was wrong with the newest message that could not be used; empty = nothing.
    """

    def __init__(self, node: Node, seen: ObservationSettings, group: CallbackGroup) -> None:
        self._node, self._seen = node, seen
        self.news = threading.Condition()
        self.history: History | None = None
        self.kinematics: Fr3Kinematics | None = None
        self.status: RobotStatus | None = None
        self.reference: BodyNews | None = None
        self.began: int | None = None
        self.trouble = ""
        self._newest = 0.0
        for kind, topic, heard, qos in (
            (String, "robot_description", self._on_description, LATCHED),
            (RobotStatus, "robot_status", self._on_status, LATCHED),
            (JointState, "joint_states", self._on_joints, 100),
            (PointCloud2, "points", self._on_points, 10),
            (
                JointTrajectoryControllerState,
                "fr3_arm_controller/controller_state",
                self._on_reference,
                qos_profile_sensor_data,
            ),
        ):
            if kind is not PointCloud2 or seen.cloud_steps:
                node.create_subscription(kind, topic, heard, qos, callback_group=group)
        for camera in seen.cameras:
            node.create_subscription(
                Image,
                colour_topic(camera),
                partial(self._on_picture, camera),
                10,
                callback_group=group,
            )

    @property
    def awaited(self) -> str:
        """Topics of what an observation hangs on."""
        if self._seen.cloud_steps:
            return "points"
        return ", ".join(map(colour_topic, self._seen.cameras)) or "joint_states"

    @property
    def silent(self) -> str:
        """What to say where nothing comes there."""
        if self._seen.cloud_steps:
            return "no new cloud on points; is obs:=pointcloud set?"
        hint = "; is obs:=image set?" if self._seen.cameras else "; is the robot up?"
        return f"nothing new on {self.awaited}{hint}"

    def begin(self) -> None:
        """A task begins: what comes from here on is known to be of the present."""
        with self.news:
            self.began, self.trouble = None, ""

    def now(self) -> float:
        """The time of the body, s, whose stamps a chunk has to agree with."""
        return self._newest

    @property
    def fault(self) -> str:
        """Why no motion is possible; empty = it is, or nothing is known."""
        return "" if self.status is None else why_no_motion(self.status)

    @property
    def moving(self) -> bool:
        """Whether the arm moves, as far as is known."""
        speed = 0.0 if self.reference is None else float(np.abs(self.reference.dq_ref).max())
        return speed > 1e-3 or (self.status is not None and self.status.mode == RobotStatus.MOVING)

    def _on_description(self, message: String) -> None:
        try:
            kinematics = Fr3Kinematics.from_urdf(message.data)
        except ValueError as error:
            self._node.get_logger().error(f"robot_description cannot be used: {error}")
            return
        with self.news:
            self.kinematics, self.history = kinematics, History(self._seen, kinematics)
            self.news.notify_all()

    def _on_status(self, message: RobotStatus) -> None:
        with self.news:
            self.status = message
            self.news.notify_all()

    def _on_joints(self, message: JointState) -> None:
        stamp_ns = nanoseconds(message.header.stamp)
        with self.news:
            if self.history is None:
                return
            try:
                self.history.joint_state(stamp_ns, list(message.name), list(message.position))
            except ValueError as error:
                self.trouble = str(error)
            else:
                self._newest = stamp_ns / NS
                self.began = stamp_ns if self.began is None else self.began
            self.news.notify_all()

    def _on_points(self, message: PointCloud2) -> None:
        try:
            xyz, rgb = cloud_from_msg(message)
            with self.news:
                if self.history is not None:
                    self.history.cloud(nanoseconds(message.header.stamp), xyz, rgb)
                self.news.notify_all()
        except ValueError as error:
            self.trouble = f"points: {error}"

    def _on_picture(self, camera: str, message: Image) -> None:
        try:
            rgb = image_from_msg(message)
            with self.news:
                if self.history is not None:
                    self.history.picture(nanoseconds(message.header.stamp), camera, rgb)
                self.news.notify_all()
        except ValueError as error:
            self.trouble = f"{colour_topic(camera)}: {error}"

    def _on_reference(self, message: JointTrajectoryControllerState) -> None:
        reference = arm_reference(message)
        if reference is None:
            return
        with self.news:
            self.reference = BodyNews(*reference)
            self.news.notify_all()
