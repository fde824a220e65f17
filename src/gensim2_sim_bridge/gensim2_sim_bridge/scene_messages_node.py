"""Messages of the simulation: scene state, pictures, camera frames."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time
from gensim2_control.camera_calibration import CameraCalibrations, optical_frame
from gensim2_control.ros.camera_messages import camera_info, image_message
from gensim2_control.ros.camera_messages import camera_transforms as transforms_of_camera
from gensim2_control.ros.conversions import matrix_to_pose, stamp_from_seconds
from gensim2_tasks.predicates import Evaluation
from geometry_msgs.msg import Point, TransformStamped
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from sensor_msgs_py.point_cloud2 import create_cloud
from std_msgs.msg import Header

from gensim2_msgs.msg import Keypoint, ObjectState, PredicateState, SceneState, SubtaskState

from .cameras import POINT, CameraFrame, CameraRig, point_cloud
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
                pose=matrix_to_pose(world.root_pose(placed.name)),
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
    message.predicates = _predicates(monitor.evaluations)
    message.subtasks = [
        SubtaskState(
            name=s.name, done=s.done, achieved=s.achieved, predicates=_predicates(s.evaluations)
        )
        for s in monitor.subtasks
    ]
    message.success = monitor.holds
    message.success_dwell = monitor.dwell
    message.succeeded = monitor.succeeded
    return message


def _predicates(evaluations: Iterable[Evaluation]) -> list[PredicateState]:
    return [
        PredicateState(name=e.name, satisfied=e.satisfied, value=e.value, threshold=e.threshold)
        for e in evaluations
    ]


def camera_messages(
    stamp: Time, frame: CameraFrame, rig: CameraRig
) -> tuple[Image, Image, CameraInfo]:
    """Colour (rgb8), aligned depth (16UC1, mm) and camera info, all of the same stamp."""
    header = Header(stamp=stamp, frame_id=optical_frame(frame.camera))
    K = rig.intrinsics
    info = camera_info(header, rig.config.width, rig.config.height, K, [0.0] * 5)
    rgb = image_message(header, "rgb8", frame.rgb)
    return rgb, image_message(header, "16UC1", frame.depth_mm), info


def camera_points(stamp: Time, frame: CameraFrame, rig: CameraRig) -> PointCloud2:
    """What a camera has seen, in its colour optical frame; pixels without depth are left out."""
    points = point_cloud(frame, rig.intrinsics)
    header = Header(stamp=stamp, frame_id=optical_frame(frame.camera))
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(POINT.names or ())
    ]
    message: PointCloud2 = create_cloud(header, fields, points)
    message.is_dense = True
    return message


def camera_transforms(calibrations: CameraCalibrations) -> list[TransformStamped]:
    """Static transforms of all cameras; see `camera_messages.camera_transforms`."""
    cameras = calibrations.cameras.items()
    return [stamped for name, one in cameras for stamped in transforms_of_camera(name, one)]
