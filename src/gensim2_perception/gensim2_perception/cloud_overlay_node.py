"""Node `cloud_overlay`: how far what the cameras see is from what the digital shadow shows."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2

from .cloud_overlay import CloudOverlay, OverlayConfig
from .cloud_residual import Points
from .fusion_messages_node import to_nanoseconds, xyzrgb_cloud
from .layouts import unpack_xyzrgb

CLOUD_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
LOG_PERIOD = 5.0  # s


@dataclass(frozen=True)
class OverlayParameters:
    """What counts as a difference."""

    tolerance: float = parameter(
        OverlayConfig.tolerance,
        "Points that are further off differ [m]; not below the spacing of points.",
        low=0.001,
        high=1.0,
    )
    limit: float = parameter(
        OverlayConfig.limit,
        "Share of points that may differ before the diagnostics warn [-].",
        low=0.0,
        high=1.0,
    )
    silence: float = parameter(
        OverlayConfig.silence,
        "Time without a comparison after which the diagnostics warn [s, wall time].",
        low=1.0,
        high=3600.0,
    )


class CloudOverlayNode(Node):
    """Wires two clouds to a `CloudOverlay`."""

    def __init__(self) -> None:
        super().__init__("cloud_overlay")
        own = declare_parameters(self, OverlayParameters).value
        self._overlay = CloudOverlay(OverlayConfig(own.tolerance, own.limit, own.silence))
        self._points = self.create_publisher(PointCloud2, "cloud_overlay/points", 5)
        self._diagnostics = NodeDiagnostics(self, lambda: self._overlay.report(time.monotonic()))
        self.create_subscription(PointCloud2, "points", self._on_seen, CLOUD_QOS)
        self.create_subscription(PointCloud2, "shadow/points", self._on_expected, CLOUD_QOS)
        self.get_logger().info("ready")

    def _on_seen(self, message: PointCloud2) -> None:
        xyz = self._read(message)
        if xyz is not None:
            self._overlay.seen(to_nanoseconds(message.header.stamp), xyz)

    def _on_expected(self, message: PointCloud2) -> None:
        xyz = self._read(message)
        stamp_ns = to_nanoseconds(message.header.stamp)
        if xyz is None:
            return
        overlay = self._overlay.expected(stamp_ns, xyz, time.monotonic())
        if overlay is not None:
            frame = message.header.frame_id
            self._points.publish(xyzrgb_cloud(stamp_ns, frame, overlay.xyz, overlay.rgb))
        self._diagnostics.changed()

    def _read(self, message: PointCloud2) -> Points | None:
        try:
            xyz, _ = unpack_xyzrgb(
                message.data,
                message.width * message.height,
                message.point_step,
                message.fields,
                bool(message.is_bigendian),
            )
        except ValueError as error:
            self.get_logger().warning(
                f"a cloud cannot be read: {error}", throttle_duration_sec=LOG_PERIOD
            )
            return None
        return xyz
