"""Functions that put geometry messages into another frame.

Each takes the object and the TransformStamped whose child frame the object is in, and returns a
new object in the parent frame; stamped results carry the header of the transform.
"""

from typing import Any

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
from tf2_ros import ConvertRegistration, TransformRegistration
from tf2_ros.geometry import Quaternion as Rotation
from tf2_ros.geometry import Rigid, Vector, compose, rotate


def _rigid(transform: TransformStamped) -> Rigid:
    t, q = transform.transform.translation, transform.transform.rotation
    return (t.x, t.y, t.z), (q.x, q.y, q.z, q.w)


def _vector(value: Any) -> Vector:
    return value.x, value.y, value.z


def _rotated(vector: Vector3, rotation: Rotation) -> Vector3:
    x, y, z = rotate(rotation, _vector(vector))
    return Vector3(x=x, y=y, z=z)


def do_transform_point(point: PointStamped, transform: TransformStamped) -> PointStamped:
    """A point: turned and moved."""
    (x, y, z), _ = compose(_rigid(transform), (_vector(point.point), (0.0, 0.0, 0.0, 1.0)))
    return PointStamped(header=transform.header, point=Point(x=x, y=y, z=z))


def do_transform_vector3(vector3: Vector3Stamped, transform: TransformStamped) -> Vector3Stamped:
    """A direction: turned, not moved."""
    rotation = _rigid(transform)[1]
    return Vector3Stamped(header=transform.header, vector=_rotated(vector3.vector, rotation))


def do_transform_pose(pose: Pose, transform: TransformStamped) -> Pose:
    """A pose: turned and moved."""
    q = pose.orientation
    (x, y, z), (qx, qy, qz, qw) = compose(
        _rigid(transform), (_vector(pose.position), (q.x, q.y, q.z, q.w))
    )
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def do_transform_pose_stamped(pose: PoseStamped, transform: TransformStamped) -> PoseStamped:
    """A stamped pose: turned and moved."""
    return PoseStamped(header=transform.header, pose=do_transform_pose(pose.pose, transform))


def do_transform_pose_with_covariance_stamped(
    pose: PoseWithCovarianceStamped, transform: TransformStamped
) -> PoseWithCovarianceStamped:
    """A pose with its covariance (6x6: x, y, z, rotations about them), all turned."""
    result = PoseWithCovarianceStamped(header=transform.header)
    result.pose.pose = do_transform_pose(pose.pose.pose, transform)
    rotation = _rigid(transform)[1]
    unit: tuple[Vector, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    R = np.column_stack([rotate(rotation, axis) for axis in unit])
    R6 = np.kron(np.eye(2), R)
    covariance = R6 @ np.asarray(pose.pose.covariance).reshape(6, 6) @ R6.T
    result.pose.covariance = covariance.ravel()
    return result


def do_transform_wrench(wrench: Wrench, transform: TransformStamped) -> Wrench:
    """Force and torque as seen along other axes: turned, the point of reference is kept."""
    rotation = _rigid(transform)[1]
    return Wrench(force=_rotated(wrench.force, rotation), torque=_rotated(wrench.torque, rotation))


def _transform_wrench_stamped(wrench: WrenchStamped, transform: TransformStamped) -> WrenchStamped:
    return WrenchStamped(
        header=transform.header, wrench=do_transform_wrench(wrench.wrench, transform)
    )


def _identity(message: Any) -> Any:
    return message


for _type, _function in (
    (PointStamped, do_transform_point),
    (Vector3Stamped, do_transform_vector3),
    (PoseStamped, do_transform_pose_stamped),
    (PoseWithCovarianceStamped, do_transform_pose_with_covariance_stamped),
    (WrenchStamped, _transform_wrench_stamped),
):
    TransformRegistration().add(_type, _function)
    ConvertRegistration().add_to_msg(_type, _identity)
    ConvertRegistration().add_from_msg(_type, _identity)
