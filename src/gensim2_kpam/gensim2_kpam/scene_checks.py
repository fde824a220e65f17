"""What must hold of a scene before anything is planned on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .arm_model import ARM_DOF, PUSHED, ArmModel
from .plan import SceneObject
from .solver_config import KeypointAxisConstraint, SolverConfig

Array = NDArray[np.float64]
JOINT_SLACK = 0.1  # rad or m by which a measured joint may be beyond its limits


def scene_problem(solver: SolverConfig, scene: SceneObject) -> str:
    """Why nothing can be planned on a scene; empty where it can."""
    missing = sorted(solver.object_keypoints() - {*scene.keypoints})
    if missing:
        known = ", ".join(sorted(scene.keypoints))
        return f"the object lacks keypoint {', '.join(missing)}; it has {known}"
    turning = _turning_motion(solver)
    if turning and scene.asset.info.axis is None:
        return (
            f"asset {scene.asset.ref} names no axis, which {turning} of {solver.task_name} "
            "turns about; give 'axis' (x, y or z) in its info.json"
        )
    if not all(np.isfinite(n).all() for n in scene.keypoints.values()):
        return "a keypoint is not finite"
    problem = pose_problem(scene)
    if problem:
        return problem
    for c in solver.constraint_list:
        if isinstance(c, KeypointAxisConstraint):
            ends = (c.target_axis_from_keypoint_name, c.target_axis_to_keypoint_name)
            if np.linalg.norm(scene.keypoints[ends[1]] - scene.keypoints[ends[0]]) < 1e-4:
                return f"the keypoints {ends[0]} and {ends[1]} are in one place"
    return ""


def pose_problem(scene: SceneObject) -> str:
    """What is wrong with where an object is said to be; empty = nothing."""
    # Drake answers to a number that is none by ending the process.
    numbers = [scene.T_base_root.ravel(), np.atleast_1d(scene.joint_position)]
    if not all(np.isfinite(n).all() for n in numbers):
        return "the pose or joint position is not finite"
    R = scene.T_base_root[:3, :3]
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-6):
        return "the pose of the object is no rigid transform"
    low, high = scene.asset.tree.moving.limits
    if not low - JOINT_SLACK <= scene.joint_position <= high + JOINT_SLACK:
        return (
            f"the joint position {scene.joint_position:.4g} is outside of its limits, "
            f"{low:.4g} to {high:.4g}"
        )
    return ""


def start_problem(arm: ArmModel, q_start: Array) -> str:
    """Why an arm cannot start at a configuration; empty where it can."""
    if q_start.shape != (ARM_DOF,) or not np.isfinite(q_start).all():
        return f"the start must be {ARM_DOF} finite joint positions"
    return "" if arm.within_limits(q_start, PUSHED) else "the start is outside the joint limits"


def _turning_motion(solver: SolverConfig) -> str:
    """The first entry that turns about the axis of the object; empty = none."""
    for field in ("pre_actuation_motions", "post_actuation_motions"):
        for index, motion in enumerate(getattr(solver, field)):
            if motion.kind == "rotate":
                return f"{field}.{index}"
    return ""
