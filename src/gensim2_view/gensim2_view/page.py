"""The page: draws what is new, from one thread, no oftener than eyes can follow."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from gensim2_tasks.assets import AssetLibrary
from numpy.typing import NDArray

from gensim2_view.robot_model import RobotModel, RobotModelError
from gensim2_view.scene_view import SceneView
from gensim2_view.sensors import SensorError
from gensim2_view.side_panel import Commands, SidePanel
from gensim2_view.web_server import WebServer

PERIOD = 0.05
"""Wall time between two poses of the robot, s."""
SENSOR_PERIOD = 0.25
"""The same for clouds and pictures, s."""
TEXT_PERIOD = 0.5
"""The same for tables, s."""
_NO_VIEWER = 0.2
_JOIN = 1.0
MARKER_TOPICS = ("kpam_planner/markers", "episode_manager/markers")
CAMERA_PLACE = ((1.45, -1.15, 0.95), (0.4, 0.0, 0.28))
"""Where viewers stand and look at first, m in base."""


class Feed(Protocol):
    """Where the page gets what it draws. Called from one thread."""

    def take(self, name: str) -> Any | None:
        """Return the newest value of a topic that was not taken before, else None.

        Raises:
            SensorError: it cannot be shown.
        """

    def state(self) -> tuple[str, Any, Any, str]:
        """Return the time in words, the condition of the robot, the scene, what goes on."""

    def tables(self) -> tuple[str, str]:
        """Return the health of the nodes and the episodes, HTML."""


class Page:
    """The page and the thread that draws on it."""

    def __init__(
        self,
        server: WebServer,
        library: AssetLibrary,
        workspace: tuple[NDArray[np.float64], NDArray[np.float64]],
        tasks: Sequence[str],
        cameras: Sequence[str],
        commands: Commands,
        warn: Callable[[str], None],
    ) -> None:
        """Build the page; nothing is drawn before `start`."""
        self._server = server
        self._cameras = tuple(cameras)
        self._warn = warn
        server.initial_camera.position = CAMERA_PLACE[0]
        server.initial_camera.look_at = CAMERA_PLACE[1]
        server.initial_camera.fov = np.radians(50.0)
        self.scene = SceneView(server, library, workspace)
        self.panel = SidePanel(server, tasks, cameras, self.scene.parts(), commands)
        self.problem = ""
        """What could not be drawn last; empty where all could."""
        self.frames = 0
        """Times that something was drawn."""
        self._due = {"sensors": 0.0, "text": 0.0}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def viewers(self) -> int:
        """Browsers that look on."""
        return len(self._server.get_clients())

    def start(self, feed: Feed) -> None:
        """Draw from now on."""
        self._thread = threading.Thread(target=self._loop, args=(feed,), name="page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop drawing and serving."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_JOIN)
        self._server.stop()

    def _loop(self, feed: Feed) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            # What nobody sees is not drawn, only kept.
            pause = PERIOD
            if not self.viewers:
                pause = _NO_VIEWER
                continue
            begun = time.monotonic()
            self.draw(feed, begun)
            # On a slow machine half of the time is left to others.
            pause = max(PERIOD - (time.monotonic() - begun), time.monotonic() - begun)

    def draw(self, feed: Feed, now: float) -> None:
        """Draw what is new and due at `now`, s of wall time."""
        self._attempt(lambda: self._draw_motion(feed))
        if now >= self._due["sensors"]:
            self._due["sensors"] = now + SENSOR_PERIOD
            self._attempt(lambda: self._draw_cloud(feed))
            for camera in self._cameras:
                self._attempt(lambda camera=camera: self._draw_picture(feed, camera))  # type: ignore[misc]
        if now >= self._due["text"]:
            self._due["text"] = now + TEXT_PERIOD
            self._attempt(lambda: self.panel.show_state(*feed.state()))
            health, episodes = feed.tables()
            self.panel.show_health(health)
            self.panel.show_episodes(episodes)
        self.frames += 1

    def _draw_motion(self, feed: Feed) -> None:
        description = feed.take("robot_description")
        if description is not None:
            self._report(self.scene.robot.show(RobotModel(description)))
        joints = feed.take("joint_states")
        if joints is not None:
            self.scene.robot.move(joints)
        scene = feed.take("scene/state")
        if scene is not None:
            self._report(self.scene.show_scene(scene))
        path = feed.take("kpam_planner/path")
        if path is not None:
            self.scene.show_path(path)
        poses = feed.take("kpam_planner/key_poses")
        if poses is not None:
            self.scene.show_key_poses(*poses)
        for topic in MARKER_TOPICS:
            items = feed.take(topic)
            if items is not None:
                self.scene.show_markers(topic, items)

    def _draw_cloud(self, feed: Feed) -> None:
        cloud = feed.take("points")
        if cloud is not None:
            self.scene.show_cloud(*cloud)

    def _draw_picture(self, feed: Feed, camera: str) -> None:
        image = feed.take(f"{camera}/color/image_raw")
        if image is not None:
            self.panel.show_picture(camera, image)

    def _attempt(self, drawing: Callable[[], None]) -> None:
        """Draw; what fails must not end the drawing of the rest."""
        try:
            drawing()
        except (SensorError, RobotModelError) as error:
            self._report([str(error)])
        except Exception as error:
            self._report([f"{type(error).__name__}: {error}"], traceback.format_exc())

    def _report(self, problems: Sequence[str], details: str = "") -> None:
        for problem in problems:
            if problem != self.problem:
                self.problem = problem
                self._warn(f"{problem}\n{details}" if details else problem)
