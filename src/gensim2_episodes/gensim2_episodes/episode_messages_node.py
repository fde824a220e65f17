"""Messages to and from the types of this package."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.ros.conversions import nanoseconds
from gensim2_tasks.failure import FailureKind
from geometry_msgs.msg import Pose
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2
from sensor_msgs_py.point_cloud2 import read_points

from gensim2_episodes.attempts import Attempt
from gensim2_episodes.frame import Bytes, Depths, Points
from gensim2_episodes.frame_builder import JointReading
from gensim2_episodes.manifest import CameraRecord, JsonObject, Outcome
from gensim2_episodes.scene import Scene, SceneObject, predicate_record
from gensim2_msgs.msg import EpisodeSummary, ObjectState, PredicateState, SceneState

_NS = 1_000_000_000


def stamp_of(ns: int) -> Time:
    """A number of nanoseconds as a stamp."""
    return Time(sec=ns // _NS, nanosec=ns % _NS)


def scene_from_msg(message: SceneState) -> Scene:
    """The state of the scene."""
    return Scene(
        stamp_ns=nanoseconds(message.header.stamp),
        reset_count=message.reset_count,
        objects=tuple(_object(state) for state in message.objects),
        predicates=tuple(_predicate(state) for state in message.predicates),
        succeeded=message.succeeded,
    )


def _object(state: ObjectState) -> SceneObject:
    return SceneObject(
        name=state.name,
        category=state.category,
        asset=state.asset,
        pose=_pose(state.pose),
        joint_name=state.joint_name,
        joint_position=state.joint_position,
        openness=state.openness,
        keypoints=tuple(
            (point.name, (point.position.x, point.position.y, point.position.z))
            for point in state.keypoints
        ),
    )


def _pose(pose: Pose) -> tuple[float, ...]:
    p, q = pose.position, pose.orientation
    return (p.x, p.y, p.z, q.x, q.y, q.z, q.w)


def _predicate(state: PredicateState) -> JsonObject:
    return predicate_record(state.name, state.satisfied, state.value, state.threshold)


def camera_from_msg(message: CameraInfo) -> CameraRecord:
    """Intrinsics of a camera; where it is mounted is not known yet."""
    return CameraRecord(
        width=message.width,
        height=message.height,
        intrinsics=tuple(message.k),
        distortion_model=message.distortion_model,
        distortion=tuple(message.d),
        frame=message.header.frame_id,
    )


def joints_from_msg(message: JointState) -> JointReading:
    """Measured joints."""
    return JointReading(list(message.name), message.position, message.velocity)


def reference_from_msg(message: JointTrajectoryControllerState) -> JointReading:
    """Commanded joints of a controller."""
    reference = message.reference
    return JointReading(list(message.joint_names), reference.positions, reference.velocities)


def cloud_from_msg(message: PointCloud2) -> tuple[Points, Bytes]:
    """Points (N, 3) [m] and colours (N, 3).

    Raises:
        ValueError: A field is missing, or bytes are.
    """
    points = read_points(message, field_names=("x", "y", "z", "rgb"))
    xyz = np.stack([points[axis] for axis in "xyz"], axis=-1).astype(np.float32)
    # 0x00RRGGBB in four bytes, whatever type the field claims.
    packed = np.ascontiguousarray(points["rgb"]).view(np.uint32)
    rgb = np.stack([packed >> 16, packed >> 8, packed], axis=-1) & 0xFF
    return xyz, rgb.astype(np.uint8)


def image_from_msg(message: Image) -> Bytes:
    """An image (H, W, 3) as RGB.

    Raises:
        ValueError: It is neither rgb8 nor bgr8, or bytes are missing.
    """
    if message.encoding not in ("rgb8", "bgr8"):
        raise ValueError(f"image encoding {message.encoding!r}; need rgb8 or bgr8")
    pixels = _rows(message, 3).reshape(message.height, -1, 3)
    return pixels if message.encoding == "rgb8" else pixels[..., ::-1]


def depth_from_msg(message: Image) -> Depths:
    """A depth image (H, W) in mm, 0 = not measured.

    Raises:
        ValueError: It is not 16UC1, or bytes are missing.
    """
    if message.encoding not in ("16UC1", "mono16"):
        raise ValueError(f"depth encoding {message.encoding!r}; need 16UC1")
    kind = np.dtype(">u2" if message.is_bigendian else "<u2")
    rows = np.ascontiguousarray(_rows(message, kind.itemsize))
    return rows.view(kind).astype(np.uint16, copy=False)


def _rows(message: Image, size: int) -> Bytes:
    """The rows (H, W * size) of an image whose pixels have so many bytes, without their padding."""
    rows = np.frombuffer(message.data, np.uint8, count=message.height * message.step)
    return rows.reshape(message.height, message.step)[:, : size * message.width]


def summary_to_msg(attempt: Attempt) -> EpisodeSummary:
    """What became of an attempt."""
    return EpisodeSummary(
        task=attempt.task,
        index=attempt.index,
        requested=attempt.requested,
        attempt=attempt.attempt,
        seed=attempt.seed,
        asset=attempt.asset,
        success=attempt.success,
        outcome=str(attempt.outcome),
        reason=attempt.reason,
        failure=str(attempt.failure or ""),
        retries=attempt.retries,
        episode_id=attempt.episode_id,
        wall_time=attempt.wall_time,
        sim_time=attempt.sim_time,
        plan_time=attempt.plan_time,
        approach_disturbance=attempt.approach_disturbance,
        frames=attempt.frames,
    )


def attempt_from_msg(message: EpisodeSummary) -> Attempt:
    """What became of an attempt."""
    return Attempt(
        task=message.task,
        index=message.index,
        requested=message.requested,
        attempt=message.attempt,
        seed=message.seed,
        asset=message.asset,
        outcome=Outcome(message.outcome),
        reason=message.reason,
        failure=FailureKind(message.failure) if message.failure else None,
        retries=message.retries,
        episode_id=message.episode_id,
        wall_time=message.wall_time,
        sim_time=message.sim_time,
        plan_time=message.plan_time,
        approach_disturbance=message.approach_disturbance,
        frames=message.frames,
    )
