"""A plan as one motion of all joints, for whoever wants to show it before it happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.hardware import ARM_DOF, FINGER_JOINTS
from numpy.typing import NDArray

from .plan import Plan

Array = NDArray[np.float64]
STEP = 0.05  # s between two moments of a trajectory
# How long fingers take is up to the hand; a picture needs a number.
GRIP_TIME = 0.5  # s


@dataclass(frozen=True)
class JointMotion:
    """Positions q (N, 9) of arm and fingers, rad and m, at t (N,) s from the start."""

    t: Array
    q: Array


def joint_motion(plan: Plan, q_start: Array, fingers: float) -> JointMotion:
    """The motion through all phases of a plan, in order and without pauses.

    Args:
        plan: What was planned.
        q_start: Where the arm is (7,), rad.
        fingers: Where each finger is, m.
    """
    times, rows = [np.zeros(1)], [_rows(q_start[None], fingers)]
    for phase in plan.phases:
        now, arm = times[-1][-1], rows[-1][-1, :ARM_DOF]
        if phase.trajectory is not None:
            trajectory = phase.trajectory
            count = max(2, int(np.ceil(trajectory.duration / STEP)) + 1)
            t = np.linspace(0.0, trajectory.duration, count)[1:]
            times.append(now + t)
            rows.append(_rows(trajectory.sample(t)[0], fingers))
        elif phase.gripper is not None:
            fingers = phase.gripper[0]
            times.append(np.array([now + GRIP_TIME]))
            rows.append(_rows(arm[None], fingers))
    return JointMotion(np.concatenate(times), np.vstack(rows))


def _rows(q: Array, fingers: float) -> Array:
    """Joints (N, 9) of an arm (N, 7), with both fingers at one position."""
    return np.pad(q, ((0, 0), (0, len(FINGER_JOINTS))), constant_values=fingers)
