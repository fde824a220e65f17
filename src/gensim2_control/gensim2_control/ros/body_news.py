"""What clients read out of the body's messages."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState

from gensim2_control.hardware import ARM_JOINTS, Array
from gensim2_control.ros.conversions import seconds
from gensim2_msgs.msg import RobotStatus


class ArmReference(NamedTuple):
    """Where the arm is told to be (7,), rad, how fast (7,), rad/s, and when that was, s."""

    q: Array
    dq: Array
    t: float


def arm_reference(message: JointTrajectoryControllerState) -> ArmReference | None:
    """Return the reference of the arm, joints by name; None where one is missing."""
    index = {name: i for i, name in enumerate(message.joint_names)}
    reference = message.reference
    if not set(ARM_JOINTS) <= set(index) or len(reference.positions) != len(index):
        return None
    chosen = [index[name] for name in ARM_JOINTS]
    q = np.asarray(reference.positions, float)[chosen]
    dq = np.asarray(reference.velocities or np.zeros(len(index)), float)[chosen]
    return ArmReference(q, dq, seconds(message.header.stamp))


def why_no_motion(status: RobotStatus) -> str:
    """Return why no motion is possible; empty = it is."""
    return "" if status.motion_possible else ", ".join(status.errors) or "no motion possible"
