"""The part of a manipulation with contact: what moves the object.

Either the contact point follows the object's own joint, or the hand makes GenSim2's fixed motions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensim2_tasks import se3

from . import cartesian, motions, transit
from .arm_model import ArmModel
from .budget import Budget
from .candidate import Candidate
from .cartesian import Unreachable
from .collision_model import CollisionModel, hand_meets_scene, pairs_text
from .motions import JointAxis
from .plan import HandBlocked, PlanCode, PlanFailure
from .planner_config import PlannerConfig
from .solver_config import PointConstraint
from .tool import TOOL_KEYPOINTS

Array = NDArray[np.float64]
MEETS_NOTHING = "post-motion: meets no moving part"
BACK_OFF = 2  # poses by which a motion along the joint ends before a collision


@dataclass(frozen=True)
class Actuator:
    """Plans the motion after the touch pose for one candidate; the model is placed at its scene."""

    arm: ArmModel
    model: CollisionModel
    config: PlannerConfig
    candidate: Candidate
    budget: Budget

    def follow_joint(
        self, openness: float, q_touch: Array
    ) -> tuple[Array, dict[str, object]] | PlanFailure:
        """Carries the contact along the object's joint to an openness.

        Returns:
            Joint path (N, 7) from ``q_touch`` on, and what is worth a note.
        """
        candidate, scene, config = self.candidate, self.candidate.scene, self.config
        asset, start = scene.asset, scene.joint_position
        joint = motions.joint_of(scene)
        amount = self._joint_travel(openness)
        contact = next(
            c for c in candidate.solver.constraint_list if isinstance(c, PointConstraint)
        )
        p_contact = TOOL_KEYPOINTS[contact.keypoint_name]
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_tool_hand = se3.inverse(T_hand_tool)
        T_touch = self.arm.fk(q_touch) @ T_hand_tool
        # How far the joint is behind the hand: 0 for a grasp, else at least as far as one shift of
        # the hand says; the other shifts are dear, and most candidates fail without them.
        slack, shifts = 0.0, list(config.engagement)
        if candidate.solver.gripper != "grasp":
            first = self._slack(shifts[:1], T_touch, p_contact, joint, amount, q_touch)
            if first is None:
                return PlanFailure(PlanCode.PATH_COLLISION, MEETS_NOTHING)
            slack, shifts = first, shifts[1:]
        else:
            shifts = []
        failure = PlanFailure(PlanCode.PATH_UNREACHABLE, "post-motion")
        blocked = True
        for share in (0.0,) if joint.prismatic else config.turn_shares:
            self.budget.check()

            def follow(slack: float, share: float = share) -> tuple[Array, list[float]]:
                travel = amount + slack
                poses, moved = motions.follow_joint(T_touch, p_contact, joint, travel, share)
                hand_poses = [p @ T_tool_hand for p in poses]
                path = cartesian.follow(self.arm, hand_poses, q_touch, partial=True)
                return path, [m - slack for m in moved[: len(path)]]

            path, moved = follow(slack)
            hopeless = self._out_of_reach(moved, amount) or self._static_hit(path, moved, amount)
            if hopeless is not None:
                failure, blocked = hopeless, blocked and isinstance(hopeless, HandBlocked)
                continue
            if shifts:
                more = self._slack(shifts, T_touch, p_contact, joint, amount, q_touch)
                if more is None:
                    return PlanFailure(PlanCode.PATH_COLLISION, MEETS_NOTHING)
                shifts = []
                if abs(more) > abs(slack):
                    slack = more
                    path, moved = follow(slack)
            out_of_reach = self._out_of_reach(moved, amount)
            if out_of_reach is not None:
                failure, blocked = out_of_reach, False
                continue
            low, high = sorted((start, start + amount))
            reached = asset.openness(start + moved[-1])
            hit = self._first_hit(path, [float(np.clip(start + m, low, high)) for m in moved])
            if hit:
                # Stopping a little early is as good, where enough of the goal is reached by then.
                last = max(0, hit[0] - BACK_OFF)
                reached = asset.openness(start + moved[last])
                path = path[: last + 1]
                if not self._is_enough(moved[last], amount):
                    failure, blocked = hit[1], blocked and isinstance(hit[1], HandBlocked)
                    continue
            return path, {"turn_share": share, "slack": slack, "openness": reached}
        return HandBlocked(failure.code, failure.reason) if blocked else failure

    def _is_enough(self, moved: float, amount: float) -> bool:
        """Whether the goal is as good as reached with the joint moved by this much (rad or m)."""
        asset, start = self.candidate.scene.asset, self.candidate.scene.joint_position
        short = asset.openness(start + moved) - asset.openness(start + amount)
        return abs(short) <= self.config.goal_slack

    def _out_of_reach(self, moved: Sequence[float], amount: float) -> PlanFailure | None:
        if moved and self._is_enough(moved[-1], amount):
            return None
        asset, start = self.candidate.scene.asset, self.candidate.scene.joint_position
        reached = f" at openness {asset.openness(start + moved[-1]):.2f}" if moved else ""
        return PlanFailure(PlanCode.PATH_UNREACHABLE, f"post-motion: out of reach{reached}")

    def _static_hit(self, path: Array, moved: Sequence[float], amount: float) -> PlanFailure | None:
        """A look at few configurations, with the moving part out of the way.

        What is hit there is hit however far behind the joint is: that only makes the way longer.
        """
        enough = next(i for i, m in enumerate(moved) if self._is_enough(m, amount))
        self.model.allow_contact(True, arm=True)
        start = self.candidate.scene.joint_position
        for i in dict.fromkeys((min(enough + BACK_OFF - 1, len(path) - 1), enough // 2)):
            if self.model.in_collision(path[i], start):
                return self._collision(path[i], start)
        return None

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
        shifts: Sequence[tuple[float, float, float]],
        T_touch: Array,
        p_contact: Array,
        joint: JointAxis,
        amount: float,
        q_touch: Array,
    ) -> float | None:
        """Joint travel (rad or m, signed) until the hand meets the resting part; None = never.

        A hand that would move past the part without meeting it is found here, not in the world.
        The largest travel of the hand shifted by each of ``shifts`` (tool frame, m) counts.
        """
        T_tool_hand = se3.inverse(se3.transform(rotation=self.candidate.R_hand_tool))
        radius = 1.0
        if not joint.prismatic:
            arm = se3.apply(T_touch, p_contact) - joint.point
            radius = max(0.02, float(np.linalg.norm(np.cross(joint.direction, arm))))
        reach = float(np.copysign(min(abs(amount), self.config.max_slack / radius), amount))
        model, part_q = self.model, self.candidate.scene.joint_position
        model.allow_contact(False)
        slack = 0.0
        for shift in shifts:
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
        """GenSim2's fixed post-motions, beginning with the way from touch to actuation pose.

        They end before anything but the moving part is touched: the public files go on where the
        part is at its stop, into what holds it. ``done`` in the note is the share that is left.
        """
        candidate, scene = self.candidate, self.candidate.scene
        axis = scene.asset.info.axis
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_tool_hand = se3.inverse(T_hand_tool)
        keys = [self.arm.fk(q_touch) @ T_hand_tool, T_act]
        for motion in candidate.solver.post_actuation_motions:
            keys.append(motions.post_pose(keys[-1], motion, candidate.T_base_part, axis))
        poses = [T @ T_tool_hand for T in cartesian.through(keys)]
        path = cartesian.follow(self.arm, poses, q_touch)
        if isinstance(path, Unreachable):
            return PlanFailure(PlanCode.PATH_UNREACHABLE, f"post-motion: {path.reason}")
        # How the part follows is not known here, so it may be anywhere; nothing else moves.
        hit = self._first_hit(path, [scene.joint_position] * len(path), arm=True)
        done = 1.0
        if hit:
            number, failure = hit
            if number == 0:
                return failure
            last = transit.line(path[number - 1], path[number], self.config.touch_step)
            beyond = self._first_hit(last, [scene.joint_position] * len(last), arm=True)
            done = (number - 1) / (len(path) - 1)
            path = np.vstack([path[:number], last[1 : beyond[0] if beyond else None]])
        return path, {"fixed": True, "done": done}

    def _first_hit(
        self, path: Array, part_q: Sequence[float], *, arm: bool = False
    ) -> tuple[int, PlanFailure] | None:
        """The first collision; the hand, or the whole arm, may touch the moving part."""
        self.model.allow_contact(True, arm=arm)
        for i, (q, p) in enumerate(zip(path, part_q, strict=True)):
            if self.model.in_collision(q, p):
                return i, self._collision(q, p)
        return None

    def _collision(self, q: Array, part_q: float) -> PlanFailure:
        pairs = self.model.contacts(q, part_q, 0.0)
        kind = HandBlocked if hand_meets_scene(pairs) else PlanFailure
        return kind(PlanCode.PATH_COLLISION, f"post-motion: {pairs_text(pairs) or 'collision'}")
