"""What a manifest says of the cameras, heard on the graph."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import partial

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo
from tf2_msgs.msg import TFMessage

from gensim2_episodes.camera_mount import StaticTree
from gensim2_episodes.episode_messages_node import camera_from_msg
from gensim2_episodes.manifest import CameraRecord


class CameraListener:
    """Listens to `<camera>/color/camera_info` and `/tf_static`."""

    def __init__(self, node: Node, cameras: Sequence[str]) -> None:
        """Subscribes.

        Args:
            node: The node.
            cameras: Names of the cameras.
        """
        self._wanted = tuple(cameras)
        self._heard: dict[str, CameraRecord] = {}
        self._tree = StaticTree()
        self._lock = threading.Lock()
        # Several nodes publish static transforms, each its own set: a depth of 1 would lose some.
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(TFMessage, "/tf_static", self._on_tf, latched)
        for camera in cameras:
            topic = f"{camera}/color/camera_info"
            node.create_subscription(CameraInfo, topic, partial(self._on_camera, camera), 10)

    def missing(self) -> list[str]:
        """Topics of cameras that have not been heard."""
        with self._lock:
            return [f"{name}/color/camera_info" for name in self._wanted if name not in self._heard]

    def records(self, links: Collection[str]) -> dict[str, CameraRecord]:
        """The cameras that were heard, with where they are mounted.

        Args:
            links: Links of the robot, the base among them.
        """
        with self._lock:
            found = {}
            for name, camera in sorted(self._heard.items()):
                parent, T = self._tree.mount(camera.frame, links)
                mounted = None if T is None else tuple(T.ravel().tolist())
                found[name] = camera.model_copy(update={"parent": parent, "T_parent_cam": mounted})
            return found

    def _on_camera(self, camera: str, message: CameraInfo) -> None:
        if camera not in self._heard:
            with self._lock:
                self._heard[camera] = camera_from_msg(message)

    def _on_tf(self, message: TFMessage) -> None:
        with self._lock:
            for stamped in message.transforms:
                p, q = stamped.transform.translation, stamped.transform.rotation
                frames = stamped.header.frame_id, stamped.child_frame_id
                self._tree.add(*frames, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
