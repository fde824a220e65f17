"""The scene as it is drawn: objects and their keypoints, in base."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SceneObject:
    """One object of gensim2_msgs/msg/SceneState.

    Attributes:
        name: in the task.
        asset: reference, for example "procedural:box_rotate/17".
        T_base_root: pose (4, 4) of the root link.
        joint_position: rad or m.
        openness: 0 = closed, 1 = open.
        keypoints: name and position (3,), m in base.
    """

    name: str
    asset: str
    T_base_root: Array
    joint_position: float
    openness: float
    keypoints: tuple[tuple[str, Array], ...]


@dataclass(frozen=True)
class Scene:
    """What gensim2_msgs/msg/SceneState says."""

    task: str
    seed: int
    objects: tuple[SceneObject, ...]
    predicates: tuple[tuple[str, bool, float, float], ...]
    """Name, whether it holds, value and threshold."""
    succeeded: bool


@dataclass(frozen=True)
class RobotCondition:
    """What gensim2_msgs/msg/RobotStatus says."""

    mode: int
    motion_possible: bool
    in_error: bool
    errors: tuple[str, ...]
