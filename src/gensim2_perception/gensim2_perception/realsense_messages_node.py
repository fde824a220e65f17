"""Messages of the node `realsense_camera` from the types of this package."""

from __future__ import annotations

import numpy as np
from gensim2_control.camera_calibration import optical_frame
from gensim2_control.ros.camera_messages import camera_info, image_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from .clouds import deproject
from .fusion_messages_node import to_time, xyzrgb_cloud
from .rgbd_frame import RgbdFrame


def picture_messages(frame: RgbdFrame, camera: str) -> tuple[Image, Image, CameraInfo]:
    """Colour (rgb8), aligned depth (16UC1, mm) and camera info, all of one stamp and frame."""
    header = Header(stamp=to_time(frame.stamp_ns), frame_id=optical_frame(camera))
    K = frame.intrinsics
    matrix = np.array([[K.fx, 0.0, K.cx], [0.0, K.fy, K.cy], [0.0, 0.0, 1.0]])
    info = camera_info(header, K.width, K.height, matrix, frame.distortion)
    rgb = image_message(header, "rgb8", frame.rgb)
    return rgb, image_message(header, "16UC1", frame.depth_mm), info


def points_message(frame: RgbdFrame, camera: str) -> PointCloud2:
    """The points in the colour camera's optical frame; pixels without depth are left out."""
    xyz, pixels = deproject(frame.depth_mm, frame.intrinsics)
    colours = frame.rgb.reshape(-1, 3)[pixels]
    return xyzrgb_cloud(frame.stamp_ns, optical_frame(camera), xyz, colours)
