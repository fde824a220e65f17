"""The kPAM planner: solver configuration and scene to timed, collision-free joint trajectories.

For each way to meet the constraints (branch of the arm, half turn of the symmetric hand, small
shifts of the contact), nearest first:

1. key poses: pre-motions, actuation pose, post-motions;
2. the *touch pose*: along the last pre-motion, the last configuration in which nothing is touched.
   GenSim2's constraints put the hand right into the part, since they say where to push; contact
   therefore begins at the touch pose, and everything before it must be free with a margin;
3. joint paths through the poses; reach, joint limits and collisions of both;
4. a free transit from the present configuration to the first pre-pose; time laws.

The first way that passes wins. A plan that fails is never returned in part.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory
from numpy.typing import NDArray

from gensim2_tasks import se3

from . import cartesian, motions, transit
from .actuate import Actuator
from .actuation import ActuationSolver, Target
from .approach import grasps, until_touch
from .arm_model import ARM_DOF, ArmModel
from .candidate import Candidate
from .collision_model import CollisionModel
from .plan import Phase, Plan, PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig
from .retiming import RetimingError, message_times, retime
from .solver_config import KeypointAxisConstraint, Motion, SolverConfig

Array = NDArray[np.float64]
HALF_TURN = np.diag([-1.0, -1.0, 1.0])
MODELS_KEPT = 8
JOINT_SLACK = 0.1  # rad or m by which a measured joint may be beyond its limits


@dataclass
class _Search:
    """Book-keeping of one planning call."""

    failures: Counter[tuple[PlanCode, str]] = field(default_factory=Counter)
    candidates: int = 0
    seeds: int = 0
    converged: int = 0

    def fail(self, code: PlanCode, reason: str) -> None:
        self.failures[(code, reason)] += 1


@dataclass(frozen=True)
class _Way:
    """A candidate that has passed every check but the transit."""

    approach: Array  # (N, 7) from the first pre-pose to the touch pose
    actuate: Array  # (M, 7) from the touch pose on
    key_poses: tuple[Array, ...]
    note: dict[str, object]


class Planner:
    """Plans one manipulation at a time.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        config: Numbers.
        clock: CPU clock in s.
    """

    def __init__(
        self,
        urdf: str,
        config: PlannerConfig | None = None,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.config = config or PlannerConfig()
        self.arm = ArmModel(urdf)
        self._actuation = ActuationSolver(self.arm)
        self._urdf, self._clock = urdf, clock
        self._models: dict[str, CollisionModel] = {}

    def collision_model(self, scene: SceneObject) -> CollisionModel:
        """The collision model of the asset; the last few are kept."""
        key = str(scene.asset.ref)
        model = self._models.pop(key, None)
        if model is None:
            model = CollisionModel(self._urdf, scene.asset)
        self._models[key] = model
        if len(self._models) > MODELS_KEPT:
            del self._models[next(iter(self._models))]
        return model

    def plan(
        self,
        solver: SolverConfig,
        scene: SceneObject,
        q_start: Array,
        *,
        seed: int = 0,
    ) -> Plan | PlanFailure:
        """Plans one manipulation.

        Args:
            solver: What to do.
            scene: The object.
            q_start: Present arm configuration (7,), rad.
            seed: Of the transit's random samples.
        """
        started = self._clock()
        search = _Search()
        outcome = self._plan(solver, scene, np.asarray(q_start, float), seed, search)
        cpu_time = self._clock() - started
        report: dict[str, object] = {
            "solver": solver.task_name,
            "seeds": search.seeds,
            "converged": search.converged,
            "candidates": search.candidates,
            "rejected": [
                {"code": code.name, "reason": reason, "times": n}
                for (code, reason), n in search.failures.most_common()
            ],
        }
        if isinstance(outcome, PlanFailure):
            return PlanFailure(outcome.code, outcome.reason, report, cpu_time)
        phases, way = outcome
        return Plan(phases, way.key_poses, {**report, **way.note}, cpu_time)

    def _plan(
        self,
        solver: SolverConfig,
        scene: SceneObject,
        q_start: Array,
        seed: int,
        search: _Search,
    ) -> tuple[tuple[Phase, ...], _Way] | PlanFailure:
        problem = _problem(solver, scene)
        if problem:
            return PlanFailure(PlanCode.BAD_SCENE, problem)
        config = self.config
        finger = config.finger_closed if solver.gripper == "closed" else config.finger_open
        model = self.collision_model(scene)
        model.place(scene.T_base_root, finger)
        part_q = scene.joint_position
        if q_start.shape != (ARM_DOF,) or not np.all(np.isfinite(q_start)):
            text = f"the start must be {ARM_DOF} finite joint positions"
            return PlanFailure(PlanCode.START_INVALID, text)
        if not self.arm.within_limits(q_start):
            return PlanFailure(PlanCode.START_INVALID, "the start is outside the joint limits")
        model.allow_contact(False)
        if model.in_collision(q_start, part_q, config.clearance):
            pairs = model.named_contacts(q_start, part_q, config.clearance)
            return PlanFailure(
                PlanCode.START_INVALID,
                f"the start is in collision, or closer than {config.clearance:g} m: {pairs}",
            )
        rng = np.random.default_rng(seed)
        for way in self._ways(solver, scene, q_start, model, search):
            model.allow_contact(False)

            def collides(q: Array) -> bool:
                return not self.arm.within_limits(q) or model.in_collision(
                    q, part_q, config.clearance
                )

            first = way.approach[0]
            bounds = (self.arm.q_min, self.arm.q_max)
            corners = transit.plan_transit(q_start, first, collides, bounds, rng)
            if corners is None:
                search.fail(PlanCode.TRANSIT_FAILED, "no free way to the first pre-pose")
                continue
            legs = [transit.line(a, b)[:-1] for a, b in pairwise(corners)]
            try:
                phases = self._phases(solver, np.vstack([*legs, way.approach]), way.actuate)
            except RetimingError as error:
                search.fail(PlanCode.RETIMING_FAILED, str(error))
                continue
            return phases, way
        return self._failure(search)

    def _failure(self, search: _Search) -> PlanFailure:
        if not search.failures:
            return PlanFailure(PlanCode.NO_IK, "no candidate")
        # The candidate that came farthest tells most: codes are numbered in the order of checks.
        (code, reason), _ = max(search.failures.items(), key=lambda item: item[0][0])
        return PlanFailure(code, reason)

    def _phases(self, solver: SolverConfig, approach: Array, actuate: Array) -> tuple[Phase, ...]:
        config = self.config
        limits = JointLimits.fr3().reduced(0.0, config.speed, config.acceleration)
        plant = self.arm.plant
        hold = np.vstack([actuate[-1], actuate[-1]])
        t = message_times(np.array([0.0, config.settle_time]))
        settle = Trajectory(t=t, q=hold, dq=np.zeros_like(hold))
        close = Phase("gripper", gripper=(config.finger_closed, config.grip_effort))
        start = Phase("gripper", gripper=(config.finger_open, config.grip_effort))
        return (
            close if solver.gripper == "closed" else start,
            Phase("approach", retime(plant, approach, limits)),
            *((close,) if solver.gripper == "grasp" else ()),
            Phase("actuate", retime(plant, actuate, limits)),
            Phase("settle", settle),
        )

    def _ways(
        self,
        solver: SolverConfig,
        scene: SceneObject,
        q_start: Array,
        model: CollisionModel,
        search: _Search,
    ) -> Iterator[_Way]:
        T_base_part = scene.T_base_root @ scene.asset.T_root_part(scene.joint_position)
        target = Target(scene.keypoints, T_base_part[:3, :3])
        solutions: list[tuple[Array, Array]] = []
        for R_hand_tool in (np.eye(3), HALF_TURN):
            solved = self._actuation.solve(
                solver.constraint_list, target, q_start, R_hand_tool=R_hand_tool
            )
            search.seeds += solved.tried
            search.converged += solved.converged
            solutions += [(q, R_hand_tool) for q in solved.configurations]
        if not solutions:
            search.fail(PlanCode.NO_IK, "no configuration meets the constraints within limits")
        solutions.sort(key=lambda s: float(np.linalg.norm(s[0] - q_start)))
        scales = self.config.sideways if _moves_sideways(solver) else (1.0,)
        strikes = [0] * len(solutions)
        for shift, scale in _by_size(self.config.shifts, scales):
            for i, (q_act, R_hand_tool) in enumerate(solutions):
                if search.candidates >= self.config.max_candidates:
                    return
                if strikes[i] >= self.config.max_strikes:
                    continue
                search.candidates += 1
                candidate = Candidate(solver, scene, T_base_part, R_hand_tool, shift, scale)
                outcome = self._check(candidate, q_act, model)
                if isinstance(outcome, PlanFailure):
                    strikes[i] += outcome.code is PlanCode.PATH_UNREACHABLE
                    search.fail(outcome.code, outcome.reason)
                else:
                    yield outcome

    def _check(
        self, candidate: Candidate, q_solved: Array, model: CollisionModel
    ) -> _Way | PlanFailure:
        solver, scene = candidate.solver, candidate.scene
        T_hand_tool = se3.transform(rotation=candidate.R_hand_tool)
        T_tool_hand = se3.inverse(T_hand_tool)
        axis = scene.asset.info.axis or "x"
        T_act = self.arm.fk(q_solved) @ T_hand_tool @ se3.transform(candidate.shift)
        pre = motions.pre_poses(
            T_act,
            _scaled(solver.pre_actuation_motions, candidate.scale),
            candidate.T_base_part,
            axis,
        )
        keys = [*pre, T_act]
        # Solved backwards, from the configuration that is known to the first pre-pose.
        tool_path = cartesian.through(keys[::-1])
        hand_path = [T @ T_tool_hand for T in tool_path]
        back = cartesian.follow(self.arm, hand_path, q_solved, partial=True)
        if len(back) < self.config.least_approach * len(hand_path):
            share = len(back) / len(hand_path)
            return PlanFailure(
                PlanCode.PATH_UNREACHABLE, f"pre-motion: {100 * share:.0f} % of it is in reach"
            )
        grasp = solver.gripper == "grasp"
        approach = until_touch(back[::-1], scene.joint_position, model, self.config, grasp=grasp)
        if isinstance(approach, PlanFailure):
            return approach
        actuator = Actuator(self.arm, model, self.config, candidate)
        post = solver.post_actuation_motions
        if grasp and not grasps(approach[-1], scene, model, self.config):
            return PlanFailure(PlanCode.PATH_COLLISION, "grasp: the fingers meet nothing")
        if post and post[0].kind == "follow_joint":
            actuate = actuator.follow_joint(post[0].value, approach[-1])
        else:
            actuate = actuator.fixed(T_act, approach[-1])
        if isinstance(actuate, PlanFailure):
            return actuate
        path, note = actuate
        hand_poses = [T @ T_tool_hand for T in keys] + [self.arm.fk(path[-1])]
        poses = [T @ self.arm.T_hand_tcp for T in hand_poses]
        note |= {"shift": list(candidate.shift), "sideways": candidate.scale}
        return _Way(approach, path, tuple(poses), note)


def _problem(solver: SolverConfig, scene: SceneObject) -> str:
    """Why nothing can be planned on a scene; empty where it can."""
    missing = sorted(solver.object_keypoints() - {*scene.keypoints})
    if missing:
        known = ", ".join(sorted(scene.keypoints))
        return f"the object lacks keypoint {', '.join(missing)}; it has {known}"
    # Drake answers to a number that is none by ending the process.
    numbers = [scene.T_base_root.ravel(), np.atleast_1d(scene.joint_position)]
    if not all(np.isfinite(n).all() for n in [*numbers, *scene.keypoints.values()]):
        return "pose, joint position or a keypoint is not finite"
    R = scene.T_base_root[:3, :3]
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-6):
        return "the pose of the object is no rigid transform"
    low, high = scene.asset.tree.moving.limits
    if not low - JOINT_SLACK <= scene.joint_position <= high + JOINT_SLACK:
        return (
            f"the joint position {scene.joint_position:.4g} is outside of its limits, "
            f"{low:.4g} to {high:.4g}"
        )
    for c in solver.constraint_list:
        if isinstance(c, KeypointAxisConstraint):
            ends = (c.target_axis_from_keypoint_name, c.target_axis_to_keypoint_name)
            if np.linalg.norm(scene.keypoints[ends[1]] - scene.keypoints[ends[0]]) < 1e-4:
                return f"the keypoints {ends[0]} and {ends[1]} are in one place"
    return ""


def _moves_sideways(solver: SolverConfig) -> bool:
    return any(m.kind in ("translate_x", "translate_y") for m in solver.pre_actuation_motions)


def _scaled(pre: Sequence[Motion], scale: float) -> list[Motion]:
    """The pre-motions with those across the approach axis scaled."""
    across = ("translate_x", "translate_y")
    return [m.model_copy(update={"value": m.value * scale}) if m.kind in across else m for m in pre]


def _by_size(
    shifts: Sequence[tuple[float, float, float]], scales: Sequence[float]
) -> list[tuple[tuple[float, float, float], float]]:
    """All pairs, the ones early in both lists first."""
    order = [(i + j, i, j) for i in range(len(shifts)) for j in range(len(scales))]
    return [(shifts[i], scales[j]) for _, i, j in sorted(order)]
