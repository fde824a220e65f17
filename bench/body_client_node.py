"""A client of the body contract that notes when the arm moves and when it rests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from control_msgs.action import FollowJointTrajectory
from figures import BenchError
from gensim2_control.hardware import ARM_JOINTS, Array
from gensim2_control.ros.conversions import trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from guest_node import Guest
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import RobotStatus

ARM = "fr3_arm_controller"
GUARD = 30.0
"""Longest wait for anything, s."""
REST_SPEED = 0.01
"""Joint speed below which the arm rests, rad/s."""
_SURE = 0.15  # s of rest after which nothing more is expected
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class BodyClient:
    """Hears and commands one body. Times are monotonic, at arrival, s."""

    def __init__(self, domain: int) -> None:
        """Joins a ROS domain."""
        self._guest = Guest("bench_client", domain)
        self._node = self._guest.node
        self._news = threading.Condition()
        self._q: Array | None = None
        self._speed = 0.0
        self._rest_since: float | None = None
        self._status: RobotStatus | None = None
        self._node.create_subscription(JointState, "joint_states", self._hear_joints, 10)
        self._node.create_subscription(RobotStatus, "robot_status", self._hear_status, _LATCHED)
        self._arm = SafeActionClient(
            self._node, FollowJointTrajectory, f"{ARM}/follow_joint_trajectory"
        )
        self._services = {
            name: self._node.create_client(Trigger, f"robot/{name}") for name in ("stop", "recover")
        }
        self._stream = self._node.create_publisher(JointTrajectory, f"{ARM}/joint_trajectory", 1)
        self._guest.start()

    def close(self) -> None:
        """Leaves."""
        self._guest.close()

    def connect(self) -> None:
        """Waits until everything is there and the arm can move.

        Raises:
            BenchError: It never is.
        """
        for name, service in self._services.items():
            if not service.wait_for_service(GUARD):
                raise BenchError(f"robot/{name} never came")
        if not self._arm.wait_for_server(GUARD):
            raise BenchError("the arm's action never came")
        self._wait(lambda: self._stream.get_subscription_count() > 0, "a reader of streams")
        self.ready()

    def ready(self) -> None:
        """Recovers the arm where it is stopped and waits until it rests and may move."""
        if self._status is not None and not self._status.motion_possible:
            self.call("recover")
        self._wait(
            lambda: self._status is not None and self._status.motion_possible,
            "a body that may move",
        )
        self.rested_at(0.0)

    def q(self) -> Array:
        """Gives the measured positions of the arm (7,), rad."""
        self._wait(lambda: self._q is not None, "a joint state")
        assert self._q is not None
        return self._q.copy()

    def cruising(self, speed: float) -> float:
        """Waits until joint 1 is that fast, rad/s; returns the time."""
        self._wait(lambda: self._speed >= speed, f"a speed of {speed:g} rad/s")
        return time.monotonic()

    def rested_at(self, began: float) -> float:
        """Waits until the arm rests for good; returns when that began, not before `began`."""

        def rests() -> bool:
            # Younger than the command: the last state before it may have been one of rest.
            since = self._rest_since
            return since is not None and time.monotonic() - max(since, began) > _SURE

        self._wait(rests, "the arm at rest")
        assert self._rest_since is not None
        return max(self._rest_since, began)

    def fault(self) -> str:
        """Names what the body reports, empty if it is fine."""
        return ", ".join(self._status.errors) if self._status is not None else ""

    def call(self, name: str) -> float:
        """Calls `robot/<name>` and returns how long the answer took, s.

        Raises:
            BenchError: No answer, or a refusal.
        """
        began = time.monotonic()
        response, ended = self._result(self._services[name].call_async(Trigger.Request()))
        if not response.success:
            raise BenchError(f"robot/{name}: {response.message}")
        return ended - began

    def follow(self, trajectory: Trajectory) -> None:
        """Sends a goal.

        Raises:
            BenchError: It is refused.
        """
        goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(trajectory))
        handle, _ = self._result(self._arm.send_goal_async(goal))
        if not handle.accepted:
            raise BenchError("the arm refused a goal")

    def stream(
        self,
        trajectory: Trajectory,
        spoil: Callable[[Any], None] | None = None,
        stamp: float = 0.0,
    ) -> float:
        """Publishes a chunk, spoilt or not, that begins at `stamp` (s; 0 = now); returns when."""
        message = trajectory_to_msg(trajectory, stamp)
        if spoil is not None:
            spoil(message)
        began = time.monotonic()
        self._stream.publish(message)
        return began

    def _result(self, future: Any) -> tuple[Any, float]:
        done = threading.Event()
        times: list[float] = []

        def note(_: Any) -> None:
            times.append(time.monotonic())
            done.set()

        future.add_done_callback(note)
        if not done.wait(GUARD):
            raise BenchError(f"no answer within {GUARD:g} s")
        return future.result(), times[0]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + GUARD
        with self._news:
            while not condition():
                if time.monotonic() > deadline:
                    raise BenchError(f"{what} did not come within {GUARD:g} s; {self.fault()}")
                self._news.wait(0.01)

    def _hear_joints(self, message: JointState) -> None:
        now = time.monotonic()
        index = [message.name.index(name) for name in ARM_JOINTS]
        speeds = np.abs(np.array(message.velocity)[index])
        with self._news:
            self._q = np.array(message.position)[index]
            self._speed = float(speeds[0])
            if speeds.max() >= REST_SPEED:
                self._rest_since = None
            elif self._rest_since is None:
                self._rest_since = now
            self._news.notify_all()

    def _hear_status(self, message: RobotStatus) -> None:
        with self._news:
            self._status = message
            self._news.notify_all()
