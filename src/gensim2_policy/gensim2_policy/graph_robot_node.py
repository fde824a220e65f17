"""Eyes and body of the graph, as `rollout.perform` needs them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from control_msgs.action import GripperCommand
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.conversions import stamp_from_seconds, trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from numpy.typing import NDArray
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory

from .graph_senses_node import Senses
from .policy_view_node import PolicyView
from .rollout import BodyNews, End, RolloutError
from .seen import NS, NotSeenError, Seen
from .settings import ObservationSettings

ACK_QOS = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STREAM = "fr3_arm_controller/joint_trajectory"
ACTING, IDLE = "acting", "idle"
"""Values of ``frame_id`` in `policy/ack`: whether a simulation should wait for the policy."""
ROUNDING = 1e-6  # s
REST_TIMEOUT = 3.0  # s of wall time, for the arm to come to rest
READY_TIMEOUT = 15.0  # s of wall time, for the first word of everybody
POLL = 0.1  # s


@dataclass(frozen=True)
class Patience:
    """With others.

    Attributes:
        cloud_age: How old a cloud may be when it is acted on, s of ROS time.
        silence: How long news may be missing, s of wall time.
    """

    cloud_age: float = 0.5
    silence: float = 5.0


class GraphRobot:
    """Implements `rollout.Robot`. Its calls block and belong into an action's thread.

    Args:
        node: The node, spun by several threads.
        seen: What is observed.
        effort: Force of the fingers, N.
        patience: With others.
    """

    def __init__(
        self, node: Node, seen: ObservationSettings, effort: float, patience: Patience
    ) -> None:
        self._node, self._seen, self._effort, self._patience = node, seen, effort, patience
        self._stop: RolloutError | None = None
        self._first = True
        self._since_ns = 0
        self._stream: Publisher | None = None
        self._view = PolicyView(node)
        self._ack = node.create_publisher(Header, "policy/ack", ACK_QOS)
        group = ReentrantCallbackGroup()
        self.senses = Senses(node, seen, group)
        self._gripper = SafeActionClient(
            node, GripperCommand, "fr3_gripper/gripper_action", callback_group=group
        )

    def begin(self, since_ns: int) -> None:
        """A task begins; an earlier cancel is forgotten, and so is what was seen before.

        Args:
            since_ns: The time of the scene that the task is for, ns; 0 = the one that is newest.
        """
        self._stop, self._first, self._since_ns = None, True, since_ns
        self.senses.begin()

    def ready(self) -> Fr3Kinematics:
        """Waits for the body; returns its kinematics.

        Raises:
            RolloutError: It is not there, or the task has been cancelled.
        """
        senses = self.senses
        self._wait(
            lambda: senses.began is not None and senses.status is not None,
            lambda: (
                senses.trouble
                or "no joint_states, robot_status or robot_description; is the robot up?"
            ),
            READY_TIMEOUT,
        )
        self._wait(
            lambda: senses.history is not None and senses.history.newest_ns is not None,
            lambda: senses.trouble or senses.silent,
            READY_TIMEOUT,
        )
        # No sooner than it is used: a body takes chunks from one publisher only.
        # Without events: those of a publisher that is destroyed are still waited for.
        silent = PublisherEventCallbacks(use_default_callbacks=False)
        stream = self._node.create_publisher(JointTrajectory, STREAM, 1, event_callbacks=silent)
        self._stream = stream
        self._wait(
            lambda: stream.get_subscription_count() > 0,
            lambda: f"nobody listens to {STREAM}; is the robot up?",
            READY_TIMEOUT,
        )
        assert senses.kinematics is not None
        return senses.kinematics

    def newest_cloud(self) -> NDArray[np.float32] | None:
        """Points (N, 3), m in base, of the newest observation; None where clouds are not used.

        Raises:
            RolloutError: There is none.
        """
        points = self.observe(-np.inf).points
        return None if points is None else points[-1]

    def release(self) -> None:
        """The task is over: others may stream."""
        self._acknowledge(self.now(), IDLE)
        if self._stream is not None:
            self._node.destroy_publisher(self._stream)
            self._stream = None

    def cancel(self) -> None:
        """Ends the task; the blocked call raises `RolloutError`."""
        with self.senses.news:
            self._stop = RolloutError(End.CANCELED, "canceled")
            self.senses.news.notify_all()

    def now(self) -> float:
        """See `Robot`."""
        return self.senses.now()

    def body(self) -> BodyNews:
        """See `Robot`."""
        with self.senses.news:
            nothing = BodyNews(np.zeros(7), np.zeros(7), -np.inf)
            news, fault = self.senses.reference or nothing, self.senses.fault
        return BodyNews(news.q_ref, news.dq_ref, news.t, fault)

    def observe(self, after: float) -> Seen:
        """See `Robot`."""
        found: list[Seen] = []
        reason = ""

        def look() -> bool:
            nonlocal reason
            try:
                found.append(self._look(after))
            except NotSeenError as error:
                reason = str(error)
            return bool(found)

        self._wait(look, lambda: reason, self._patience.silence)
        return found[0]

    def _look(self, after: float) -> Seen:
        """The newest observation.

        Raises:
            NotSeenError: There is none, or it is too old.
        """
        senses = self.senses
        if senses.history is None or senses.began is None:
            raise NotSeenError(senses.trouble or "no joint_states; is the robot up?")
        ns = senses.history.newest_ns
        # A goal may overtake the news of a reset, which takes as long as an observation at least.
        earliest = max(senses.began, self._since_ns) / NS - self._seen.period
        if ns is None or ns / NS <= max(after, earliest) + ROUNDING:
            raise NotSeenError(senses.trouble or senses.silent)
        age, limit = self.now() - ns / NS, self._patience.cloud_age
        if age > limit:
            raise NotSeenError(
                f"what is newest on {senses.awaited} is {age:.2f} s old, at most {limit:g} s are "
                "acted on"
            )
        if self._first:
            senses.history.begin(ns)
            self._first = False
        return senses.history.at(ns)

    def send(self, trajectory: Trajectory, t: float) -> None:
        """See `Robot`."""
        assert self._stream is not None
        self._stream.publish(trajectory_to_msg(trajectory, t))
        if self.senses.kinematics is not None:
            self._view.show(self.senses.kinematics, trajectory.q, t)

    def grip(self, position: float) -> None:
        """See `Robot`."""
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = position, self._effort
        self._gripper.send_goal_async(goal)

    def acted(self, t: float) -> None:
        """See `Robot`."""
        self._acknowledge(t, ACTING)

    def finish(self) -> None:
        """See `Robot`."""
        self._acknowledge(self.now(), IDLE)
        until = time.monotonic() + REST_TIMEOUT
        with self.senses.news:
            while time.monotonic() < until and self.senses.moving:
                self.senses.news.wait(POLL)

    def _acknowledge(self, t: float, what: str) -> None:
        if self._node.context.ok():
            self._ack.publish(Header(stamp=stamp_from_seconds(t), frame_id=what))

    def _wait(self, there: Callable[[], bool], reason: Callable[[], str], timeout: float) -> None:
        """Waits until something is there.

        Raises:
            RolloutError: The time is up, the robot has a fault, or the task has been cancelled.
        """
        until, senses = time.monotonic() + timeout, self.senses
        with senses.news:
            while self._stop is not None or not there():
                if self._stop is not None:
                    raise self._stop
                if senses.fault:
                    raise RolloutError(End.EXECUTION_FAILED, senses.fault)
                if time.monotonic() > until:
                    raise RolloutError(End.SENSOR_STALE, reason())
                senses.news.wait(POLL)
