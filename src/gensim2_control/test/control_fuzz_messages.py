"""The inputs of `control_fuzz_inputs` as the messages that a client would send."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from control_fuzz_inputs import Points, draw_number, draw_points, joint_names
from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTolerance
from control_rig import Rig
from gensim2_control.body import Body
from gensim2_control.hardware import ARM_JOINTS, FINGER_MAX
from gensim2_control.ros.arm_server import ArmServer
from gensim2_control.ros.conversions import seconds, trajectory_from_msg
from gensim2_control.ros.gripper_server import GripperServer
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint, MultiDOFJointTrajectory

_INT32, _NS = 2**31 - 1, 10**9


class _Arm(ArmServer):
    """The checks of the server without its node."""

    def __init__(self, body: Body) -> None:
        self._body, self._stamp_tolerance = body, 0.1


class _Gripper(GripperServer):
    def __init__(self, body: Body) -> None:
        self._body = body


def _parts(t: float) -> tuple[int, int]:
    """A time as its two fields; what does not fit is cut to what does."""
    if not np.isfinite(t):
        return (_INT32, _NS - 1) if t > 0 else (-_INT32, 0)
    sec, nanosec = divmod(round(min(max(t, -1e9), 1e9) * _NS), _NS)
    return max(-_INT32, min(_INT32, sec)), nanosec


def message_of(rng: np.random.Generator, points: Points) -> JointTrajectory:
    """A message with these points."""
    names = joint_names(rng) if rng.random() < 0.4 else list(ARM_JOINTS)
    message = JointTrajectory(joint_names=names)
    order = [list(ARM_JOINTS).index(n) for n in names if n in ARM_JOINTS]

    def row(values: Any, i: int) -> list[float]:
        if values is None or i >= len(values):
            return []
        found = np.atleast_1d(values[i])
        if len(found) == 7 and sorted(order) == list(range(7)):
            found = found[order]
        return [float(x) for x in found]

    for i, t in enumerate(np.atleast_1d(points.t) if points.t is not None else ()):
        sec, nanosec = _parts(float(t))
        message.points.append(
            JointTrajectoryPoint(
                time_from_start=Duration(sec=sec, nanosec=nanosec),
                positions=row(points.q, i),
                velocities=row(points.dq, i),
                accelerations=row(points.ddq, i),
            )
        )
    return message


def _stamp(rng: np.random.Generator, now: float) -> Time:
    if rng.random() < 0.6:
        return Time()
    sec, nanosec = _parts(now - draw_number(rng, 0.2))
    return Time(sec=sec, nanosec=nanosec)


def _tolerances(rng: np.random.Generator) -> list[JointTolerance]:
    if rng.random() < 0.7:
        return []
    names = joint_names(rng)[:3]
    return [JointTolerance(name=n, position=draw_number(rng, 0.2)) for n in names]


def send_goal(rng: np.random.Generator, rig: Rig) -> None:
    """Goals of either action, checked and started as the servers do."""
    if rng.random() < 0.2:
        grip = GripperCommand.Goal()
        grip.command.position = draw_number(rng, FINGER_MAX)
        grip.command.max_effort = draw_number(rng, 70.0)
        gripper = _Gripper(rig.body)
        rig.body.check_ready()
        gripper.check(grip)
        gripper.start(grip)
        return
    goal = FollowJointTrajectory.Goal(
        trajectory=message_of(rng, draw_points(rng, rig.state.q_ref)),
        path_tolerance=_tolerances(rng),
        goal_tolerance=_tolerances(rng),
    )
    goal.trajectory.header.stamp = _stamp(rng, rig.state.t)
    if rng.random() < 0.1:
        sec, nanosec = _parts(draw_number(rng, 2.0))
        goal.goal_time_tolerance = Duration(sec=sec, nanosec=nanosec)
    if rng.random() < 0.05:
        goal.multi_dof_trajectory = MultiDOFJointTrajectory(joint_names=["base"])
    arm = _Arm(rig.body)
    rig.body.check_ready()
    arm.check(goal)
    arm.start(goal)


def send_message(rng: np.random.Generator, rig: Rig) -> None:
    """A streamed message."""
    message = message_of(rng, draw_points(rng, rig.state.q_ref))
    message.header.stamp = _stamp(rng, rig.state.t)
    rig.body.stream(trajectory_from_msg(message), seconds(message.header.stamp))
