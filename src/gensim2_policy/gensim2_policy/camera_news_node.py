"""Where the cameras are mounted, as `/tf_static` tells."""

from __future__ import annotations

import numpy as np
from gensim2_control.camera_calibration import optical_frame
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

SUFFIX = optical_frame("")


class CameraNews:
    """Poses of the optical frames of cameras.

    Args:
        node: The node.
    """

    def __init__(self, node: Node) -> None:
        self._poses: dict[str, tuple[str, NDArray[np.float64]]] = {}
        # Several nodes publish static transforms, each its own set: a depth of 1 would lose some.
        qos = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(TFMessage, "/tf_static", self._on_transforms, qos)

    def poses(self) -> dict[str, NDArray[np.float64]]:
        """T_parent_cam (4, 4) of every camera, the parent being what it is mounted on."""
        found = {}
        for frame, (parent, T) in list(self._poses.items()):
            if frame.endswith(SUFFIX):
                while parent in self._poses and parent.startswith(frame.removesuffix(SUFFIX)):
                    parent, T_parent = self._poses[parent]
                    T = T_parent @ T
                found[frame.removesuffix(SUFFIX)] = T
        return found

    def _on_transforms(self, message: TFMessage) -> None:
        for stamped in message.transforms:
            p, r = stamped.transform.translation, stamped.transform.rotation
            T = np.eye(4)
            T[:3, :3] = Rotation.from_quat([r.x, r.y, r.z, r.w]).as_matrix()
            T[:3, 3] = p.x, p.y, p.z
            self._poses[stamped.child_frame_id] = stamped.header.frame_id, T
