"""Hears the arm of a graph come up and move for the first time."""

from __future__ import annotations

import time

from guest_node import Guest
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
        self._guest = Guest("bench_first_motion", domain)
        self._guest.node.create_subscription(JointState, "joint_states", self._hear, 10)
        self._guest.start()

    def close(self) -> None:
        """Leaves the graph."""
        self._guest.close()

    def _hear(self, message: JointState) -> None:
        now = time.monotonic()
        if self.heard is None:
            self.heard = now
        pairs = zip(message.name, message.velocity, strict=False)
        speed = max((abs(v) for name, v in pairs if name.startswith(_ARM)), default=0.0)
        if self.moved is None and speed > MOVING:
            self.moved = now
