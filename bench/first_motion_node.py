"""Hears the arm of a graph come up and move for the first time."""

from __future__ import annotations

import contextlib
import threading
import time

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import JointState

MOVING = 1e-3
"""Joint speed from which the arm moves, rad/s."""
_ARM = "fr3_joint"


class FirstMotion:
    """Listens from construction to `close`; both times are None until they come.

    Attributes:
        heard: Monotonic time of the first joint state, s.
        moved: That of the first with a speed, s.
    """

    def __init__(self, domain: int) -> None:
        """Starts listening in a ROS domain."""
        self.heard: float | None = None
        self.moved: float | None = None
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = rclpy.create_node("bench_first_motion", context=self._context)
        self._node.create_subscription(JointState, "joint_states", self._hear, 10)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leaves the graph: a listener costs its publisher time."""
        self._executor.shutdown(1.0)
        self._thread.join(1.0)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _hear(self, message: JointState) -> None:
        now = time.monotonic()
        if self.heard is None:
            self.heard = now
        pairs = zip(message.name, message.velocity, strict=False)
        speed = max((abs(v) for name, v in pairs if name.startswith(_ARM)), default=0.0)
        if self.moved is None and speed > MOVING:
            self.moved = now

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
