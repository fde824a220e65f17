"""Node `calibrate_cloud`: stores one cloud of a fixed camera, in base, and ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import rclpy
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2

from .cloud_file import pose_in_base, save_cloud
from .layouts import unpack_xyzrgb

_FAILED = 1


@dataclass(frozen=True)
class CloudCaptureParameters:
    """What is stored, and where."""

    camera: str = parameter("left_camera", "Name of the camera, also its namespace.")
    calibration: str = parameter("cameras.yaml", "Calibration file of the cameras.")
    out: str = parameter("cloud.npy", "File to write, .npy.")
    timeout: float = parameter(
        30.0, "Longest wait for a cloud [s, wall time].", low=0.1, high=3600.0
    )


class CloudCaptureNode(Node):
    """Waits for one cloud."""

    def __init__(self) -> None:
        super().__init__("calibrate_cloud")
        self.exit_code = _FAILED
        self._table = declare_parameters(self, CloudCaptureParameters).value
        try:
            self._T_base_cam = pose_in_base(Path(self._table.calibration), self._table.camera)
        except ValueError as error:
            raise StartError(str(error)) from None
        self._topic = f"{self._table.camera}/depth/color/points"
        # Best effort hears both kinds of publishers.
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(PointCloud2, self._topic, self._on_cloud, qos)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self._table.timeout, self._on_timeout, clock=clock)

    def _on_cloud(self, message: PointCloud2) -> None:
        try:
            p_cam, _ = unpack_xyzrgb(
                message.data,
                message.width * message.height,
                message.point_step,
                message.fields,
                bool(message.is_bigendian),
            )
            count = save_cloud(Path(self._table.out), p_cam, self._T_base_cam)
        except (OSError, ValueError) as error:
            self._end(f"cannot store the cloud in {self._table.out}: {error}")
            return
        print(f"{count} points in base stored in {self._table.out}", flush=True)
        self.exit_code = 0
        rclpy.try_shutdown()

    def _on_timeout(self) -> None:
        self._end(
            f"no cloud on {self._topic} within {self._table.timeout:g} s: is the camera running, "
            "in this namespace?"
        )

    def _end(self, text: str) -> None:
        print(f"error: {text}", file=sys.stderr, flush=True)
        rclpy.try_shutdown()
