"""Frames to the messages of the graph and back, serialised."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from geometry_msgs.msg import PoseStamped, TransformStamped
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message, serialize_message
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2, PointField
from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension, String
from tf2_msgs.msg import TFMessage

from gensim2_episodes.episode_messages_node import cloud_from_msg, image_from_msg, stamp_of
from gensim2_episodes.frame import DEPTH_GROUP, GRIPPER_EFFORT, IMAGE_GROUP, Frame, frame_arrays
from gensim2_episodes.manifest import CameraRecord
from gensim2_episodes.mcap_file import Sample, Topic

Values = dict[str, NDArray[Any]]

JOINT_STATES = Topic("/joint_states", "sensor_msgs/msg/JointState")
ARM = Topic(
    "/fr3_arm_controller/controller_state", "control_msgs/msg/JointTrajectoryControllerState"
)
GRIPPER = Topic("/fr3_gripper/controller_state", "control_msgs/msg/JointTrajectoryControllerState")
POINTS = Topic("/points", "sensor_msgs/msg/PointCloud2")
TF = Topic("/tf", "tf2_msgs/msg/TFMessage")
TF_STATIC = Topic("/tf_static", "tf2_msgs/msg/TFMessage", latched=True)
DESCRIPTION = Topic("/robot_description", "std_msgs/msg/String", latched=True)
POSES = {
    "observation/tcp_pose": Topic("/episode/tcp_pose", "geometry_msgs/msg/PoseStamped"),
    "action/tcp_pose": Topic("/episode/commanded_tcp_pose", "geometry_msgs/msg/PoseStamped"),
}
_OTHERS = "/episode/"
_OTHER_KIND = "std_msgs/msg/Float64MultiArray"
_COLOUR, _DEPTH, _INFO = (
    "/color/image_raw",
    "/aligned_depth_to_color/image_raw",
    "/color/camera_info",
)
_IN_GRAPH = {
    "observation/joint_position",
    "observation/joint_velocity",
    "action/joint_position",
    "action/joint_velocity",
    "action/gripper",
    GRIPPER_EFFORT,
    "cloud/xyz",
    "cloud/rgb",
    *POSES,
}
"""What the messages of the graph carry exactly; the rest is below `/episode/`."""

BASE = "base"
_OPTICAL = "_color_optical_frame"
_FIELDS = ("x", "y", "z", "rgb")
_POINT_STEP = 16
_CHAIN = (BASE, *(f"fr3_link{i}" for i in range(9)), "fr3_hand", "fr3_hand_tcp")
_MOVING = {f"fr3_link{i}" for i in range(1, 8)}


def _sample(topic: Topic, stamp_ns: int, message: Any) -> Sample:
    return Sample(topic, stamp_ns, serialize_message(message))


def static_samples(
    stamp_ns: int,
    kinematics: Fr3Kinematics,
    description: str,
    cameras: dict[str, CameraRecord],
) -> Iterator[Sample]:
    """What does not change in an episode: description, fixed transforms, cameras."""
    yield _sample(DESCRIPTION, stamp_ns, String(data=description))
    rest = _transforms(kinematics, np.zeros((1, 7)), moving=False)
    transforms = [_transform(stamp_ns, p, c, T[0]) for p, c, T in rest]
    for name, camera in cameras.items():
        if camera.T_parent_cam is not None:
            T = np.reshape(camera.T_parent_cam, (4, 4))
            frame = camera.frame or name + _OPTICAL
            transforms.append(_transform(stamp_ns, camera.parent, frame, T))
    yield _sample(TF_STATIC, stamp_ns, TFMessage(transforms=transforms))


def moving_transforms(
    kinematics: Fr3Kinematics, q: NDArray[np.float64], stamps: NDArray[np.int64]
) -> list[Sample]:
    """The transforms of the links for joint positions (T, 7), one message per frame."""
    parts = list(_transforms(kinematics, q, moving=True))
    return [
        _sample(
            TF,
            int(stamp_ns),
            TFMessage(transforms=[_transform(int(stamp_ns), p, c, T[i]) for p, c, T in parts]),
        )
        for i, stamp_ns in enumerate(stamps)
    ]


def _transforms(
    kinematics: Fr3Kinematics, q: NDArray[np.float64], moving: bool
) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    for parent, child in pairwise(_CHAIN):
        if (child in _MOVING) == moving:
            yield parent, child, np.linalg.inv(kinematics.fk(q, parent)) @ kinematics.fk(q, child)


def _transform(stamp_ns: int, parent: str, child: str, T: NDArray[np.float64]) -> TransformStamped:
    message = TransformStamped(header=_header(stamp_ns, parent), child_frame_id=child)
    x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat(canonical=True).tolist()
    place, turn = message.transform.translation, message.transform.rotation
    place.x, place.y, place.z = T[:3, 3].tolist()
    turn.x, turn.y, turn.z, turn.w = x, y, z, w
    return message


def _header(stamp_ns: int, frame: str = "") -> Header:
    return Header(stamp=stamp_of(stamp_ns), frame_id=frame)


def frame_samples(frame: Frame, cameras: dict[str, CameraRecord]) -> Iterator[Sample]:
    """The messages of one frame."""
    t = frame.stamp_ns
    joints = JointState(header=_header(t), name=list(JOINTS))
    joints.position, joints.velocity = frame.q.tolist(), frame.dq.tolist()
    yield _sample(JOINT_STATES, t, joints)
    arm = JointTrajectoryControllerState(header=_header(t), joint_names=list(ARM_JOINTS))
    arm.reference.positions, arm.reference.velocities = frame.q_ref.tolist(), frame.dq_ref.tolist()
    arm.feedback.positions, arm.feedback.velocities = frame.q[:7].tolist(), frame.dq[:7].tolist()
    arm.speed_scaling_factor = 1.0
    yield _sample(ARM, t, arm)
    gripper = JointTrajectoryControllerState(header=_header(t), joint_names=[JOINTS[7]])
    gripper.reference.positions = [frame.gripper_ref]
    gripper.feedback.positions = [frame.gripper]
    if frame.gripper_effort is not None:
        gripper.reference.effort = [frame.gripper_effort]
    yield _sample(GRIPPER, t, gripper)
    if frame.cloud_xyz is not None and frame.cloud_rgb is not None:
        yield _sample(POINTS, t, _cloud(t, frame.cloud_xyz, frame.cloud_rgb))
    for name in sorted({*frame.images, *frame.depths}):
        yield from _camera_samples(t, name, frame, cameras.get(name))
    for path, (_, value) in frame_arrays(frame).items():
        if path in POSES:
            yield _sample(POSES[path], t, _pose(t, value.tolist()))
        elif path not in _IN_GRAPH and not path.startswith((IMAGE_GROUP, DEPTH_GROUP)):
            yield _sample(Topic(_OTHERS + path, _OTHER_KIND), t, _numbers(value))


def _camera_samples(
    stamp_ns: int, name: str, frame: Frame, camera: CameraRecord | None
) -> Iterator[Sample]:
    header = _header(stamp_ns, (camera.frame if camera else "") or name + _OPTICAL)
    if camera is not None:
        info = CameraInfo(header=header, width=camera.width, height=camera.height)
        info.distortion_model = camera.distortion_model
        info.d, info.k = list(camera.distortion), list(camera.intrinsics)
        info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        fx, _, cx, _, fy, cy, *_ = camera.intrinsics
        info.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
        yield _sample(Topic(f"/{name}{_INFO}", "sensor_msgs/msg/CameraInfo"), stamp_ns, info)
    pictures: tuple[tuple[str, str, NDArray[Any] | None], ...] = (
        (_COLOUR, "rgb8", frame.images.get(name)),
        (_DEPTH, "16UC1", frame.depths.get(name)),
    )
    for topic, encoding, pixels in pictures:
        if pixels is not None:
            image = Image(header=header, encoding=encoding, is_bigendian=0)
            image.height, image.width = pixels.shape[:2]
            image.step = pixels.nbytes // len(pixels)
            image.data = array("B", pixels.tobytes())
            yield _sample(Topic(f"/{name}{topic}", "sensor_msgs/msg/Image"), stamp_ns, image)


def _cloud(stamp_ns: int, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> PointCloud2:
    points = np.zeros((len(xyz), 4), dtype="<u4")
    points[:, :3] = np.ascontiguousarray(xyz, dtype="<f4").view("<u4")
    points[:, 3] = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    message = PointCloud2(header=_header(stamp_ns, BASE), height=1, width=len(xyz), is_dense=True)
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(_FIELDS)
    ]
    message.point_step, message.row_step = _POINT_STEP, _POINT_STEP * len(xyz)
    message.data = array("B", points.tobytes())
    return message


def _pose(stamp_ns: int, value: Sequence[float]) -> PoseStamped:
    message = PoseStamped(header=_header(stamp_ns, BASE))
    p, q = message.pose.position, message.pose.orientation
    p.x, p.y, p.z, q.x, q.y, q.z, q.w = value
    return message


def _numbers(value: NDArray[Any]) -> Float64MultiArray:
    message = Float64MultiArray(data=value.astype(np.float64).reshape(-1).tolist())
    message.layout.dim = [
        MultiArrayDimension(size=size, stride=int(np.prod(value.shape[axis:])))
        for axis, size in enumerate(value.shape)
    ]
    return message


def arrays_of(samples: Sequence[Sample]) -> Values:
    """The arrays of one frame, by path, from its messages; what else there is, is ignored.

    Raises:
        ValueError: A message has not the form it is written with.
    """
    found: Values = {}
    for sample in samples:
        found |= _arrays(sample.topic, sample.data)
    return found


def _arrays(topic: Topic, data: bytes) -> Values:
    name = topic.name
    if name == JOINT_STATES.name:
        joints = deserialize_message(data, JointState)
        _require(list(joints.name) == list(JOINTS), topic, "other joints")
        return {
            "observation/joint_position": np.array(joints.position),
            "observation/joint_velocity": np.array(joints.velocity),
        }
    if name == ARM.name:
        arm = deserialize_message(data, JointTrajectoryControllerState).reference
        return {
            "action/joint_position": np.array(arm.positions),
            "action/joint_velocity": np.array(arm.velocities),
        }
    if name == GRIPPER.name:
        gripper = deserialize_message(data, JointTrajectoryControllerState).reference
        _require(len(gripper.positions) == 1, topic, "no position")
        effort = {GRIPPER_EFFORT: np.array(gripper.effort[0])} if gripper.effort else {}
        return {"action/gripper": np.array(gripper.positions[0]), **effort}
    if name == POINTS.name:
        xyz, rgb = cloud_from_msg(deserialize_message(data, PointCloud2))
        return {"cloud/xyz": xyz, "cloud/rgb": rgb}
    if name.endswith(_COLOUR):
        image = image_from_msg(deserialize_message(data, Image))
        return {f"{IMAGE_GROUP}/{name.removesuffix(_COLOUR).strip('/')}": image}
    if name.endswith(_DEPTH):
        image = deserialize_message(data, Image)
        _require(image.encoding == "16UC1", topic, f"encoding {image.encoding}")
        depth = np.frombuffer(image.data, "<u2").reshape(image.height, image.width)
        return {f"{DEPTH_GROUP}/{name.removesuffix(_DEPTH).strip('/')}": depth}
    for path, pose in POSES.items():
        if name == pose.name:
            of = deserialize_message(data, PoseStamped).pose
            p, q = of.position, of.orientation
            return {path: np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])}
    if name.startswith(_OTHERS) and topic.kind == _OTHER_KIND:
        numbers = deserialize_message(data, Float64MultiArray)
        shape = [dimension.size for dimension in numbers.layout.dim]
        return {name.removeprefix(_OTHERS): np.array(numbers.data).reshape(shape)}
    return {}


def _require(good: bool, topic: Topic, what: str) -> None:
    if not good:
        raise ValueError(f"{topic.name} has {what}")
