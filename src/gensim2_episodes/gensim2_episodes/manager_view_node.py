"""What there is to see of the manager: `episode_manager/markers`, `/episodes`, and diagnostics."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.markers import LATCHED, marker_array
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import MarkerArray

from gensim2_episodes.attempts import Attempt
from gensim2_episodes.episode_messages_node import summary_to_msg
from gensim2_episodes.manager import Progress
from gensim2_episodes.scene import Scene
from gensim2_episodes.scene_picture import scene_marks
from gensim2_msgs.msg import EpisodeSummary

IDLE = "idle"
_PERIOD = 0.25
"""Between two pictures [s of wall time]."""
_KEPT = 200
"""Episodes that who comes late still sees."""


class ManagerView:
    """Publishes what goes on, whether a collection runs or not."""

    def __init__(self, node: Node, newest_scene: Callable[[], Scene | None]) -> None:
        """Publishes a first picture.

        Args:
            node: The node.
            newest_scene: Returns the newest state of the scene.
        """
        self._newest_scene = newest_scene
        self._lock = threading.Lock()
        self._title, self._folder = IDLE, Path()
        self._attempts = self._successes = 0
        self._shown: object = None
        self._markers = node.create_publisher(MarkerArray, "episode_manager/markers", LATCHED)
        latched = QoSProfile(depth=_KEPT, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._episodes = node.create_publisher(EpisodeSummary, "episode_manager/episodes", latched)
        self._diagnostics = NodeDiagnostics(node, self._report)
        self._draw()
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(
            _PERIOD, self._draw, callback_group=MutuallyExclusiveCallbackGroup(), clock=self._clock
        )

    def begin(self, folder: Path) -> None:
        """A collection into a folder begins."""
        with self._lock:
            self._folder, self._attempts, self._successes = folder, 0, 0
            self._title = "collecting"
        self._diagnostics.changed()

    def progress(self, progress: Progress) -> None:
        """A stage of it begins, or an attempt has ended."""
        done = f"{progress.collected}/{progress.requested}"
        with self._lock:
            self._title = f"collecting {progress.task} {done}: {progress.stage}"
            if progress.last is not None:
                self._attempts += 1
                self._successes += progress.last.success
        if progress.last is not None:
            self.ended(progress.last)
        self._diagnostics.changed()

    def ended(self, attempt: Attempt) -> None:
        """Adds an attempt to the table."""
        self._episodes.publish(summary_to_msg(attempt))

    def end(self) -> None:
        """The collection is over."""
        with self._lock:
            self._title = IDLE
        self._diagnostics.changed()

    def _draw(self) -> None:
        with self._lock:
            title = self._title
        scene = self._newest_scene()
        state = (title, scene)
        if state == self._shown:
            return
        self._shown = state
        self._markers.publish(marker_array(scene_marks(scene, title)))

    def _report(self) -> dict[str, Report]:
        with self._lock:
            values = {"attempts": self._attempts, "successes": self._successes}
            title, folder = self._title, self._folder
        report: dict[str, object] = {**values}
        if folder != Path():
            report["dataset"] = folder
            if folder.is_dir():
                report["free"] = f"{shutil.disk_usage(folder).free / 1e9:.1f} GB"
        return {"manager": Report(Level.OK, title, report)}
