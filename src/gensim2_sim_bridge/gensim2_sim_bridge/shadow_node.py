"""The node ``shadow``: SAPIEN follows the real robot and scene, and shows plans beforehand.

It only listens: nothing it publishes is heard by a body.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from gensim2_control.description import DescriptionError, resolve_packages, robot_description
from gensim2_control.hardware import JOINTS
from gensim2_control.joint_history import (
    JointHistory,
    JointsPendingError,
    JointsUnavailableError,
)
from gensim2_control.report import Level, Report
from gensim2_control.ros.conversions import nanoseconds
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState, PointCloud2
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import SceneState

from .cameras import NoRenderDeviceError
from .preview import Preview, Shown
from .shadow import Shadow
from .shadow_messages_node import placed_objects, planned_motion
from .shadow_parameters_node import ShadowParameters
from .shadow_publisher_node import ShadowPublisher
from .world import World

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# While pictures are made joint states pile up, at 100 Hz.
JOINTS_QOS = QoSProfile(depth=300)
POINTS_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
SILENT_AFTER = 2.0  # s of wall time without joint states
LOG_PERIOD = 5.0  # s
# Of a robot that stands still fewer pictures are taken.
STILL = 1e-4  # rad and m
IDLE_PERIOD = 1.0  # s


class ShadowNode(Node):
    """Wires topics to a `Shadow` and a `Preview`; one thread does everything in turn."""

    def __init__(self) -> None:
        super().__init__("shadow")
        self._own = declare_parameters(self, ShadowParameters).value
        self._preview = Preview(self._own.preview())
        self._history = JointHistory(JOINTS)
        self._scene: SceneState | None = None
        self._scene_trouble = ""
        self._heard = -np.inf
        self._cloud: PointCloud2 | None = None
        self._cloud_due = 0.0
        self._pictured_q, self._picture_due = np.full(len(JOINTS), np.inf), 0.0
        self._costs = {"image": 0.0, "clouds": 0.0}

    def start(self, ended: Callable[[], bool]) -> None:
        """Makes the world, which takes seconds, and begins to listen.

        Raises:
            StartError: Says what is missing.
        """
        own = self._own
        try:
            self._library = AssetLibrary(own.asset_root)
            calibrations = CameraCalibrations.load(Path(own.calibration))
            # Before the first picture is made, which takes long, everybody can see the topics.
            self._connect(calibrations)
            world = World(resolve_packages(robot_description()))
            self._shadow = Shadow(
                world, calibrations, own.cameras(), own.overview(), own.overview_config()
            )
        except (AssetError, CalibrationError, DescriptionError, NoRenderDeviceError) as error:
            raise StartError(str(error)) from None
        _stand_back(own.niceness)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / own.image_rate, self._tick, clock=clock)
        self.get_logger().info("ready")

    def _connect(self, calibrations: CameraCalibrations) -> None:
        self._publisher = ShadowPublisher(self, calibrations.cameras)
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.create_subscription(JointState, "joint_states", self._on_joints, JOINTS_QOS)
        self.create_subscription(SceneState, "scene/state", self._on_scene, LATCHED)
        self.create_subscription(JointTrajectory, "kpam_planner/trajectory", self._on_plan, LATCHED)
        self.create_subscription(PointCloud2, "points", self._on_points, POINTS_QOS)

    def _on_joints(self, message: JointState) -> None:
        try:
            self._history.add(nanoseconds(message.header.stamp), message.name, message.position)
        except ValueError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=LOG_PERIOD)
            return
        newest = self._history.newest_ns
        assert newest is not None
        self._heard = time.monotonic()
        self._preview.measured(self._history.at(newest), self._heard)

    def _on_scene(self, message: SceneState) -> None:
        self._scene = message

    def _on_plan(self, message: JointTrajectory) -> None:
        try:
            self._preview.plan(planned_motion(message))
        except ValueError as error:
            self.get_logger().warning(f"a plan cannot be shown: {error}")
            self._preview.plan(None)

    def _on_points(self, message: PointCloud2) -> None:
        if self._cloud is None and time.monotonic() >= self._cloud_due:
            self._cloud = message

    def _tick(self) -> None:
        self._follow_scene()
        self._show_cameras()
        begin = time.monotonic()
        shown = self._preview.shown(begin)
        if shown is not None:
            self._show_overview(shown, begin)
        self._diagnostics.changed()

    def _show_overview(self, shown: Shown, begin: float) -> None:
        self._publisher.mode(shown.mode)
        still = np.abs(shown.q - self._pictured_q).max() < STILL
        if not self._publisher.image_wanted or (still and begin < self._picture_due):
            return
        picture = self._shadow.look(shown.q)
        self._publisher.image(shown, picture, self._history.newest_ns or 0)
        self._pictured_q, self._picture_due = shown.q, begin + IDLE_PERIOD
        self._costs["image"] = time.monotonic() - begin

    def _follow_scene(self) -> None:
        message, self._scene = self._scene, None
        if message is None:
            return
        try:
            if self._shadow.set_scene(placed_objects(message, self._library)):
                self._picture_due = 0.0
            self._scene_trouble = ""
        except AssetError as error:
            self._scene_trouble = str(error)

    def _show_cameras(self) -> None:
        """At the stamp of a real cloud, so that both can be laid over each other."""
        cloud, begin = self._cloud, time.monotonic()
        if cloud is None:
            return
        try:
            q = self._history.at(nanoseconds(cloud.header.stamp))
        except JointsPendingError:
            return
        except JointsUnavailableError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=LOG_PERIOD)
            self._cloud = None
            return
        self._cloud, self._cloud_due = None, begin + 1.0 / self._own.cloud_rate
        if self._publisher.cameras_wanted:
            frames = self._shadow.see(q)
            self._publisher.cameras(frames, self._shadow.rig, cloud.header.stamp)
            self._costs["clouds"] = time.monotonic() - begin

    def _report(self) -> dict[str, Report]:
        names = [f"{o.name}: {o.asset.ref}" for o in self._shadow.world.objects]
        values = {
            "objects": ", ".join(names) or "none",
            "an image took [s]": f"{self._costs['image']:.3f}",
            "all cameras took [s]": f"{self._costs['clouds']:.3f}",
        }
        if time.monotonic() - self._heard > SILENT_AFTER:
            return {"shadow": Report(Level.WARN, "no joint_states", values)}
        if self._scene_trouble:
            return {"shadow": Report(Level.WARN, self._scene_trouble, values)}
        return {"shadow": Report(Level.OK, "follows", values)}


def _stand_back(niceness: int) -> None:
    """Lets the driver of the robot come first: a thread of this process takes what is left."""
    for thread in Path("/proc/self/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)
