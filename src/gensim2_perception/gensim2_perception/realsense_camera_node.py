"""Node `realsense_camera`: colour, aligned depth and points of one RealSense camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import rclpy
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.report import Level, Report
from gensim2_control.ros.camera_messages import camera_transforms
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.start_error import StartError
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from .realsense_capture import Capture, CaptureState
from .realsense_device import CameraOpener
from .realsense_health import assess_camera
from .realsense_messages_node import picture_messages, points_message
from .realsense_parameters_node import RealsenseParameters
from .realsense_sources import Opener, SceneOpener, recording_opener
from .rgbd_frame import RgbdFrame

POLL_S = 0.1
# What a driver that does not return is given at the end.
PATIENCE_S = 5.0
# What is not in order sooner is not logged; diagnostics say it at once.
START_GRACE_S = 5.0
IMAGE_QOS = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class RealsenseCameraNode(Node):
    """Owns one camera; a thread of its own takes the frames and publishes them."""

    def __init__(self) -> None:
        super().__init__("realsense_camera")
        self._table = declare_parameters(self, RealsenseParameters).value
        self._camera = self._table.camera
        self._stop = threading.Event()
        self._capture: Capture | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._told: tuple[Level, str] | None = None
        # A camera without hardware may have to wait for others that are still starting.
        fake = self._table.source == "software"
        self._quiet_until = time.monotonic() + (START_GRACE_S if fake else 0.0)
        camera = self._camera
        self._pictures = (
            self.create_publisher(Image, f"{camera}/color/image_raw", IMAGE_QOS),
            self.create_publisher(Image, f"{camera}/aligned_depth_to_color/image_raw", IMAGE_QOS),
            self.create_publisher(CameraInfo, f"{camera}/color/camera_info", IMAGE_QOS),
        )
        self._points = self.create_publisher(PointCloud2, f"{camera}/depth/color/points", IMAGE_QOS)
        self._transforms = self.create_publisher(TFMessage, "/tf_static", LATCHED)

    def start(self, ended: Callable[[], bool]) -> None:
        """Begin to capture; a camera that is not there yet is waited for while spinning.

        Raises:
            StartError: the calibration or the recorded scene cannot be used.
        """
        table = self._table
        try:
            opener = self._opener()
        except ValueError as error:
            raise StartError(str(error)) from error
        capture = Capture(
            opener,
            table.capture(),
            self._publish,
            # Cameras stamp in the time of day, also beside a simulation.
            now_ns=time.time_ns,
            steady_s=time.monotonic,
        )
        self._capture = capture
        self._diagnostics = NodeDiagnostics(
            self, lambda: {self._camera: self._report(capture)}, hardware_id=self._camera
        )
        self.create_timer(
            POLL_S, lambda: self._poll(capture), clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._thread = threading.Thread(
            target=self._run, args=(capture,), name="capture", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let go of the camera."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._table.frame_timeout + PATIENCE_S)

    def _opener(self) -> Opener:
        table = self._table
        calibrations = None
        if table.calibration:
            calibrations = CameraCalibrations.load(Path(table.calibration))
            if self._camera not in calibrations.cameras:
                raise StartError(
                    f"parameter camera: {self._camera} is not in {table.calibration}; there are: "
                    f"{', '.join(calibrations.cameras)}"
                )
            transforms = camera_transforms(self._camera, calibrations.cameras[self._camera])
            self._transforms.publish(TFMessage(transforms=transforms))
        if table.source == "device":
            return CameraOpener(table.device(), table.stream(), table.filters())
        if table.source == "bag":
            return recording_opener(Path(table.bag), table.bag_loop, table.filters())
        opener = SceneOpener(
            self._camera, table.stream(), table.filters(), time.time_ns, calibrations
        )
        if table.scene:
            opener.load(Path(table.scene))
        else:
            self.create_subscription(
                String, "robot_description", partial(self._on_description, opener), LATCHED
            )
        return opener

    def _on_description(self, opener: SceneOpener, message: String) -> None:
        try:
            opener.kinematics = Fr3Kinematics.from_urdf(message.data)
        except ValueError as error:
            self.get_logger().error(f"robot_description cannot be used: {error}")

    def _run(self, capture: Capture) -> None:
        try:
            capture.run(self._stop)
        except Exception as error:
            # Raised again where the node is spun, which ends it.
            self._failure = error

    def _publish(self, frame: RgbdFrame) -> None:
        messages = picture_messages(frame, self._camera)
        for publisher, message in zip(self._pictures, messages, strict=True):
            publisher.publish(message)
        # Fusion works on the pictures: most of the time nobody wants these.
        if self._points.get_subscription_count() > 0:
            self._points.publish(points_message(frame, self._camera))

    def _report(self, capture: Capture) -> Report:
        settings = self._table.capture()
        return assess_camera(capture.status, settings.frame_timeout_s, settings.rebase)

    def _poll(self, capture: Capture) -> None:
        if self._failure is not None:
            raise self._failure
        self._diagnostics.changed()
        report = self._report(capture)
        starting = time.monotonic() < self._quiet_until and report.level is not Level.OK
        if report.headline != self._told and not starting:
            self._told = report.headline
            self._tell(report)
        if capture.status.state is CaptureState.ENDED:
            rclpy.try_shutdown()

    def _tell(self, report: Report) -> None:
        text = f"{self._camera}: {report.message}"
        # rclpy raises where one line of code logs now at one severity, now at another.
        if report.level is Level.OK:
            self.get_logger().info(text)
        elif report.level is Level.WARN:
            self.get_logger().warning(text)
        else:
            self.get_logger().error(text)
