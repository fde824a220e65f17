"""What the expert sees in a scene message."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gensim2_control.ros.conversions import pose_to_matrix
from gensim2_tasks.specs import TaskSpec
from geometry_msgs.msg import Pose

from gensim2_msgs.msg import SceneState

from .performance import Observed


def observed(task: TaskSpec, scene: SceneState, start: Mapping[str, Pose]) -> Observed:
    """What a scene shows of a task.

    Args:
        task: The task.
        scene: The scene.
        start: Poses of the objects as the task began. One that is not in it has not been tipped.
    """
    done = {s.name: s.done for s in scene.subtasks}
    return Observed(
        tuple(done.get(s.name) for s in task.subtasks),
        {o.name: _tilt(start[o.name], o.pose) for o in scene.objects if o.name in start},
    )


def _tilt(before: Pose, now: Pose) -> float:
    """Angle between what was upright before and the vertical, rad; nan where a pose is none."""
    try:
        R = pose_to_matrix(now)[:3, :3] @ pose_to_matrix(before)[:3, :3].T
    except ValueError:
        return float("nan")
    return float(np.arccos(np.clip(R[2, 2], -1.0, 1.0)))
