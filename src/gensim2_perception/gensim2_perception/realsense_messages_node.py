"""Messages of the node `realsense_camera` from the types of this package."""

from __future__ import annotations

from array import array

import numpy as np
from gensim2_control.camera_calibration import CameraCalibration, optical_frame
from gensim2_control.ros.conversions import matrix_to_transform
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from .clouds import deproject
from .fusion_messages_node import to_time, xyzrgb_cloud
from .rgbd_frame import RgbdFrame

# Axes of the camera's body (x forward, y left, z up) in its optical frame.
_T_OPTICAL_LINK = np.array(
    [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)


def picture_messages(frame: RgbdFrame, camera: str) -> tuple[Image, Image, CameraInfo]:
    """Colour (rgb8), aligned depth (16UC1, mm) and camera info, all of one stamp and frame."""
    header = Header(stamp=to_time(frame.stamp_ns), frame_id=optical_frame(camera))
    K = frame.intrinsics
    info = CameraInfo(header=header, height=K.height, width=K.width)
    info.distortion_model = "plumb_bob"
    info.d = list(frame.distortion)
    info.k = [K.fx, 0.0, K.cx, 0.0, K.fy, K.cy, 0.0, 0.0, 1.0]
    info.r = np.eye(3).ravel().tolist()
    info.p = [K.fx, 0.0, K.cx, 0.0, 0.0, K.fy, K.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return _image(header, "rgb8", frame.rgb), _image(header, "16UC1", frame.depth_mm), info


def points_message(frame: RgbdFrame, camera: str) -> PointCloud2:
    """The points in the colour camera's optical frame; pixels without depth are left out."""
    xyz, pixels = deproject(frame.depth_mm, frame.intrinsics)
    colours = frame.rgb.reshape(-1, 3)[pixels]
    return xyzrgb_cloud(frame.stamp_ns, optical_frame(camera), xyz, colours)


def camera_transforms(camera: str, calibration: CameraCalibration) -> list[TransformStamped]:
    """Static transforms parent to ``<cam>_link`` to ``<cam>_color_optical_frame``."""
    transforms = []
    for parent, child, T in (
        (calibration.parent, f"{camera}_link", calibration.matrix @ _T_OPTICAL_LINK),
        (f"{camera}_link", optical_frame(camera), np.linalg.inv(_T_OPTICAL_LINK)),
    ):
        stamped = TransformStamped(child_frame_id=child, transform=matrix_to_transform(T))
        stamped.header.frame_id = parent
        transforms.append(stamped)
    return transforms


def _image(header: Header, encoding: str, pixels: NDArray[np.generic]) -> Image:
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.step = pixels.strides[0]
    message.data = array("B", pixels.tobytes())
    return message
