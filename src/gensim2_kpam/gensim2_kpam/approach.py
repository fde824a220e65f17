"""The free part of a manipulation: from the first pre-pose to where contact begins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from . import transit
from .collision_model import CollisionModel, hand_meets_scene, pairs_text
from .plan import HandBlocked, PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig

Array = NDArray[np.float64]
COARSE_CHECKS = 12  # of a whole approach, by which a candidate is judged


@dataclass(frozen=True)
class Approach:
    """Configurations (N, 7) to the touch pose, and the indices of those nobody has looked at."""

    path: Array
    unchecked: tuple[int, ...]


@dataclass(frozen=True)
class ApproachCheck:
    """Looks for the free beginning of paths to the actuation pose; it ends at the moving part.

    Attributes:
        model: Placed at the scene.
        config: Margins.
        part_q: Present position of the object's joint.
        grasp: The fingers enclose the part: everything up to the actuation pose must be free.
    """

    model: CollisionModel
    config: PlannerConfig
    part_q: float
    grasp: bool

    def until_touch(self, path: Array) -> Approach | PlanFailure:
        """A coarse look, which is cheap and finds nearly everything; ``rest`` is for the others.

        Args:
            path: Configurations (N, 7) from the first pre-pose to the actuation pose.
        """
        fine, _ = self._fine(path)
        known: dict[int, bool] = {}

        def near(index: int) -> bool:
            if index not in known:
                known[index] = self._near(fine[index])
            return known[index]

        self.model.allow_contact(False)
        step = max(1, len(fine) // COARSE_CHECKS)
        last = next((i for i in (*range(0, len(fine), step), len(fine) - 1) if near(i)), None)
        if last is None:
            return Approach(fine, tuple(sorted({*range(len(fine))} - {*known})))
        # More closely within the step in which something came near.
        for before, stride in pairwise((step, max(1, step // 4), 1)):
            begin = max(0, last - before + stride)
            last = next((i for i in range(begin, last, stride) if near(i)), last)
        free = {i for i, is_near in known.items() if not is_near}
        return self._ended(path, last, tuple(sorted({*range(last)} - free)))

    def rest(self, path: Array, approach: Approach) -> Approach | PlanFailure:
        """Looks at what a coarse look has stepped over; the answer has been looked at everywhere.

        Args:
            path: As given before.
            approach: What came of it.
        """
        self.model.allow_contact(False)
        # In order: before the first that is near there is none.
        last = next((i for i in approach.unchecked if self._near(approach.path[i])), None)
        return Approach(approach.path, ()) if last is None else self._ended(path, last, ())

    def _near(self, q: Array) -> bool:
        return self.model.in_collision(q, self.part_q, self.config.near_clearance)

    def _fine(self, path: Array) -> tuple[Array, Array]:
        """The path in small steps, and where in it the given configurations are."""
        legs = [transit.line(a, b, self.config.touch_step)[:-1] for a, b in pairwise(path)]
        return np.vstack([*legs, path[-1:]]), np.cumsum([0, *map(len, legs)])

    def _ended(self, path: Array, last: int, unchecked: tuple[int, ...]) -> Approach | PlanFailure:
        """The path up to the first near configuration, where only the part may be near."""
        fine, starts = self._fine(path)
        what = "first pre-pose" if last == 0 else "grasp pose" if self.grasp else "approach"
        pairs = self.model.contacts(fine[last], self.part_q, self.config.near_clearance)
        if what == "approach" and self.model.are_hand_and_part(pairs):
            return Approach(fine[:last], unchecked)
        text = f"{what}: {pairs_text(pairs)}"
        if not hand_meets_scene(pairs):
            return PlanFailure(PlanCode.PATH_COLLISION, text)
        poses = len(path) + 1 - int(np.searchsorted(starts, last, side="right"))
        return HandBlocked(PlanCode.PATH_COLLISION, text, poses=poses)


def grasps(q: Array, scene: SceneObject, model: CollisionModel, config: PlannerConfig) -> bool:
    """Whether closing the fingers in this pose closes them on the moving part."""
    model.place(scene.T_base_root, config.finger_closed)
    model.allow_contact(False)
    hit = model.in_collision(q, scene.joint_position)
    only_part = model.touches_part_only(q, scene.joint_position, 0.0)
    model.place(scene.T_base_root, config.finger_open)
    return hit and only_part
