"""Node `calibrate`: records views of a calibration board on a key or a service call."""

from __future__ import annotations

import select
import sys
import threading
from pathlib import Path

import rclpy
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from .calibrate_parameters_node import CalibrateParameters
from .calibration_camera import CameraModel
from .calibration_errors import CalibrationRefusedError
from .calibration_report import Arrangement
from .fusion_messages_node import to_nanoseconds
from .layouts import colour_image
from .view_recorder import ViewRecorder

LOG_THROTTLE_S = 5.0
_POLL_S = 0.2


class CalibrateNode(Node):
    """Wires topics, the service `~/capture` and the Enter key to a `ViewRecorder`."""

    def __init__(self) -> None:
        super().__init__("calibrate")
        table = declare_parameters(self, CalibrateParameters).value
        self._recorder = ViewRecorder(
            Path(table.folder).expanduser().absolute(),
            table.camera,
            Arrangement(table.arrangement),
            table.board(),
        )
        self._diagnostics = NodeDiagnostics(self, lambda: {"session": self._recorder.report()})
        images = QoSProfile(
            depth=2,
            reliability=ReliabilityPolicy.RELIABLE
            if table.reliable
            else ReliabilityPolicy.BEST_EFFORT,
        )
        colour = f"{table.camera}/color"
        self.create_subscription(CameraInfo, f"{colour}/camera_info", self._on_camera_info, images)
        self.create_subscription(Image, f"{colour}/image_raw", self._on_image, images)
        self.create_subscription(JointState, "joint_states", self._on_joint_state, 100)
        self.create_subscription(
            String,
            "robot_description",
            self._on_description,
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        )
        self.create_service(Trigger, "~/capture", self._on_capture)
        self._ended = threading.Event()
        self._keys: threading.Thread | None = None
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._starter = self.create_timer(0.0, self._listen_to_keys, clock=steady)
        self.get_logger().info(f"recording {table.camera} into {table.folder}")

    def _listen_to_keys(self) -> None:
        """Called once, by the executor: a key that ends the node must not come before it runs."""
        self._starter.cancel()
        if sys.stdin is not None and sys.stdin.isatty():
            print("Enter records a view, q and Enter ends.", flush=True)
            self._keys = threading.Thread(target=self._listen, name="keys", daemon=True)
            self._keys.start()

    def close(self) -> None:
        """Ends the listening."""
        self._ended.set()
        if self._keys is not None:
            self._keys.join()

    def _listen(self) -> None:
        while not self._ended.is_set():
            if not select.select([sys.stdin], [], [], _POLL_S)[0]:
                continue
            line = sys.stdin.readline()
            if not line or line.strip().lower() == "q":
                rclpy.try_shutdown()
                return
            print(self._capture()[1], flush=True)

    def _capture(self) -> tuple[bool, str]:
        try:
            return True, self._recorder.capture()
        except CalibrationRefusedError as error:
            return False, f"not recorded: {error}"

    def _on_capture(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._capture()
        self._diagnostics.changed()
        return response

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            self._recorder.camera_model(
                CameraModel.from_camera_info(
                    message.width, message.height, message.k, message.d, message.distortion_model
                )
            )
        except ValueError as error:
            self._warn(f"camera_info cannot be used: {error}")

    def _on_description(self, message: String) -> None:
        self._recorder.description(message.data)

    def _on_image(self, message: Image) -> None:
        try:
            rgb = colour_image(
                message.data, message.height, message.width, message.step, message.encoding
            )
        except ValueError as error:
            self._warn(str(error))
            return
        self._recorder.picture(to_nanoseconds(message.header.stamp), rgb)

    def _on_joint_state(self, message: JointState) -> None:
        try:
            stamp_ns = to_nanoseconds(message.header.stamp)
            self._recorder.joint_state(stamp_ns, message.name, message.position)
        except ValueError as error:
            self._warn(str(error))

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=LOG_THROTTLE_S)
