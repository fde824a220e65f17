"""Subscriptions of the page. Of what flows only the newest message is kept, and unread at that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray
from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.description import DescriptionError, robot_description
from geometry_msgs.msg import PoseArray
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, JointState, PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from gensim2_msgs.msg import EpisodeSummary, RobotStatus, SceneState

from . import view_messages_node as messages
from .episode_table import EpisodeTable
from .health_table import HealthTable, Status
from .markers import MarkerBoard
from .page import MARKER_TOPICS
from .sensors import cloud, picture

COLLECTION = "collect/_action/status"
_ACTIVE = (GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING, GoalStatus.STATUS_CANCELING)
# A reader that asks for no repetitions never holds a publisher up.
FLOWING = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HISTORY = QoSProfile(depth=200, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class ViewTopics:
    """What the page draws; a `Feed`."""

    def __init__(self, node: Node, cameras: Sequence[str], activity: Callable[[], str]) -> None:
        """Subscribe.

        Args:
            node: The node.
            cameras: Names of the cameras.
            activity: Says what the commands of the page are doing.
        """
        self._node = node
        self._activity = activity
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[Any, Callable[[Any], Any]]] = {}
        self._newest: dict[str, bytes] = {}
        self._counts: dict[str, int] = {}
        self._boards = {topic: MarkerBoard() for topic in MARKER_TOPICS}
        self._changed: set[str] = set()
        self._health = HealthTable()
        self._episodes = EpisodeTable()
        self._collecting = False
        self._robot: Any = None
        self._scene: Any = None
        self._description: str | None = self._installed_description()
        self._keep("robot_description", String, messages.description, LATCHED)
        self._keep("joint_states", JointState, messages.joints, FLOWING)
        self._keep("robot_status", RobotStatus, messages.condition, LATCHED)
        self._keep("scene/state", SceneState, messages.scene, LATCHED)
        self._keep("points", PointCloud2, cloud, FLOWING)
        self._keep("kpam_planner/path", Path, messages.path, LATCHED)
        self._keep("kpam_planner/key_poses", PoseArray, messages.poses, LATCHED)
        for camera in cameras:
            self._keep(f"{camera}/color/image_raw", Image, picture, FLOWING)
        for topic in MARKER_TOPICS:
            node.create_subscription(MarkerArray, topic, partial(self._on_markers, topic), LATCHED)
        node.create_subscription(DiagnosticArray, "diagnostics", self._on_diagnostics, 50)
        node.create_subscription(
            EpisodeSummary, "episode_manager/episodes", self._on_episode, HISTORY
        )
        node.create_subscription(GoalStatusArray, COLLECTION, self._on_collection, LATCHED)

    def collecting(self) -> bool:
        """Whether a collection of episodes is running."""
        # What a manager said that is gone no longer counts.
        with self._lock:
            collecting = self._collecting
        return collecting and self._node.count_publishers(COLLECTION) > 0

    def counts(self) -> dict[str, int]:
        """Messages heard since the last call, by topic."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts

    def take(self, name: str) -> Any | None:
        """The newest value of a topic that was not taken before, else None.

        Raises:
            SensorError: It cannot be shown.
        """
        with self._lock:
            if name in self._boards:
                fresh = name in self._changed
                self._changed.discard(name)
                return self._boards[name].items if fresh else None
            data = self._newest.pop(name, None)
        if data is not None:
            kind, convert = self._kinds[name]
            value = convert(deserialize_message(data, kind))
            if name == "scene/state":
                self._scene = value
            return value
        if name == "robot_description" and self._description is not None:
            text, self._description = self._description, None
            return messages.description(String(data=text))
        return None

    def state(self) -> tuple[str, Any, Any, str]:
        """Time in words, condition of the robot, scene, and what is going on."""
        robot = self.take("robot_status")
        if robot is not None:
            self._robot = robot
        seconds = self._node.get_clock().now().nanoseconds / 1e9
        simulated = self._node.get_parameter("use_sim_time").value
        words = f"{seconds:.1f} s, simulated" if simulated else time.strftime("%H:%M:%S")
        activity = "collecting episodes" if self.collecting() else self._activity()
        return words, self._robot, self._scene, activity

    def tables(self) -> tuple[str, str]:
        """Health of the nodes and episodes, as HTML."""
        with self._lock:
            return self._health.html(time.monotonic()), self._episodes.html()

    def _installed_description(self) -> str | None:
        """The robot that is shown until one is published."""
        try:
            return robot_description()
        except DescriptionError as error:
            self._node.get_logger().warning(f"no robot is shown until one is published: {error}")
            return None

    def _keep(self, topic: str, kind: Any, convert: Callable[[Any], Any], qos: QoSProfile) -> None:
        self._kinds[topic] = (kind, convert)
        self._node.create_subscription(kind, topic, partial(self._on_data, topic), qos, raw=True)

    def _on_data(self, topic: str, data: bytes) -> None:
        with self._lock:
            self._newest[topic] = data
            self._counts[topic] = self._counts.get(topic, 0) + 1

    def _on_markers(self, topic: str, message: MarkerArray) -> None:
        with self._lock:
            problems = self._boards[topic].apply(message.markers)
            self._changed.add(topic)
        for problem in problems[:1]:
            self._node.get_logger().warning(f"{topic}: {problem}", throttle_duration_sec=5.0)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        statuses = [Status(s.name, s.level[0], s.message) for s in message.status]
        with self._lock:
            self._health.add(statuses, time.monotonic())

    def _on_episode(self, message: EpisodeSummary) -> None:
        with self._lock:
            self._episodes.add(messages.episode(message))

    def _on_collection(self, message: GoalStatusArray) -> None:
        with self._lock:
            self._collecting = any(goal.status in _ACTIVE for goal in message.status_list)
