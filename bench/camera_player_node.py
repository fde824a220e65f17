"""Plays three depth cameras of 640 x 480 at a steady rate, as cheaply as Python can.

python camera_player_node.py SEED FPS APART

Rendering and librealsense would use up the computer on which the fusion is measured, so the
pictures are made and serialised before; only their stamps are written while they are played.
APART is what share of a period each camera is behind the one before it: 0 = all in step. Ends by
a signal.
"""

from __future__ import annotations

import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rclpy
from ament_index_python.packages import get_package_share_directory
from fusion_scene import camera_poses, frame_sets
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.ros.camera_messages import camera_transforms
from gensim2_perception.realsense_messages_node import picture_messages
from gensim2_perception.rgbd_frame import RgbdFrame, TimeDomain
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

_SETS = 5
# As realsense_camera publishes them.
_QOS = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
_TOPICS = (
    ("color/image_raw", Image),
    ("aligned_depth_to_color/image_raw", Image),
    ("color/camera_info", CameraInfo),
)
# Of a serialised message that begins with a header, behind the four bytes that name the encoding.
_STAMP = slice(4, 12)


@dataclass(frozen=True)
class Camera:
    """One camera that is played.

    Attributes:
        publishers: One per topic.
        pictures: Serialised messages of one instant, in the order of the publishers, several times.
    """

    publishers: tuple[Publisher, ...]
    pictures: tuple[tuple[bytearray, ...], ...]

    def show(self, index: int) -> None:
        """Publishes a picture, stamped now."""
        stamp = struct.pack("<iI", *divmod(time.time_ns(), 10**9))
        for publisher, message in zip(
            self.publishers, self.pictures[index % len(self.pictures)], strict=True
        ):
            message[_STAMP] = stamp
            publisher.publish(bytes(message))


def make_cameras(node: Node, seed: int) -> list[Camera]:
    """Makes all pictures and publishers."""
    pictures: dict[str, list[tuple[bytearray, ...]]] = {}
    for frames in frame_sets(camera_poses(), _SETS, seed):
        for seen in frames:
            depth_mm = seen.depth.astype(np.uint16, copy=False)
            frame = RgbdFrame(0, TimeDomain.SYSTEM, seen.rgb, depth_mm, seen.intrinsics)
            messages = picture_messages(frame, seen.camera)
            serialised = tuple(bytearray(serialize_message(message)) for message in messages)
            pictures.setdefault(seen.camera, []).append(serialised)
    return [
        Camera(
            tuple(node.create_publisher(kind, f"{name}/{topic}", _QOS) for topic, kind in _TOPICS),
            tuple(of_camera),
        )
        for name, of_camera in pictures.items()
    ]


def publish_calibration(node: Node) -> Publisher:
    """Publishes where the cameras are; returns who must stay to keep it."""
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = node.create_publisher(TFMessage, "/tf_static", latched)
    share = Path(get_package_share_directory("gensim2"))
    known = CameraCalibrations.load(share / "config" / "cameras.yaml").cameras
    transforms = [t for name, found in known.items() for t in camera_transforms(name, found)]
    publisher.publish(TFMessage(transforms=transforms))
    return publisher


def play(cameras: list[Camera], period: float, apart: float) -> None:
    """Shows pictures until a signal comes; a moment that was missed is left out."""
    due = [time.monotonic() + i * apart * period for i in range(len(cameras))]
    shown = [0] * len(cameras)
    while rclpy.ok():
        i = min(range(len(cameras)), key=due.__getitem__)
        time.sleep(max(0.0, due[i] - time.monotonic()))
        cameras[i].show(shown[i])
        shown[i] += 1
        missed = max(0.0, time.monotonic() - due[i]) // period
        due[i] += (1 + missed) * period


def main(seed: str, fps: str, apart: str) -> None:
    """Makes the pictures and plays them."""
    rclpy.init()
    node = rclpy.create_node("bench_cameras")
    try:
        calibration = publish_calibration(node)
        play(make_cameras(node, int(seed)), 1.0 / float(fps), float(apart))
        node.destroy_publisher(calibration)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    rclpy.try_shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
