"""Actuation poses meet every constraint, by kinematics that know nothing of the solver."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_kpam.actuation import SAME_SOLUTION, ActuationSolver, Target
from gensim2_kpam.arm_model import ArmModel
from gensim2_kpam.plan import SceneObject
from gensim2_kpam.solver_config import (
    Constraint,
    FrameAxisConstraint,
    PointConstraint,
    load_solver,
    parse_solver,
    solver_names,
)
from gensim2_kpam.tool import HALF_TURN, HAND_LINK, TOOL_KEYPOINTS
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from kpam_scenes import HOME, Array, angle_between, draw, moved
from public_solvers import SOLVERS

TASKS = {
    solver: name
    for name in task_names()
    if len(load_task(name).objects) == 1
    for subtask in load_task(name).subtasks
    for solver in subtask.solvers
}
CASES = {name: load_solver(name) for name in solver_names()} | {
    f"public {name}": parse_solver(SOLVERS[name].yaml(), name)
    for name in ("OpenBox", "CloseBox", "OpenLaptop", "OpenDrawer", "PressToasterLever")
}


def scene_for(name: str, library: AssetLibrary, seed: int) -> SceneObject:
    return draw(TASKS[name.removeprefix("public ")], library, seed)


def target_of(scene: SceneObject) -> Target:
    T_base_part = scene.T_base_root @ scene.asset.T_root_part(scene.joint_position)
    return Target(scene.keypoints, T_base_part[:3, :3])


def violation(constraint: Constraint, target: Target, T_base_tool: Array) -> float:
    """By how much (m or rad) a constraint is missed; 0 where it is met."""
    R, p = T_base_tool[:3, :3], T_base_tool[:3, 3]
    if isinstance(constraint, PointConstraint):
        tool = p + R @ TOOL_KEYPOINTS[constraint.keypoint_name]
        off = np.abs(tool - target.keypoints[constraint.target_keypoint_name])
        return max(0.0, float(off.max()) - constraint.tolerance)
    axis = R @ (
        TOOL_KEYPOINTS[constraint.axis_to_keypoint_name]
        - TOOL_KEYPOINTS[constraint.axis_from_keypoint_name]
    )
    if isinstance(constraint, FrameAxisConstraint):
        wanted = np.array(constraint.target_axis)
        if constraint.target_axis_frame == "object":
            wanted = target.R_base_object @ wanted
    else:
        ends = constraint.target_axis_from_keypoint_name, constraint.target_axis_to_keypoint_name
        wanted = target.keypoints[ends[1]] - target.keypoints[ends[0]]
    off_angle = abs(angle_between(axis, wanted) - np.arccos(constraint.target_inner_product))
    return max(0.0, float(off_angle) - constraint.tolerance)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("R_hand_tool", [np.eye(3), HALF_TURN], ids=["straight", "half turn"])
def test_solutions_meet_every_constraint_within_limits(
    name: str,
    R_hand_tool: Array,
    arm: ArmModel,
    kinematics: Fr3Kinematics,
    library: AssetLibrary,
) -> None:
    solver, limits = CASES[name], JointLimits.fr3().reduced(margin=0.06)
    T_hand_tool = np.eye(4)
    T_hand_tool[:3, :3] = R_hand_tool
    found = 0
    for seed in range(2):
        target = target_of(scene_for(name, library, seed))
        solved = ActuationSolver(arm).solve(
            solver.constraint_list, target, HOME, R_hand_tool=R_hand_tool
        )
        assert len(solved.configurations) <= solved.converged <= solved.tried
        for q in solved.configurations:
            assert limits.contains(q, slack=1e-6)
            T_base_tool = kinematics.fk(q, HAND_LINK) @ T_hand_tool
            for constraint in solver.constraint_list:
                assert violation(constraint, target, T_base_tool) < 1e-5, constraint
        found += len(solved.configurations)
        distances = [np.linalg.norm(q - HOME) for q in solved.configurations]
        assert distances == sorted(distances)
        for i, q in enumerate(solved.configurations):
            others = solved.configurations[:i]
            assert all(np.max(np.abs(q - other)) > SAME_SOLUTION for other in others)
    if not name.startswith("public") and R_hand_tool is not HALF_TURN:
        assert found


def test_out_of_reach_there_is_no_solution(arm: ArmModel, library: AssetLibrary) -> None:
    solver = load_solver("OpenBox")
    for shift in ((2.0, 0.0, 0.0), (0.0, 0.0, 1.5)):
        target = target_of(moved(draw("OpenBox", library, 0), shift))
        solved = ActuationSolver(arm).solve(
            solver.constraint_list, target, HOME, R_hand_tool=np.eye(3)
        )
        assert solved.configurations == ()
        assert solved.converged == 0 < solved.tried


def test_constraints_that_contradict_each_other_have_no_solution(
    arm: ArmModel, library: AssetLibrary
) -> None:
    text = SOLVERS["CloseBox"].yaml().replace("target_inner_product: 1", "target_inner_product: 0")
    both = parse_solver(SOLVERS["CloseBox"].yaml(), "a").constraint_list
    both += parse_solver(text, "b").constraint_list
    solved = ActuationSolver(arm).solve(
        both, target_of(draw("CloseBox", library, 0)), HOME, R_hand_tool=np.eye(3)
    )
    assert solved.configurations == ()
