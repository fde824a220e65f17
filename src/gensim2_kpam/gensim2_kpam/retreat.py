"""The way out of contact: a hand that still touches what it has moved backs off before all else."""

from __future__ import annotations

import numpy as np
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory
from numpy.typing import NDArray

from . import cartesian
from .arm_model import ArmModel
from .as_message import trajectory_as_sent
from .collision_model import CollisionModel
from .plan import Phase
from .planner_config import PlannerConfig
from .retiming import RetimingError, retime

Array = NDArray[np.float64]
REACH = 0.15  # m, farthest way out
DEEPEST = 8e-3  # m; what is deeper in each other is no contact, but a scene that is not so
DEEPER = 1e-3  # m by which a contact may grow on the way: what is touched gives way by that much
ENTRY_TIME = 0.8  # s, to get from where the arm is held to the middle of the way
# Ways out in the hand frame, the first that works: back, back to a side, to a side.
_IN_HAND = (
    (0.0, 0.0, -1.0),
    (-1.0, 0.0, -1.0),
    (1.0, 0.0, -1.0),
    (0.0, -1.0, -1.0),
    (0.0, 1.0, -1.0),
    (-1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (0.0, -1.0, 0.0),
    (0.0, 1.0, 0.0),
)
_UP = np.array([0.0, 0.0, 1.0])  # in base


def back_off(
    arm: ArmModel, model: CollisionModel, q_start: Array, part_q: float, clearance: float
) -> Array | None:
    """Looks for a straight way of the hand out of contact.

    Args:
        arm: The arm.
        model: Placed at the scene, with the fingers as they will be on the way.
        q_start: Where the arm is (7,), rad.
        part_q: Position of the object's joint, rad or m.
        clearance: Distance from everything at the end of the way, m.

    Returns:
        Joint path (N, 7) that begins at ``q_start``, on which nothing is pressed harder; None where
        there is no such way.
    """
    model.allow_contact(False)
    T = arm.fk(q_start)
    directions = [T[:3, :3] @ np.array(d) / np.linalg.norm(d) for d in _IN_HAND]
    for direction in (directions[0], _UP, *directions[1:]):
        end = T.copy()
        end[:3, 3] += REACH * direction
        poses = cartesian.interpolate(T, end)[1:]
        path = cartesian.follow(arm, poses, q_start, partial=True)
        number = _free_at(model, np.vstack([q_start, path]), part_q, clearance)
        if number is not None:
            return np.vstack([q_start, path[:number]])
    return None


def let_go(
    arm: ArmModel,
    model: CollisionModel,
    T_base_root: Array,
    q_start: Array,
    part_q: float,
    config: PlannerConfig,
    limits: JointLimits,
) -> tuple[tuple[Phase, ...], Array] | None:
    """Backs off from what the hand is still at.

    With open fingers, which let go of what they may hold; closed, where those have no room. The
    fingers of the model are left as they are on the way.

    Returns:
        The phases, and the configuration (7,) in which they end; None where nothing leads out.
    """
    for finger in (config.finger_open, config.finger_closed):
        model.place(T_base_root, finger)
        path = back_off(arm, model, q_start, part_q, config.clearance)
        if path is None:
            continue
        try:
            trajectory = entered(retime(arm.plant, path, limits))
        except RetimingError:
            continue
        fingers = Phase("gripper", gripper=(finger, config.grip_effort))
        return (fingers, Phase("retreat", trajectory_as_sent(trajectory))), path[-1]
    return None


def entered(trajectory: Trajectory) -> Trajectory:
    """The second half of a motion, into which the body leads from where it holds the arm.

    In contact that is not where the arm was measured, and letting go moves it.
    """
    late = trajectory.t >= 0.5 * trajectory.duration
    t, dq = trajectory.t[late], trajectory.dq
    return Trajectory(t - t[0] + ENTRY_TIME, trajectory.q[late], None if dq is None else dq[late])


def led_into(trajectory: Trajectory) -> Trajectory:
    """The motion a while later: meanwhile the body leads from where it holds the arm to its start.

    For a hand whose fingers have just moved at something: it may have been pushed aside.
    """
    return Trajectory(trajectory.t + ENTRY_TIME, trajectory.q, trajectory.dq)


def _free_at(model: CollisionModel, path: Array, part_q: float, clearance: float) -> int | None:
    """Index of the first configuration that is free, on a way on which no contact grows."""
    depth = model.depth(path[0], part_q)
    if depth > DEEPEST:
        return None
    for number, q in enumerate(path):
        if not model.in_collision(q, part_q, clearance):
            return number
        now = model.depth(q, part_q)
        if now > depth + DEEPER:
            return None
        depth = min(depth, now)
    return None
