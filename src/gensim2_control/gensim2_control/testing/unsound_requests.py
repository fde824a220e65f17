"""Requests that no body may obey, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, HOME_Q
from gensim2_control.testing.contract_rig import ContractRig
from gensim2_control.trajectory import Trajectory, joint_order

HOME = np.array(HOME_Q)
"""Where every rig begins, rad."""
Request = Callable[[ContractRig], object]
"""Makes a request of the body of a rig."""


def far_goal(rig: ContractRig, joint: int, to: float, duration: float) -> Trajectory:
    """Return a move of one joint (0 to 6) to a position, rad, in `duration` s."""
    q = np.vstack([rig.state.q_ref, rig.state.q_ref])
    q[1, joint] = to
    return Trajectory(np.array([0.0, duration]), q)


def same_points(rig: ContractRig, t: list[float], columns: int = ARM_DOF) -> Trajectory:
    """Return the present reference at all times `t`, s, with as many columns."""
    return Trajectory(np.array(t), np.tile(rig.state.q_ref[:columns], (len(t), 1)))


def nan_goal(rig: ContractRig, field: str) -> Trajectory:
    """Return a trajectory whose last `field`, "t", "q" or "dq", is not a number."""
    values = {"t": np.array([0.0, 1.0]), "q": np.tile(rig.state.q_ref, (2, 1))}
    values["dq"] = np.zeros((2, ARM_DOF))
    values[field] = values[field].copy()
    values[field][-1] = np.nan
    return Trajectory(**values)


def chunk(rig: ContractRig, to: float) -> Trajectory:
    """Return a chunk that takes the first joint to a position, rad, in 0.4 s."""
    target = rig.state.q_ref.copy()
    target[0] = to
    return Trajectory(np.array([0.4]), target[None])


def leap(rig: ContractRig) -> Trajectory:
    """Return a chunk within all limits, two points of which are 0.6 rad apart."""
    q = np.tile(rig.state.q_ref, (2, 1))
    q[:, 6] += [-0.1, 0.5]
    return Trajectory(np.array([0.5, 1.5]), q)


def _ends_moving(rig: ContractRig) -> Trajectory:
    q = np.vstack([rig.state.q_ref, rig.state.q_ref + 0.1])
    return Trajectory(np.array([0.0, 1.0]), q, np.vstack([np.zeros(7), np.full(7, 0.1)]))


def _reach_out(rig: ContractRig) -> Trajectory:
    # The arm stretched out: inside the joint limits, outside of the workspace.
    target = rig.state.q_ref.copy()
    target[1], target[3] = 0.9, -0.5
    return Trajectory(np.array([0.0, 5.0]), np.vstack([rig.state.q_ref, target]))


UNSOUND: dict[str, tuple[Request, str]] = {
    "nan position": (lambda rig: rig.body.follow(nan_goal(rig, "q")), "not finite"),
    "nan velocity": (lambda rig: rig.body.follow(nan_goal(rig, "dq")), "not finite"),
    "nan time": (lambda rig: rig.body.follow(nan_goal(rig, "t")), "finite"),
    "no points": (lambda rig: rig.body.follow(same_points(rig, [])), "no points"),
    "six joints": (lambda rig: rig.body.follow(same_points(rig, [0.0, 1.0], 6)), "shape"),
    "time stands": (lambda rig: rig.body.follow(same_points(rig, [0.0, 1.0, 1.0])), "strictly"),
    "time back": (lambda rig: rig.body.follow(same_points(rig, [0.0, 1.0, 0.5])), "strictly"),
    "negative time": (lambda rig: rig.body.follow(same_points(rig, [-1.0, 1.0])), "not negative"),
    "one joint missing": (lambda rig: joint_order(ARM_JOINTS[:6]), "missing: fr3_joint7"),
    "foreign joint": (lambda rig: joint_order([*ARM_JOINTS[:6], "panda_joint7"]), "unknown"),
    "joint twice": (lambda rig: joint_order([*ARM_JOINTS, "fr3_joint1"]), "doubled"),
    "position": (
        lambda rig: rig.body.follow(far_goal(rig, 0, 2.8, 9.0)),
        "position limit: fr3_joint1",
    ),
    "velocity": (lambda rig: rig.body.follow(far_goal(rig, 0, 2.5, 1.2)), "limit"),
    "acceleration": (lambda rig: rig.body.follow(far_goal(rig, 6, 1.3, 0.3)), "acceleration limit"),
    "far start": (
        lambda rig: rig.body.follow(Trajectory(np.array([0.0, 5.0]), np.vstack([HOME + 0.9] * 2))),
        "starts too far away",
    ),
    "no time": (lambda rig: rig.body.follow(same_points(rig, [0.0])), "no time"),
    "end at speed": (lambda rig: rig.body.follow(_ends_moving(rig)), "last velocity"),
    "workspace": (lambda rig: rig.body.follow(_reach_out(rig)), "workspace: the TCP would reach"),
    "tolerance": (lambda rig: rig.body.follow(rig.move(0.1), goal_tol=np.nan), "tolerance"),
    "wide grip": (lambda rig: rig.body.grip(0.08), "0.04 m"),
    "nan grip": (lambda rig: rig.body.grip(np.nan), "finger joint position"),
    "strong grip": (lambda rig: rig.body.grip(0.0, 1e4), "effort"),
}
"""Goals, and what is said of each."""

BAD_CHUNKS: dict[str, Request] = {
    "position": lambda rig: rig.body.stream(chunk(rig, 4.0)),
    "velocity": lambda rig: rig.body.stream(chunk(rig, -1.9)),
    "leap": lambda rig: rig.body.stream(leap(rig)),
    "too long": lambda rig: rig.body.stream(same_points(rig, [0.5, 5.0])),
}
"""Chunks of a stream."""
