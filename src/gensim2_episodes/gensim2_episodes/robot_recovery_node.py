"""Goes on after a lost heartbeat, where nobody attends: in a simulation."""

from __future__ import annotations

from gensim2_control.hardware import Fault
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_srvs.srv import Trigger

from gensim2_episodes.attempts import Stopped
from gensim2_episodes.waiting import result_of
from gensim2_msgs.msg import RobotStatus

SERVICE = "robot/recover"
_ANSWER = 20.0
"""Longest wait for an answer [s of wall time]."""


class RobotRecovery:
    """Calls `robot/recover` where a lost heartbeat is all that keeps the robot from moving.

    A machine that is busy for a moment is enough for that, and a night's collection shall not end
    by it. Any other stop is somebody's will or a fault, and stays.
    """

    def __init__(self, node: Node, allowed: bool) -> None:
        """Listens to the condition of the robot.

        Args:
            node: The node.
            allowed: Whether anything is ever called.
        """
        self._node = node
        self._allowed = allowed
        self._status = RobotStatus()
        group = ReentrantCallbackGroup()
        self._client = node.create_client(Trigger, SERVICE, callback_group=group)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(
            RobotStatus, "robot_status", self._on_status, latched, callback_group=group
        )

    def release(self, stopped: Stopped) -> None:
        """Recovers the robot, if that is called for.

        Raises:
            NoAnswerError: The robot does not answer.
            Exception: What `stopped` returns.
        """
        if not self._allowed or self._status.error_code != Fault.HEARTBEAT_LOST:
            return
        future = self._client.call_async(Trigger.Request())
        answer = result_of(future, stopped, _ANSWER, f"the service {SERVICE} does not answer")
        text = f"the heartbeat of a client was lost: called {SERVICE}: {answer.message}"
        self._node.get_logger().warning(text)

    def _on_status(self, message: RobotStatus) -> None:
        self._status = message
