"""Messages of a camera, the same for a simulated and a real one."""

from __future__ import annotations

import array
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from gensim2_control.camera_calibration import CameraCalibration, optical_frame
from gensim2_control.ros.conversions import matrix_to_transform

# Axes of the camera's body (x forward, y left, z up) in its optical frame.
_T_OPTICAL_LINK = np.array(
    [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)


def image_message(header: Header, encoding: str, pixels: NDArray[np.generic]) -> Image:
    """A picture (H, W) or (H, W, channels) in an encoding that fits its type."""
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.step = pixels.strides[0]
    # An array is taken over as it is; bytes or numpy would be checked element by element.
    message.data = array.array("B", pixels.tobytes())
    return message


def camera_info(
    header: Header, width: int, height: int, K: NDArray[np.float64], distortion: Sequence[float]
) -> CameraInfo:
    """The intrinsics: K (3, 3) in pixels, and plumb bob coefficients."""
    info = CameraInfo(header=header, height=height, width=width)
    info.distortion_model = "plumb_bob"
    info.d = list(distortion)
    info.k = K.ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([K, np.zeros((3, 1))]).ravel().tolist()
    return info


def camera_transforms(camera: str, calibration: CameraCalibration) -> list[TransformStamped]:
    """Static transforms parent to ``<cam>_link`` to ``<cam>_color_optical_frame``."""
    transforms = []
    for parent, child, T in (
        (calibration.parent, f"{camera}_link", calibration.matrix @ _T_OPTICAL_LINK),
        (f"{camera}_link", optical_frame(camera), _T_OPTICAL_LINK.T),
    ):
        stamped = TransformStamped(child_frame_id=child, transform=matrix_to_transform(T))
        stamped.header.frame_id = parent
        transforms.append(stamped)
    return transforms
