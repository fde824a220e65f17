"""Messages of the simulation: scene state, pictures, camera frames."""

from __future__ import annotations

import array

import numpy as np
from gensim2_control.camera_calibration import CameraCalibrations, optical_frame
from gensim2_control.ros.conversions import (
    matrix_to_pose,
    matrix_to_transform,
    stamp_from_seconds,
)
from geometry_msgs.msg import Point, TransformStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from sensor_msgs_py.point_cloud2 import create_cloud
from std_msgs.msg import Header

from gensim2_msgs.msg import Keypoint, ObjectState, PredicateState, SceneState
from gensim2_tasks import se3

from .cameras import POINT, R_OPTICAL_SAPIEN, CameraFrame, CameraRig, point_cloud
from .simulation import Simulation

BASE = "base"


def scene_state(simulation: Simulation) -> SceneState:
    """The truth of the present scene."""
    world = simulation.world
    message = SceneState(header=Header(stamp=stamp_from_seconds(world.t), frame_id=BASE))
    message.reset_count = simulation.reset_count
    if simulation.drawn is None or simulation.monitor is None:
        return message
    message.task = simulation.drawn.task.name
    message.seed = simulation.drawn.seed
    for placed in world.objects:
        q, dq = world.joint_state(placed.name)
        message.objects.append(
            ObjectState(
                name=placed.name,
                category=placed.asset.ref.category,
                asset=str(placed.asset.ref),
                pose=matrix_to_pose(placed.T_base_root),
                part_pose=matrix_to_pose(world.part_pose(placed.name)),
                joint_name=placed.asset.tree.moving.name,
                joint_position=q,
                joint_velocity=dq,
                openness=placed.asset.openness(q),
                keypoints=[
                    Keypoint(name=name, position=Point(x=p[0], y=p[1], z=p[2]))
                    for name, p in world.keypoints(placed.name).items()
                ],
            )
        )
    monitor = simulation.monitor
    message.predicates = [
        PredicateState(name=e.name, satisfied=e.satisfied, value=e.value, threshold=e.threshold)
        for e in monitor.evaluations
    ]
    message.success = monitor.holds
    message.success_dwell = monitor.dwell
    message.succeeded = monitor.succeeded
    return message


def _image(header: Header, encoding: str, pixels: NDArray[np.generic]) -> Image:
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.step = pixels.strides[0]
    # An array is taken over as it is; bytes or numpy would be checked element by element.
    message.data = array.array("B", pixels.tobytes())
    return message


def camera_messages(
    t: float, frame: CameraFrame, rig: CameraRig
) -> tuple[Image, Image, CameraInfo]:
    """Colour (rgb8), aligned depth (16UC1, mm) and camera info, all of the same stamp."""
    header = Header(stamp=stamp_from_seconds(t), frame_id=optical_frame(frame.camera))
    K = rig.intrinsics
    info = CameraInfo(header=header, height=rig.config.height, width=rig.config.width)
    info.distortion_model = "plumb_bob"
    info.d = [0.0] * 5
    info.k = K.ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([K, np.zeros((3, 1))]).ravel().tolist()
    return _image(header, "rgb8", frame.rgb), _image(header, "16UC1", frame.depth_mm), info


def camera_points(t: float, frame: CameraFrame, rig: CameraRig) -> PointCloud2:
    """What a camera has seen, in its colour optical frame; pixels without depth are left out."""
    points = point_cloud(frame, rig.intrinsics)
    header = Header(stamp=stamp_from_seconds(t), frame_id=optical_frame(frame.camera))
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(POINT.names or ())
    ]
    message: PointCloud2 = create_cloud(header, fields, points)
    message.is_dense = True
    return message


def camera_transforms(calibrations: CameraCalibrations) -> list[TransformStamped]:
    """Static transforms parent to ``<cam>_link`` to ``<cam>_color_optical_frame``."""
    T_optical_link = se3.transform(rotation=R_OPTICAL_SAPIEN)
    transforms = []
    for name, calibration in calibrations.cameras.items():
        pairs = (
            (calibration.parent, f"{name}_link", calibration.matrix @ T_optical_link),
            (f"{name}_link", optical_frame(name), se3.inverse(T_optical_link)),
        )
        for parent, child, T in pairs:
            stamped = TransformStamped(child_frame_id=child, transform=matrix_to_transform(T))
            stamped.header.frame_id = parent
            transforms.append(stamped)
    return transforms
