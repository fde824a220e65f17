"""What every device of an operator publishes: twists while there are any, and the fingers."""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import Array
from geometry_msgs.msg import TwistStamped, Vector3
from rclpy.node import Node
from std_msgs.msg import Float64


class TwistPublisher:
    """Publishes `teleop/twist` and `teleop/gripper` on behalf of a device."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._moving = False
        self._twists = node.create_publisher(TwistStamped, "teleop/twist", 1)
        self._fingers = node.create_publisher(Float64, "teleop/gripper", 10)

    def move(self, twist: Array, frame: str) -> None:
        """Publish a twist (6,) [m/s, rad/s]; of several zeros only the first.

        A device that lies still leaves the topic to others.
        """
        if not twist.any() and not self._moving:
            return
        self._moving = bool(twist.any())
        message = TwistStamped()
        message.header.frame_id = frame
        message.header.stamp = self._node.get_clock().now().to_msg()
        linear, angular = np.split(twist, 2)
        message.twist.linear = Vector3(**dict(zip("xyz", map(float, linear), strict=True)))
        message.twist.angular = Vector3(**dict(zip("xyz", map(float, angular), strict=True)))
        self._twists.publish(message)

    def fingers(self, position: float) -> None:
        """Ask for a position of the fingers, m."""
        self._fingers.publish(Float64(data=position))
