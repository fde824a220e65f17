"""Messages of scenes, as a simulation sends them."""

from __future__ import annotations

from gensim2_control.ros.conversions import matrix_to_pose
from gensim2_kpam.plan import SceneObject
from geometry_msgs.msg import Point

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
