"""The part of a manipulation with contact: what moves the object.

Either the contact point follows the object's own joint, or the hand makes GenSim2's fixed motions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensim2_tasks import se3

from . import cartesian, motions
from .arm_model import ArmModel
from .candidate import Candidate
from .cartesian import Unreachable
from .collision_model import CollisionModel
from .motions import JointAxis
from .plan import PlanCode, PlanFailure
from .planner_config import PlannerConfig
from .solver_config import PointConstraint
from .tool import TOOL_KEYPOINTS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Actuator:
    """Plans the motion after the touch pose for one candidate; the model is placed at its scene."""

    arm: ArmModel
    model: CollisionModel
    config: PlannerConfig
    candidate: Candidate

    def follow_joint(
        self, openness: float, q_touch: Array
    ) -> tuple[Array, dict[str, object]] | PlanFailure:
        """Carries the contact along the object's joint to an openness.

        Returns:
            Joint path (N, 7) from ``q_touch`` on, and what is worth a note.
        """
        candidate, scene, config = self.candidate, self.candidate.scene, self.config
        asset, start = scene.asset, scene.joint_position
        point, direction = asset.tree.axis_in_root()
        T = scene.T_base_root
        prismatic = asset.tree.moving.kind == "prismatic"
        joint = JointAxis(se3.apply(T, point), T[:3, :3] @ direction, prismatic)
        amount = self._joint_travel(openness)
        contact = next(
            c for c in candidate.solver.constraint_list if isinstance(c, PointConstraint)
        )
        p_contact = TOOL_KEYPOINTS[contact.keypoint_name]
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_tool_hand = se3.inverse(T_hand_tool)
        T_touch = self.arm.fk(q_touch) @ T_hand_tool
        slack = 0.0
        if candidate.solver.gripper != "grasp":
            met = self._slack(T_touch, p_contact, joint, amount, q_touch, T_tool_hand)
            if met is None:
                return PlanFailure(PlanCode.PATH_COLLISION, "post-motion: meets no moving part")
            slack = met
        failure = PlanFailure(PlanCode.PATH_UNREACHABLE, "post-motion")
        for share in (0.0,) if prismatic else config.turn_shares:
            poses, moved = motions.follow_joint(T_touch, p_contact, joint, amount + slack, share)
            hand_poses = [p @ T_tool_hand for p in poses]
            path = cartesian.follow(self.arm, hand_poses, q_touch, partial=True)
            part = [start + m - slack for m in moved[: len(path)]]
            reached = asset.openness(part[-1]) if part else np.inf
            if abs(reached - asset.openness(start + amount)) > config.goal_slack:
                failure = PlanFailure(
                    PlanCode.PATH_UNREACHABLE,
                    f"post-motion: out of reach at openness {reached:.2f}",
                )
                continue
            low, high = sorted((start, start + amount))
            hit = self._first_hit(path, [float(np.clip(p, low, high)) for p in part])
            if hit:
                # Stopping a little early is as good, where enough of the goal is reached by then.
                last = max(0, hit[0] - 2)
                reached = asset.openness(part[last])
                path = path[: last + 1]
            if abs(reached - asset.openness(start + amount)) > config.goal_slack:
                failure = PlanFailure(PlanCode.PATH_COLLISION, f"post-motion: {hit and hit[1]}")
                continue
            return path, {"turn_share": share, "slack": slack, "openness": reached}
        return failure

    def _joint_travel(self, openness: float) -> float:
        """How far to move the joint, with overshoot, but not against its end."""
        asset, start = self.candidate.scene.asset, self.candidate.scene.joint_position
        prismatic = asset.tree.moving.kind == "prismatic"
        goal = asset.joint_position(openness)
        over = self.config.overshoot_linear if prismatic else self.config.overshoot
        goal += float(np.copysign(over, goal - start))
        low, high = asset.tree.moving.limits
        margin = self.config.end_margin * ((high - low) if prismatic else 1.0)
        return float(np.clip(goal, low + margin, high - margin)) - start

    def _slack(
        self,
        T_touch: Array,
        p_contact: Array,
        joint: JointAxis,
        amount: float,
        q_touch: Array,
        T_tool_hand: Array,
    ) -> float | None:
        """Joint travel (rad or m, signed) until the hand meets the resting part; None = never.

        A hand that would move past the part without meeting it is found here, not in the world.
        """
        radius = 1.0
        if not joint.prismatic:
            arm = se3.apply(T_touch, p_contact) - joint.point
            radius = max(0.02, float(np.linalg.norm(np.cross(joint.direction, arm))))
        reach = float(np.copysign(min(abs(amount), self.config.max_slack / radius), amount))
        model, part_q = self.model, self.candidate.scene.joint_position
        model.allow_contact(False)
        slack = 0.0
        for shift in self.config.engagement:
            shifted = T_touch @ se3.transform(shift)
            poses, moved = motions.follow_joint(shifted, p_contact, joint, reach, 1.0)
            hand_poses = [p @ T_tool_hand for p in poses]
            path = cartesian.follow(self.arm, hand_poses, q_touch, partial=True)
            travels = (
                travel
                for q, travel in zip(path, moved, strict=False)
                if model.in_collision(q, part_q)
            )
            met = next(travels, None)
            if met is None:
                return None
            slack = max(slack, met, key=abs)
        return slack

    def fixed(self, T_act: Array, q_touch: Array) -> tuple[Array, dict[str, object]] | PlanFailure:
        """GenSim2's fixed post-motions, beginning with the way from touch to actuation pose."""
        candidate, scene, model = self.candidate, self.candidate.scene, self.model
        axis = scene.asset.info.axis or "x"
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_tool_hand = se3.inverse(T_hand_tool)
        keys = [self.arm.fk(q_touch) @ T_hand_tool, T_act]
        for motion in candidate.solver.post_actuation_motions:
            keys.append(motions.post_pose(keys[-1], motion, candidate.T_base_part, axis))
        poses = [T @ T_tool_hand for T in cartesian.through(keys)]
        path = cartesian.follow(self.arm, poses, q_touch)
        if isinstance(path, Unreachable):
            return PlanFailure(PlanCode.PATH_UNREACHABLE, f"post-motion: {path.reason}")
        # How the part follows is not known here, so only the table and the arm itself count.
        model.place(scene.T_base_root @ se3.transform((0.0, 0.0, 10.0)), model.finger)
        hit = self._first_hit(path, [scene.joint_position] * len(path))
        model.place(scene.T_base_root, model.finger)
        if hit:
            return PlanFailure(PlanCode.PATH_COLLISION, f"post-motion: {hit[1]}")
        return path, {"fixed": True}

    def _first_hit(self, path: Array, part_q: Sequence[float]) -> tuple[int, str] | None:
        """Index and names of the first collision; contact with the moving part is allowed."""
        model = self.model
        model.allow_contact(True)
        for i, (q, p) in enumerate(zip(path, part_q, strict=True)):
            if model.in_collision(q, p):
                return i, model.named_contacts(q, p, 0.0) or "collision"
        return None
