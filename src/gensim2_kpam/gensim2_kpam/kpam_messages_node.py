"""Messages of the planner: scenes in, plans out and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from builtin_interfaces.msg import Time
from gensim2_control.hardware import ARM_JOINTS, FINGER_JOINTS, FINGER_MAX, JOINTS
from gensim2_control.ros.conversions import (
    duration_from_seconds,
    matrix_to_pose,
    pose_to_matrix,
    trajectory_from_msg,
    trajectory_to_msg,
)
from gensim2_tasks.assets import AssetError, AssetLibrary, AssetRef
from gensim2_tasks.catalogue import TaskError, load_task
from gensim2_tasks.specs import TaskSpec
from geometry_msgs.msg import PoseArray
from numpy.typing import NDArray
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from gensim2_msgs.action import PlanTask
from gensim2_msgs.msg import ObjectState, PlanPhase, SceneState

from .plan import Phase, Plan, PlanCode, PlanFailure, SceneObject
from .plan_motion import JointMotion

BASE = "base"


class SceneMessageError(ValueError):
    """A scene message cannot be planned on."""


class StartMessageError(ValueError):
    """A joint state does not say where the arm is."""


class RequestError(ValueError):
    """A goal of the planner cannot be understood."""

    def __init__(self, code: PlanCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def read_request(
    request: PlanTask.Goal, library: AssetLibrary
) -> tuple[TaskSpec, SceneObject, NDArray[np.float64]]:
    """The task, the object its sub-task acts on, and the start (7,), rad.

    Raises:
        RequestError: Something of it is unknown, missing or no number.
    """
    try:
        task = load_task(request.task)
        if request.subtask >= len(task.subtasks):
            raise TaskError(f"there is no sub-task {request.subtask}")
        scene = scene_object(request.scene, task.subtasks[request.subtask].object, library)
        return task, scene, arm_configuration(request.start)
    except TaskError as error:
        raise RequestError(PlanCode.UNKNOWN_TASK, str(error)) from None
    except SceneMessageError as error:
        raise RequestError(PlanCode.BAD_SCENE, str(error)) from None
    except StartMessageError as error:
        raise RequestError(PlanCode.START_INVALID, str(error)) from None


def scene_object(scene: SceneState, name: str, library: AssetLibrary) -> SceneObject:
    """The object of this name in a scene, and what else stands there.

    Raises:
        SceneMessageError: It is missing, its asset is unknown, or a number is not finite.
    """
    state = next((o for o in scene.objects if o.name == name), None)
    if state is None:
        known = ", ".join(o.name for o in scene.objects) or "none"
        raise SceneMessageError(f"the scene has no object {name!r}; it has: {known}")
    if scene.header.frame_id != BASE:
        raise SceneMessageError(f"the scene is in frame {scene.header.frame_id!r}, not in 'base'")
    others = tuple(_object(other, library) for other in scene.objects if other is not state)
    return replace(_object(state, library), others=others)


def _object(state: ObjectState, library: AssetLibrary) -> SceneObject:
    name = state.name
    try:
        asset = library.load(AssetRef.parse(state.asset))
        T = pose_to_matrix(state.pose)
    except (AssetError, ValueError) as error:
        raise SceneMessageError(f"object {name!r}: {error}") from None
    keypoints = {
        k.name: np.array([k.position.x, k.position.y, k.position.z]) for k in state.keypoints
    }
    numbers = [T.ravel(), np.array([state.joint_position]), *keypoints.values()]
    if not all(np.isfinite(n).all() for n in numbers):
        raise SceneMessageError(f"object {name!r}: pose, joint or keypoint is not finite")
    return SceneObject(asset, T, float(state.joint_position), keypoints, name)


def arm_configuration(state: JointState) -> NDArray[np.float64]:
    """Arm positions (7,) of a joint state, matched by name.

    Raises:
        StartMessageError: A joint is missing.
    """
    positions = dict(zip(state.name, state.position, strict=False))
    missing = [name for name in ARM_JOINTS if name not in positions]
    if missing:
        raise StartMessageError(f"the start lacks joints {', '.join(missing)}")
    return np.array([positions[name] for name in ARM_JOINTS])


def finger_position(state: JointState) -> float:
    """Position of a finger of a joint state, m; open where the state does not tell."""
    positions = dict(zip(state.name, state.position, strict=False))
    return float(positions.get(FINGER_JOINTS[0], FINGER_MAX))


def motion_message(motion: JointMotion | None, stamp: Time) -> JointTrajectory:
    """A motion of arm and fingers; without points where there is none.

    Args:
        motion: What is planned.
        stamp: Of the scene it was planned on.
    """
    message = JointTrajectory(joint_names=list(JOINTS))
    message.header.stamp = stamp
    if motion is not None:
        message.points = [
            JointTrajectoryPoint(
                positions=q.tolist(), time_from_start=duration_from_seconds(float(t))
            )
            for t, q in zip(motion.t, motion.q, strict=True)
        ]
    return message


def plan_result(outcome: Plan | PlanFailure, stamp: Time | None = None) -> PlanTask.Result:
    """The outcome of a planning call as an action result.

    Args:
        outcome: What the planner says.
        stamp: Of the scene that was planned on.
    """
    result = PlanTask.Result(plan_time=float(outcome.cpu_time))
    result.report_json = json.dumps(outcome.report)
    result.key_poses = PoseArray()
    result.key_poses.header.frame_id = BASE
    if stamp is not None:
        result.key_poses.header.stamp = stamp
    if isinstance(outcome, PlanFailure):
        result.error_code, result.error_msg = int(outcome.code), outcome.reason
        return result
    result.phases = [_phase_to_msg(phase) for phase in outcome.phases]
    result.key_poses.poses = [matrix_to_pose(T) for T in outcome.key_poses]
    return result


def _phase_to_msg(phase: Phase) -> PlanPhase:
    message = PlanPhase(name=phase.name, kind=PlanPhase.ARM)
    if phase.gripper is not None:
        message.kind = PlanPhase.GRIPPER
        message.gripper_position, message.gripper_effort = phase.gripper
    elif phase.trajectory is not None:
        message.trajectory = trajectory_to_msg(phase.trajectory)
    return message


def plan_from_result(result: PlanTask.Result) -> Plan | PlanFailure:
    """The inverse of ``plan_result``. What cannot be understood is a failure, ``INTERNAL``."""
    try:
        report = json.loads(result.report_json or "{}")
        if not isinstance(report, dict):
            raise ValueError(f"the report is a {type(report).__name__}")
        code = PlanCode(result.error_code)
        phases = tuple(_phase_from_msg(message) for message in result.phases)
        poses = tuple(pose_to_matrix(p) for p in result.key_poses.poses)
    except ValueError as error:
        return PlanFailure(PlanCode.INTERNAL, f"the planner's answer is malformed: {error}")
    if code is not PlanCode.NONE:
        return PlanFailure(code, result.error_msg, report, result.plan_time)
    if not phases:
        # What a server answers whose callback has failed.
        return PlanFailure(PlanCode.INTERNAL, "the planner's answer is empty; see its log")
    return Plan(phases, poses, report, result.plan_time)


def _phase_from_msg(message: PlanPhase) -> Phase:
    if message.kind == PlanPhase.GRIPPER:
        grip = (message.gripper_position, message.gripper_effort)
        return Phase(message.name, gripper=grip)
    if message.kind == PlanPhase.ARM:
        return Phase(message.name, trajectory_from_msg(message.trajectory))
    raise ValueError(f"phase {message.name!r} is of the unknown kind {message.kind}")
