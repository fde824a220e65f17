"""What the shadow publishes: the overview, its mode, and what the cameras should see.

All names begin with ``shadow/``. The pictures of the cameras are in the frames of the real ones:
where a camera is does not depend on who takes the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from builtin_interfaces.msg import Time
from gensim2_control.ros.camera_messages import image_message
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String

from .cameras import CameraFrame, CameraRig
from .preview import Mode, Shown
from .scene_messages_node import BASE, camera_messages
from .shadow import captioned

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
IMAGE_QOS = QoSProfile(depth=5)
NS = 1_000_000_000


class ShadowPublisher:
    """Publishers of a shadow.

    Args:
        node: The node.
        cameras: Names of the cameras.
    """

    def __init__(self, node: Node, cameras: Iterable[str]) -> None:
        self._mode = node.create_publisher(String, "shadow/mode", LATCHED)
        self._image = node.create_publisher(Image, "shadow/image", IMAGE_QOS)
        self._told: Mode | None = None
        self._cameras = {
            name: (
                node.create_publisher(Image, f"shadow/{name}/color/image_raw", IMAGE_QOS),
                node.create_publisher(
                    Image, f"shadow/{name}/aligned_depth_to_color/image_raw", IMAGE_QOS
                ),
                node.create_publisher(CameraInfo, f"shadow/{name}/color/camera_info", IMAGE_QOS),
            )
            for name in cameras
        }

    @property
    def image_wanted(self) -> bool:
        """Whether somebody looks at the overview."""
        return bool(self._image.get_subscription_count() > 0)

    @property
    def cameras_wanted(self) -> bool:
        """Whether somebody listens to a camera."""
        return any(one[1].get_subscription_count() > 0 for one in self._cameras.values())

    def mode(self, mode: Mode) -> None:
        """Says whose joints are shown, where that has changed."""
        if mode is not self._told:
            self._told = mode
            self._mode.publish(String(data=mode.value))

    def image(self, shown: Shown, picture: NDArray[np.uint8], stamp_ns: int) -> None:
        """Publishes the overview.

        Args:
            shown: What it shows.
            picture: (H, W, 3).
            stamp_ns: Of the newest joint state, ns.
        """
        planned = shown.mode is Mode.PLAN
        text = f"{shown.mode.value} {shown.share * 100.0:.0f} %" if planned else shown.mode.value
        sec, nanosec = divmod(stamp_ns, NS)
        header = Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=BASE)
        titled = captioned(picture, text, planned=planned)
        self._image.publish(image_message(header, "rgb8", titled))

    def cameras(self, frames: Sequence[CameraFrame], rig: CameraRig, stamp: Time) -> None:
        """Publishes pictures of the cameras.

        Args:
            frames: One of every camera.
            rig: That has taken them.
            stamp: Of a real cloud.
        """
        for frame in frames:
            messages = camera_messages(stamp, frame, rig)
            for publisher, message in zip(self._cameras[frame.camera], messages, strict=True):
                publisher.publish(message)
