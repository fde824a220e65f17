"""A client that keeps a Franka body busy and counts what it hears from it."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from body_client_node import ARM, GUARD, BodyClient
from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from diagnostic_msgs.msg import DiagnosticArray
from figures import BenchError
from gensim2_control.hardware import Array
from gensim2_control.ros.conversions import trajectory_to_msg
from gensim2_control.ros.heartbeat import ClientHeartbeat
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from sensor_msgs.msg import JointState
from soak_moves import CHUNK_STEP, Grip, chunk_of

from gensim2_msgs.msg import FrankaState

STATE_TOPIC = "franka_driver/franka_state"
NOMINAL = {
    "joint_states": 100.0,
    f"{ARM}/controller_state": 50.0,
    STATE_TOPIC: 30.0,
    "diagnostics": 1.0,
}
"""Rates of the topics that are counted, Hz."""
_KINDS = {
    "joint_states": JointState,
    f"{ARM}/controller_state": JointTrajectoryControllerState,
    STATE_TOPIC: FrankaState,
    "diagnostics": DiagnosticArray,
}
_DEPTH = 100  # messages: this process may be late, and what is counted is what was sent
_POLL = 0.1  # s
_ARRIVED = 0.02  # rad, the goal tolerance of the body
_ENDS = {
    GoalStatus.STATUS_SUCCEEDED: "succeeded",
    GoalStatus.STATUS_ABORTED: "aborted",
    GoalStatus.STATUS_CANCELED: "canceled",
}


@dataclass(frozen=True)
class End:
    """How a goal has ended.

    Attributes:
        word: succeeded, aborted, canceled, refused, or missed (a stream that did not arrive).
        text: What the body says of it.
    """

    word: str
    text: str = ""


class SoakClient(BodyClient):
    """Sends goals of every kind, one after the other, and waits for their ends."""

    def __init__(self, domain: int) -> None:
        """Joins a ROS domain."""
        super().__init__(domain)
        self._count = threading.Lock()
        self._heard = dict.fromkeys(NOMINAL, 0)
        self._success = math.inf
        self._heartbeat = ClientHeartbeat(self._node)
        self._gripper = SafeActionClient(self._node, GripperCommand, "fr3_gripper/gripper_action")
        for topic, kind in _KINDS.items():
            self._node.create_subscription(kind, topic, partial(self._hear, topic), _DEPTH)

    def connect(self) -> None:
        """Waits until everything is there and the arm can move."""
        super().connect()
        if not self._gripper.wait_for_server(GUARD):
            raise BenchError("the gripper's action never came")
        self._wait(lambda: min(self._heard.values()) > 0, "a message of every topic")

    def heard(self) -> dict[str, int]:
        """Gives the number of messages so far, by topic."""
        with self._count:
            return dict(self._heard)

    def take_success(self) -> float:
        """Gives the smallest success rate of control commands since the last call, or NaN."""
        with self._count:
            found, self._success = self._success, math.inf
        return found if math.isfinite(found) else math.nan

    def move(self, trajectory: Trajectory) -> End:
        """Lets the arm follow a trajectory to its end."""
        return self._end(self._send(trajectory), trajectory.duration)

    def cancel(self, trajectory: Trajectory, after: float) -> End:
        """Cancels a motion `after` s."""
        handle = self._send(trajectory)
        if handle.accepted:
            time.sleep(after)
            self._result(handle.cancel_goal_async())
        return self._end(handle, trajectory.duration)

    def stop(self, trajectory: Trajectory, after: float) -> End:
        """Stops a motion `after` s, and recovers."""
        handle = self._send(trajectory)
        if handle.accepted:
            time.sleep(after)
            self.call("stop")
        end = self._end(handle, trajectory.duration)
        self.recover()
        if end.word == "aborted" and "STOP_REQUESTED" in end.text:
            return End("stopped")
        return end

    def recover(self) -> None:
        """Recovers the arm, which may be decelerating, and waits until it may move.

        Raises:
            BenchError: It never can.
        """
        deadline = time.monotonic() + 2 * GUARD
        while True:
            try:
                # It refuses while the arm decelerates.
                self.call("recover")
                self._wait(
                    lambda: self._status is not None and self._status.motion_possible,
                    "a body that may move",
                )
                return
            except BenchError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)

    def lead(self, motion: Trajectory) -> End:
        """Leads the arm along a motion by a stream of chunks.

        They say when they begin: one that is late on its way would else have to be caught up with.
        """
        began, clock = time.monotonic(), self._node.get_clock()
        began_ros = clock.now().nanoseconds * 1e-9
        pause = threading.Event()
        while (t := clock.now().nanoseconds * 1e-9 - began_ros) < motion.duration:
            self.stream(chunk_of(motion, t), stamp=began_ros + t)
            pause.wait(CHUNK_STEP)
        self.rested_at(began + motion.duration)
        away = float(np.abs(self.q() - motion.q[-1]).max())
        if away > _ARRIVED:
            return End("missed", f"the arm is {away:.3f} rad away; {self.fault()}")
        return End("succeeded")

    def grip(self, grip: Grip) -> End:
        """Moves the fingers."""
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = grip.position, grip.effort
        return self._end(self._result(self._gripper.send_goal_async(goal))[0], 0.0)

    def rest(self) -> Array:
        """Waits until the arm rests; returns its positions (7,), rad."""
        self.rested_at(0.0)
        return self.q()

    def _send(self, trajectory: Trajectory) -> Any:
        goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(trajectory))
        return self._result(self._arm.send_goal_async(goal))[0]

    def _end(self, handle: Any, duration: float) -> End:
        if not handle.accepted:
            return End("refused", self.fault())
        # The guard of every wait is far longer than a motion.
        assert duration < 0.8 * GUARD
        response, _ = self._result(handle.get_result_async())
        text = getattr(response.result, "error_string", "")
        return End(_ENDS.get(response.status, f"status {response.status}"), text)

    def _hear(self, topic: str, message: Any) -> None:
        with self._count:
            self._heard[topic] += 1
            if topic == STATE_TOPIC:
                self._success = min(self._success, message.control_command_success_rate)
