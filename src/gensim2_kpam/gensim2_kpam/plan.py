"""What the planner is asked and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from gensim2_control.trajectory import Trajectory
from gensim2_tasks.assets import ArticulatedAsset
from numpy.typing import NDArray

from gensim2_tasks import se3

Array = NDArray[np.float64]


class PlanCode(IntEnum):
    """Outcome of a plan; the values of gensim2_msgs/action/PlanTask."""

    NONE = 0
    UNKNOWN_TASK = 1
    BAD_CONFIG = 2
    BAD_SCENE = 3
    NO_IK = 4
    PATH_UNREACHABLE = 6
    PATH_COLLISION = 7
    TRANSIT_FAILED = 8
    RETIMING_FAILED = 9
    START_INVALID = 10
    CANCELED = 11
    TIMEOUT = 12
    INTERNAL = 99


@dataclass(frozen=True)
class SceneObject:
    """The object to act on: pose of its root in base (m), its joint position, its keypoints.

    ``keypoints`` (3,) in base are what is observed; ``asset`` gives geometry and joint axis.
    ``others`` are what else stands in the scene, without others of their own.
    """

    asset: ArticulatedAsset
    T_base_root: Array
    joint_position: float
    keypoints: Mapping[str, Array]
    name: str = ""
    others: tuple[SceneObject, ...] = ()

    def other(self, name: str) -> SceneObject | None:
        """What else of this name stands in the scene."""
        return next((o for o in self.others if o.name == name), None)

    def hulls(self) -> Iterator[tuple[str, Array]]:
        """(link, vertices (N, 3) in base, m) of each convex piece, as it is now."""
        poses = self.asset.tree.link_poses(self.joint_position)
        for link, vertices in self.asset.hulls:
            yield link, se3.apply(self.T_base_root @ poses[link], vertices)


@dataclass(frozen=True)
class Phase:
    """A part of a plan: an arm trajectory, or a gripper command (finger position, m; effort, N)."""

    name: str
    trajectory: Trajectory | None = None
    gripper: tuple[float, float] | None = None


@dataclass(frozen=True)
class Plan:
    """A solved plan: phases in order, key poses T_base_tcp, and how it came about."""

    phases: tuple[Phase, ...]
    key_poses: tuple[Array, ...]
    report: Mapping[str, object]
    cpu_time: float


@dataclass(frozen=True)
class PlanFailure:
    """Why there is no plan."""

    code: PlanCode
    reason: str
    report: Mapping[str, object] = field(default_factory=dict)
    cpu_time: float = 0.0


@dataclass(frozen=True)
class HandBlocked(PlanFailure):
    """A failure of the hand alone: another arm configuration with the same hand poses fails too.

    ``poses`` is how many poses of the way to the actuation pose, its last ones, have to be the
    same; 0 = the actuation pose alone tells.
    """

    poses: int = 0
