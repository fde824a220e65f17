"""Geometry messages in another frame, against matrices."""

import math

import numpy as np
from geometry_msgs.msg import (
    Point,
    PointStamped,
    Pose,
    PoseStamped,
    PoseWithCovarianceStamped,
    Quaternion,
    TransformStamped,
    Vector3,
    Vector3Stamped,
    Wrench,
    WrenchStamped,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header
from tf2_geometry_msgs import (
    do_transform_point,
    do_transform_pose,
    do_transform_pose_stamped,
    do_transform_pose_with_covariance_stamped,
    do_transform_vector3,
    do_transform_wrench,
)
from tf2_ros import Buffer

numbers = st.floats(-10, 10)
vectors = st.tuples(numbers, numbers, numbers)
rotations = (
    st.tuples(*[st.floats(-1, 1)] * 4)
    .filter(lambda q: math.hypot(*q) > 0.1)
    .map(Rotation.from_quat)
)


def stamped(translation: tuple, rotation: Rotation) -> TransformStamped:
    message = TransformStamped(header=Header(frame_id="w"), child_frame_id="a")
    t, q = message.transform.translation, message.transform.rotation
    t.x, t.y, t.z = translation
    q.x, q.y, q.z, q.w = rotation.as_quat()
    return message


def numpy_of(value: Point | Vector3) -> np.ndarray:
    return np.array([value.x, value.y, value.z])


def rotation_of(q: Quaternion) -> Rotation:
    return Rotation.from_quat([q.x, q.y, q.z, q.w])


def quaternion(rotation: Rotation) -> Quaternion:
    x, y, z, w = rotation.as_quat()
    return Quaternion(x=x, y=y, z=z, w=w)


@settings(deadline=None)
@given(vectors, rotations, vectors)
def test_points_are_turned_and_moved_vectors_only_turned(
    translation: tuple, rotation: Rotation, value: tuple
) -> None:
    transform = stamped(translation, rotation)
    x, y, z = value
    point = do_transform_point(PointStamped(point=Point(x=x, y=y, z=z)), transform)
    np.testing.assert_allclose(
        numpy_of(point.point), rotation.apply(value) + translation, atol=1e-10
    )
    vector = do_transform_vector3(Vector3Stamped(vector=Vector3(x=x, y=y, z=z)), transform)
    np.testing.assert_allclose(numpy_of(vector.vector), rotation.apply(value), atol=1e-10)
    assert point.header.frame_id == vector.header.frame_id == "w"


@settings(deadline=None)
@given(vectors, rotations, vectors, rotations)
def test_poses_are_composed(
    translation: tuple, rotation: Rotation, position: tuple, orientation: Rotation
) -> None:
    x, y, z = position
    pose = Pose(position=Point(x=x, y=y, z=z), orientation=quaternion(orientation))
    found = do_transform_pose(pose, stamped(translation, rotation))
    np.testing.assert_allclose(
        numpy_of(found.position), rotation.apply(position) + translation, atol=1e-10
    )
    error = rotation_of(found.orientation).inv() * (rotation * orientation)
    assert error.magnitude() < 1e-6


def test_covariance_turns_with_the_axes() -> None:
    pose = PoseWithCovarianceStamped()
    pose.pose.covariance = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).ravel()
    quarter_turn = Rotation.from_euler("z", 90, degrees=True)
    found = do_transform_pose_with_covariance_stamped(pose, stamped((0, 0, 0), quarter_turn))
    np.testing.assert_allclose(
        found.pose.covariance.reshape(6, 6), np.diag([2.0, 1.0, 3.0, 5.0, 4.0, 6.0]), atol=1e-12
    )


def test_wrench_turns() -> None:
    half_turn = Rotation.from_euler("x", 180, degrees=True)
    wrench = Wrench(force=Vector3(x=1.0, y=2.0, z=3.0), torque=Vector3(z=1.0))
    found = do_transform_wrench(wrench, stamped((9, 9, 9), half_turn))
    np.testing.assert_allclose(numpy_of(found.force), [1, -2, -3], atol=1e-12)
    np.testing.assert_allclose(numpy_of(found.torque), [0, 0, -1], atol=1e-12)


def test_the_buffer_transforms_all_stamped_types() -> None:
    buffer = Buffer()
    transform = stamped((1, 2, 3), Rotation.identity())
    buffer.set_transform_static(transform, "me")
    header = Header(frame_id="a", stamp=Time(seconds=7).to_msg())
    point = buffer.transform(PointStamped(header=header), "w")
    assert (point.header.frame_id, point.header.stamp.sec, point.point.z) == ("w", 7, 3.0)
    pose = buffer.transform(PoseStamped(header=header), "w")
    assert pose.pose == do_transform_pose_stamped(PoseStamped(), transform).pose
    for kind in (Vector3Stamped, PoseWithCovarianceStamped, WrenchStamped):
        assert buffer.transform(kind(header=header), "w", new_type=kind).header.frame_id == "w"
