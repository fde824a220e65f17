"""Messages of scenes, as a simulation sends them, and goals on them."""

from __future__ import annotations

from typing import Any

from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.ros.conversions import matrix_to_pose
from gensim2_kpam.plan import SceneObject
from geometry_msgs.msg import Point
from kpam_scenes import HOME
from sensor_msgs.msg import JointState

from gensim2_msgs.action import PlanTask
from gensim2_msgs.msg import Keypoint, ObjectState, SceneState


def scene_message(scene: SceneObject, name: str, task: str = "OpenBox") -> SceneState:
    """A scene of one object."""
    message = SceneState(task=task, seed=1, reset_count=1)
    message.header.frame_id = "base"
    keypoints = [
        Keypoint(name=key, position=Point(x=float(p[0]), y=float(p[1]), z=float(p[2])))
        for key, p in scene.keypoints.items()
    ]
    message.objects = [
        ObjectState(
            name=name,
            asset=str(scene.asset.ref),
            pose=matrix_to_pose(scene.T_base_root),
            joint_position=scene.joint_position,
            openness=scene.asset.openness(scene.joint_position),
            keypoints=keypoints,
        )
    ]
    return message


def far_away(scene: SceneObject) -> SceneState:
    """The same scene beyond reach: what is planned on it fails."""
    far = scene_message(scene, "box")
    for place in (far.objects[0].pose, *far.objects[0].keypoints):
        place.position.x += 2.0
    return far


def plan_goal(placed: SceneObject, **changes: Any) -> PlanTask.Goal:
    """A goal of the planner for OpenBox, from the home configuration."""
    start = JointState(name=list(ARM_JOINTS), position=HOME.tolist())
    fields = {"task": "OpenBox", "scene": scene_message(placed, "box"), "start": start}
    return PlanTask.Goal(**{**fields, **changes})
