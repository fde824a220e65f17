"""Plays the arm at home for three cameras and their fusion, and hears the clouds.

python camera_listener_node.py SECONDS

Prints one line when the clouds have settled and one with the result as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import ARM_JOINTS, HOME_Q
from gensim2_perception.fusion_messages_node import to_nanoseconds
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState, PointCloud2
from std_msgs.msg import String

BEGAN = "began"
_STATE_PERIOD = 0.01
_SETTLE = 3.0
_GUARD = 60.0
_FUSION = "pointcloud_fusion: "


class Listener(Node):
    """Publishes description and joint states; notes when clouds come and how old they are.

    Attributes:
        arrivals: Monotonic time of each cloud, s.
        ages: Time of arrival minus stamp of the oldest picture in it, s.
        stamps: Of that picture, s.
        states: Newest message of the fusion's diagnostics, by component.
    """

    def __init__(self) -> None:
        """Joins the graph."""
        super().__init__("bench_listener")
        self.arrivals: list[float] = []
        self.ages: list[float] = []
        self.stamps: list[float] = []
        self.states: dict[str, str] = {}
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._description = self.create_publisher(String, "robot_description", latched)
        self._description.publish(String(data=resolve_packages(robot_description())))
        self._joints = self.create_publisher(JointState, "joint_states", 10)
        self.create_subscription(PointCloud2, "points", self._hear, 10)
        self.create_subscription(DiagnosticArray, "diagnostics", self._note, 10)
        self.create_timer(_STATE_PERIOD, self._tell, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def forget(self) -> None:
        """Begins to count anew."""
        self.arrivals.clear()
        self.ages.clear()
        self.stamps.clear()

    def _tell(self) -> None:
        message = JointState(name=list(ARM_JOINTS), position=[float(q) for q in HOME_Q])
        message.header.stamp = self.get_clock().now().to_msg()
        self._joints.publish(message)

    def _hear(self, message: PointCloud2) -> None:
        self.arrivals.append(time.monotonic())
        stamp_ns = to_nanoseconds(message.header.stamp)
        self.ages.append((time.time_ns() - stamp_ns) * 1e-9)
        self.stamps.append(stamp_ns * 1e-9)

    def _note(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(_FUSION):
                self.states[status.name.removeprefix(_FUSION)] = status.message


def main(seconds: str) -> None:
    """Waits for clouds, and listens for so long."""
    rclpy.init()
    listener = Listener()
    try:
        _spin(listener, _GUARD, until_first=True)
        if not listener.arrivals:
            sys.exit(f"no cloud within {_GUARD:g} s; the fusion says: {listener.states}")
        _spin(listener, _SETTLE)
        listener.forget()
        print(BEGAN, flush=True)
        _spin(listener, float(seconds))
    except (KeyboardInterrupt, ExternalShutdownException):
        sys.exit(1)
    result = {
        "arrivals": listener.arrivals,
        "ages": listener.ages,
        "stamps": listener.stamps,
        "state": listener.states.get("clouds", ""),
    }
    print(json.dumps(result), flush=True)
    listener.destroy_node()
    rclpy.try_shutdown()


def _spin(listener: Listener, seconds: float, *, until_first: bool = False) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not (until_first and listener.arrivals):
        rclpy.spin_once(listener, timeout_sec=left)


if __name__ == "__main__":
    main(*sys.argv[1:])
