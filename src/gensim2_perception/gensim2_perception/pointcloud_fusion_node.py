"""Node `pointcloud_fusion`: images, joint states and transforms in, one cloud in `base` out."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from gensim2_control.camera_calibration import optical_frame
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.joint_history import JointHistory
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.report import Level
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from .camera_poses import CameraPoses
from .frames import PinholeIntrinsics
from .fusion import FusedCloud, Fusion
from .fusion_messages_node import to_nanoseconds, to_pointcloud2
from .fusion_parameters_node import FusionParameters
from .fusion_worker import FusionWorker
from .layouts import colour_image, depth_image
from .pipeline import FusionPipeline
from .static_transforms import StaticTransforms, rigid

POLL_S = 0.05
LOG_THROTTLE_S = 5.0


class PointcloudFusionNode(Node):
    """Wires topics to a `FusionPipeline`, which a thread of its own empties.

    Pictures are large, and rclpy copies them: they are received while others are fused.
    """

    def __init__(self) -> None:
        super().__init__("pointcloud_fusion")
        table = declare_parameters(self, FusionParameters).value
        self._base_frame = table.base_frame
        self._told: dict[str, tuple[Level, str]] = {}
        self._told_at: dict[str, float] = {}
        self._points = self.create_publisher(PointCloud2, "points", table.queue_depth)
        pipeline = FusionPipeline(
            table.pipeline(),
            Fusion(table.fusion()),
            CameraPoses(
                StaticTransforms(),
                JointHistory(ARM_JOINTS, max_gap_s=table.max_joint_gap),
                base_frame=table.base_frame,
            ),
            now_ns=lambda: self.get_clock().now().nanoseconds,
            steady_s=time.monotonic,
        )
        self._worker = FusionWorker(pipeline, self._publish, POLL_S)
        self._diagnostics = NodeDiagnostics(self, self._worker.reports)
        images = QoSProfile(
            depth=table.queue_depth,
            reliability=ReliabilityPolicy.RELIABLE
            if table.reliable
            else ReliabilityPolicy.BEST_EFFORT,
        )
        for camera in table.cameras:
            for topic, kind, callback in (
                ("color/camera_info", CameraInfo, self._on_camera_info),
                ("color/image_raw", Image, self._on_colour),
                ("aligned_depth_to_color/image_raw", Image, self._on_depth),
            ):
                self.create_subscription(
                    kind, f"{camera}/{topic}", partial(callback, camera), images
                )
        # Joint states pass ten to a picture; a fusion in progress must not make them overflow.
        self.create_subscription(JointState, "joint_states", self._on_joint_state, 100)
        latched = DurabilityPolicy.TRANSIENT_LOCAL
        # Several nodes publish static transforms, each its own set: a depth of 1 would lose some.
        self.create_subscription(
            TFMessage, "/tf_static", self._on_tf_static, QoSProfile(depth=100, durability=latched)
        )
        self.create_subscription(
            String,
            "robot_description",
            self._on_robot_description,
            QoSProfile(depth=1, durability=latched),
        )
        self._quiet_until = time.monotonic() + table.start_grace
        # On wall time, because simulated time may stand still.
        self.create_timer(POLL_S, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self, ended: Callable[[], bool]) -> None:
        """Begin to fuse."""
        self._worker.start()

    def close(self) -> None:
        """End with the cloud at hand."""
        self._worker.close()

    def _on_camera_info(self, camera: str, message: CameraInfo) -> None:
        try:
            model = PinholeIntrinsics.from_k(message.width, message.height, message.k)
        except ValueError as error:
            self._refuse(camera, error)
            return
        with self._worker.feed() as pipeline:
            pipeline.camera_model(camera, model)

    def _on_colour(self, camera: str, message: Image) -> None:
        try:
            rgb = colour_image(
                message.data, message.height, message.width, message.step, message.encoding
            )
        except ValueError as error:
            self._refuse(camera, error)
            return
        frame_id = message.header.frame_id or optical_frame(camera)
        with self._worker.feed() as pipeline:
            pipeline.colour(camera, to_nanoseconds(message.header.stamp), frame_id, rgb)

    def _on_depth(self, camera: str, message: Image) -> None:
        try:
            depth = depth_image(
                message.data,
                message.height,
                message.width,
                message.step,
                message.encoding,
                bool(message.is_bigendian),
            )
        except ValueError as error:
            self._refuse(camera, error)
            return
        with self._worker.feed() as pipeline:
            pipeline.depth(camera, to_nanoseconds(message.header.stamp), depth)

    def _on_joint_state(self, message: JointState) -> None:
        stamp_ns = to_nanoseconds(message.header.stamp)
        try:
            with self._worker.feed() as pipeline:
                pipeline.joint_state(stamp_ns, message.name, message.position)
        except ValueError as error:
            self._warn(str(error))

    def _on_tf_static(self, message: TFMessage) -> None:
        for stamped in message.transforms:
            p, r = stamped.transform.translation, stamped.transform.rotation
            try:
                T_parent_child = rigid((p.x, p.y, p.z), (r.x, r.y, r.z, r.w))
                with self._worker.feed() as pipeline:
                    pipeline.static_transform(
                        stamped.header.frame_id, stamped.child_frame_id, T_parent_child
                    )
            except ValueError as error:
                self._warn(f"{stamped.header.frame_id} -> {stamped.child_frame_id}: {error}")

    def _on_robot_description(self, message: String) -> None:
        try:
            kinematics = Fr3Kinematics.from_urdf(message.data)
        except ValueError as error:
            self.get_logger().error(f"robot_description cannot be used: {error}")
            return
        if kinematics.root != self._base_frame:
            self.get_logger().error(
                f"the root link of robot_description is {kinematics.root}, the parameter "
                f"base_frame is {self._base_frame}: a wrist camera cannot be placed"
            )
            return
        with self._worker.feed() as pipeline:
            pipeline.kinematics(kinematics)

    def _publish(self, cloud: FusedCloud) -> None:
        self._points.publish(to_pointcloud2(cloud, self._base_frame))

    def _poll(self) -> None:
        if self._worker.failure is not None:
            raise self._worker.failure
        self._diagnostics.changed()
        now = time.monotonic()
        for component, report in self._worker.reports().items():
            # While the other nodes are still starting what is missing is no news.
            starting = now < self._quiet_until and report.level is not Level.OK
            told = self._told.get(component)
            if told == report.headline or starting:
                continue
            # On a computer that cannot keep up the reason changes with every cloud.
            changed = told is None or told[0] is not report.level
            if not changed and now - self._told_at[component] < LOG_THROTTLE_S:
                continue
            self._told[component], self._told_at[component] = report.headline, now
            text = f"{component}: {report.message}"
            # rclpy raises where one line of code logs now at one severity, now at another.
            if report.level is Level.OK:
                self.get_logger().info(text)
            else:
                self.get_logger().warning(text)

    def _refuse(self, camera: str, error: ValueError) -> None:
        with self._worker.feed() as pipeline:
            pipeline.cameras[camera].last_error = str(error)
        self._warn(f"{camera}: {error}")

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=LOG_THROTTLE_S)
