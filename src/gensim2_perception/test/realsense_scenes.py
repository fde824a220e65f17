"""What a camera without hardware shows, the truth about it, and a recording of it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyrealsense2 as rs
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_perception.clouds import deproject, transform
from gensim2_perception.rgbd_frame import RgbdFrame
from gensim2_perception.software_camera import SoftwareCamera
from gensim2_perception.software_views import SoftwareView, home_pose, rendered_view
from gensim2_perception.table_scene import TABLE_WITH_BOXES
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[3]
CALIBRATION = REPOSITORY / "launch" / "config" / "cameras.yaml"
KINEMATICS = Fr3Kinematics.from_urdf((REPOSITORY / "launch" / "urdf" / "fr3.urdf").read_text())
CALIBRATIONS = CameraCalibrations.load(CALIBRATION)
POSES = {name: home_pose(CALIBRATIONS, name, KINEMATICS) for name in CALIBRATIONS.cameras}
WIDTH, HEIGHT, FPS = 320, 240, 30


def view_of(camera: str) -> SoftwareView:
    return rendered_view(TABLE_WITH_BOXES, POSES[camera], WIDTH, HEIGHT)


def distance_to_scene(p_base: NDArray) -> NDArray[np.float64]:
    """Distance of points to the table or the nearest box [m], from their dimensions alone."""
    distance = np.abs(p_base[:, 2])
    for box in TABLE_WITH_BOXES.boxes:
        lower, upper = np.array(box.lower), np.array(box.upper)
        outside = np.linalg.norm(np.maximum(np.maximum(lower - p_base, p_base - upper), 0), axis=1)
        inside = np.minimum(p_base - lower, upper - p_base).min(axis=1)
        distance = np.minimum(distance, np.maximum(outside, np.maximum(inside, 0.0)))
    return distance


def points_in_base(frame: RgbdFrame, camera: str) -> NDArray[np.float32]:
    p_optical, _ = deproject(frame.depth_mm, frame.intrinsics)
    return transform(POSES[camera], p_optical)


def rms(values: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def record(path: Path, camera: str, frames: int) -> None:
    """Lets librealsense record a software camera, as it does a real one."""
    software = SoftwareCamera(camera, view_of(camera), FPS, time.time_ns)
    recorder = rs.recorder(str(path), software.device)
    sensors = recorder.query_sensors()
    # Somebody has to take what comes.
    queue = rs.frame_queue(2 * frames)
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles()[0])
        sensor.start(queue)
    for _ in range(frames):
        software.feed()
        time.sleep(1.0 / FPS)  # the recorder notes when frames come
    for sensor in sensors:
        sensor.stop()
        sensor.close()
