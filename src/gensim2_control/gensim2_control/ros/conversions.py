"""Translates between messages and the types of this package. Quaternions are xyzw on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from control_msgs.msg import JointTolerance
from geometry_msgs.msg import Point, Pose, Quaternion, Transform, Vector3
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from gensim2_control.goals import ArmCode, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, JOINTS, Array
from gensim2_control.trajectory import Trajectory, joint_order

NS = 1_000_000_000


def stamp_from_seconds(t: float) -> Time:
    """Return `t` s as a stamp, rounded to the nearest nanosecond."""
    sec, nanosec = divmod(round(t * NS), NS)
    return Time(sec=sec, nanosec=nanosec)


def duration_from_seconds(t: float) -> Duration:
    """Return `t` s as a duration, rounded to the nearest nanosecond."""
    sec, nanosec = divmod(round(t * NS), NS)
    return Duration(sec=sec, nanosec=nanosec)


def nanoseconds(stamp: Time) -> int:
    """Return a stamp in ns, exactly."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def seconds(stamp: Time | Duration) -> float:
    """Return a stamp or duration in s."""
    return float(stamp.sec) + float(stamp.nanosec) / NS


def joint_state_to_msg(t: float, q: Array, dq: Array, tau: Array) -> JointState:
    """Return a joint state of all joints from arrays (9,) in the order of `JOINTS`."""
    message = JointState(name=list(JOINTS))
    message.header.stamp = stamp_from_seconds(t)
    message.position = q.tolist()
    message.velocity = dq.tolist()
    message.effort = tau.tolist()
    return message


def trajectory_to_msg(trajectory: Trajectory, stamp: float = 0.0) -> JointTrajectory:
    """Return a trajectory as a message; stamp 0 means "start now"."""
    message = JointTrajectory(joint_names=list(ARM_JOINTS))
    message.header.stamp = stamp_from_seconds(stamp)
    for i, t in enumerate(trajectory.t):
        point = JointTrajectoryPoint(time_from_start=duration_from_seconds(float(t)))
        point.positions = trajectory.q[i].tolist()
        if trajectory.dq is not None:
            point.velocities = trajectory.dq[i].tolist()
        if trajectory.ddq is not None:
            point.accelerations = trajectory.ddq[i].tolist()
        message.points.append(point)
    return message


def trajectory_from_msg(message: JointTrajectory) -> Trajectory:
    """Return the trajectory of a message, joints in the order of `ARM_JOINTS`.

    Efforts are ignored.

    Raises:
        TrajectoryRejected: joints, sizes, times or numbers are wrong.
    """
    order = joint_order(message.joint_names)
    points = message.points
    if not points:
        raise TrajectoryRejected(ArmCode.INVALID_GOAL, "the trajectory has no points")

    def pick(field: str, required: bool) -> Array | None:
        rows = [getattr(point, field) for point in points]
        if not required and all(len(row) == 0 for row in rows):
            return None
        for i, row in enumerate(rows):
            if len(row) != ARM_DOF:
                raise TrajectoryRejected(
                    ArmCode.INVALID_GOAL,
                    f"point {i} has {len(row)} {field}, expected one for each of {ARM_DOF} joints",
                )
        return np.array(rows, dtype=np.float64)[:, order]

    q = pick("positions", required=True)
    assert q is not None
    return Trajectory(
        t=np.array([seconds(point.time_from_start) for point in points]),
        q=q,
        dq=pick("velocities", required=False),
        ddq=pick("accelerations", required=False),
    )


def tolerances_from_msg(tolerances: Sequence[JointTolerance]) -> Array:
    """Return position tolerances (7,) in rad: 0 = default, negative = unlimited.

    Raises:
        TrajectoryRejected: a joint is not one of the arm's.
    """
    values = np.zeros(ARM_DOF)
    for tolerance in tolerances:
        if tolerance.name not in ARM_JOINTS:
            raise TrajectoryRejected(
                ArmCode.INVALID_JOINTS,
                f"tolerance for unknown joint {tolerance.name!r}; joints: {', '.join(ARM_JOINTS)}",
            )
        values[ARM_JOINTS.index(tolerance.name)] = tolerance.position
    return values


def point_to_msg(q: Array, dq: Array, ddq: Array | None = None) -> JointTrajectoryPoint:
    """Return positions, velocities and accelerations of any number of joints as a point."""
    point = JointTrajectoryPoint(positions=q.tolist(), velocities=dq.tolist())
    if ddq is not None:
        point.accelerations = ddq.tolist()
    return point


def matrix_to_pose(T_a_b: Array) -> Pose:
    """Return the pose of frame b in frame a from a (4, 4) matrix; w >= 0."""
    x, y, z = (float(v) for v in T_a_b[:3, 3])
    return Pose(position=Point(x=x, y=y, z=z), orientation=_quaternion(T_a_b))


def pose_to_matrix(pose: Pose) -> Array:
    """Return T_a_b (4, 4) from the pose of frame b in frame a.

    Raises:
        ValueError: the quaternion has no length.
    """
    p, o = pose.position, pose.orientation
    return _matrix((p.x, p.y, p.z), (o.x, o.y, o.z, o.w))


def matrix_to_transform(T_a_b: Array) -> Transform:
    """Return a (4, 4) matrix as a transform from frame a to frame b; w >= 0."""
    x, y, z = (float(v) for v in T_a_b[:3, 3])
    return Transform(translation=Vector3(x=x, y=y, z=z), rotation=_quaternion(T_a_b))


def _quaternion(T: Array) -> Quaternion:
    x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat(canonical=True)
    return Quaternion(x=float(x), y=float(y), z=float(z), w=float(w))


def _matrix(position: Sequence[float], quaternion: Sequence[float]) -> Array:
    T = np.eye(4)
    T[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    T[:3, 3] = position
    return T
