"""The kPAM planner: solver configuration and scene to timed, collision-free joint trajectories.

For each way to meet the constraints (branch of the arm, half turn of the symmetric hand, small
shifts of the contact), nearest first:

1. key poses: pre-motions, actuation pose, post-motions;
2. the *touch pose*: along the last pre-motion, the last configuration in which nothing is touched.
   GenSim2's constraints put the hand right into the part, since they say where to push; contact
   therefore begins at the touch pose, and everything before it must be free with a margin;
3. joint paths through the poses; reach, joint limits and collisions of both;
4. a free transit from the present configuration to the first pre-pose; time laws.

The first way that passes wins. A plan that fails is never returned in part, and one that takes too
much CPU time is given up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from gensim2_control.limits import JointLimits
from numpy.typing import NDArray

from . import transit
from .actuation import SAME_SOLUTION, ActuationSolver, Target, all_seeds
from .arm_model import ArmModel
from .as_message import hold
from .budget import Budget, OutOfTimeError
from .candidate import Candidate
from .collision_model import CollisionModel
from .plan import Phase, Plan, PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig
from .retiming import RetimingError, retime
from .retreat import led_into, let_go
from .scene_checks import scene_problem, start_problem
from .solver_config import SolverConfig
from .tool import HALF_TURN, STRAIGHT
from .ways import Way, WayFinder

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
MODELS_KEPT = 8
NEAR_PAIRS = 3  # the first ring of shifts and sideways factors


@dataclass(eq=False)
class _Solution:
    """A configuration (7,) that meets the constraints, and how often it led out of reach."""

    q: Array
    R_hand_tool: Array
    strikes: int = 0


@dataclass
class _Search:
    """Book-keeping of one planning call."""

    budget: Budget
    failures: Counter[tuple[PlanCode, str]] = field(default_factory=Counter)
    candidates: int = 0
    seeds: int = 0
    converged: int = 0

    def fail(self, code: PlanCode, reason: str) -> None:
        self.failures[(code, reason)] += 1


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
        self.limits = JointLimits.fr3().reduced(0.0, self.config.speed, self.config.acceleration)
        self.arm = ArmModel(urdf)
        self._actuation = ActuationSolver(self.arm)
        self._urdf, self.clock = urdf, clock
        self._models: dict[str, CollisionModel] = {}
        CollisionModel(urdf, None)  # The robot is read here, and not in the first call.

    def bare_model(self) -> CollisionModel:
        """A collision model of the robot and the table, for whoever adds what stands around."""
        return CollisionModel(self._urdf, None)

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

    def way_out(
        self, model: CollisionModel, T_base_root: Array, q_start: Array, part_q: float
    ) -> tuple[tuple[Phase, ...], Array] | None:
        """Backing off, where the hand is still at something, and where it ends (7,)."""
        return let_go(self.arm, model, T_base_root, q_start, part_q, self.config, self.limits)

    def plan(
        self,
        solver: SolverConfig,
        scene: SceneObject,
        q_start: Array,
        *,
        seed: int = 0,
        cpu_limit: float | None = None,
    ) -> Plan | PlanFailure:
        """Plans one manipulation.

        Args:
            solver: What to do.
            scene: The object.
            q_start: Present arm configuration (7,), rad.
            seed: Of the transit's random samples.
            cpu_limit: CPU time for this call, s; None = that of the configuration.
        """
        started = self.clock()
        limit = self.config.cpu_limit if cpu_limit is None else cpu_limit
        search = _Search(Budget(self.clock, started + limit))
        outcome: tuple[tuple[Phase, ...], Way] | PlanFailure
        try:
            outcome = self._plan(solver, scene, np.asarray(q_start, float), seed, search)
        except OutOfTimeError:
            outcome = _given_up(search, limit)
        cpu_time = self.clock() - started
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
    ) -> tuple[tuple[Phase, ...], Way] | PlanFailure:
        problem = scene_problem(solver, scene)
        if problem:
            return PlanFailure(PlanCode.BAD_SCENE, problem)
        config = self.config
        finger = config.finger_closed if solver.gripper == "closed" else config.finger_open
        model = self.collision_model(scene)
        model.place(scene.T_base_root, finger)
        model.surround(scene.others)
        part_q = scene.joint_position
        problem = start_problem(self.arm, q_start)
        if problem:
            return PlanFailure(PlanCode.START_INVALID, problem)
        model.allow_contact(False)
        retreat: tuple[Phase, ...] = ()
        if model.in_collision(q_start, part_q, config.clearance):
            outcome = self.way_out(model, scene.T_base_root, q_start, part_q)
            model.place(scene.T_base_root, finger)
            if outcome is None:
                pairs = model.named_contacts(q_start, part_q, config.clearance)
                return PlanFailure(
                    PlanCode.START_INVALID,
                    f"the start is in collision, or closer than {config.clearance:g} m, and no way "
                    f"leads out: {pairs}",
                )
            retreat, q_start = outcome
        touched = not retreat and self._touches(scene, model, q_start, finger)
        rng = np.random.default_rng(seed)
        bounds = self.arm.limits_from(q_start)
        for way in self._ways(solver, scene, q_start, model, search):
            model.allow_contact(False)

            def collides(q: Array) -> bool:
                search.budget.check()
                within = np.all(q >= bounds[0] - 1e-6) and np.all(q <= bounds[1] + 1e-6)
                return not within or model.in_collision(q, part_q, config.clearance)

            first = way.approach[0]
            corners = transit.plan_transit(q_start, first, collides, bounds, rng)
            if corners is None:
                search.fail(PlanCode.TRANSIT_FAILED, "no free way to the first pre-pose")
                continue
            legs = [transit.line(a, b)[:-1] for a, b in pairwise(corners)]
            try:
                phases = (
                    *retreat,
                    *self._phases(solver, np.vstack([*legs, way.approach]), way.actuate, touched),
                )
            except RetimingError as error:
                search.fail(PlanCode.RETIMING_FAILED, str(error))
                continue
            return phases, way
        return _farthest(search)

    def _touches(
        self, scene: SceneObject, model: CollisionModel, q_start: Array, finger: float
    ) -> bool:
        """Whether the fingers are at something before they move to ``finger`` (m)."""
        config = self.config
        other = config.finger_closed if finger == config.finger_open else config.finger_open
        model.place(scene.T_base_root, other)
        touches = model.in_collision(q_start, scene.joint_position, config.clearance)
        model.place(scene.T_base_root, finger)
        return touches

    def _phases(
        self, solver: SolverConfig, approach: Array, actuate: Array, touched: bool
    ) -> tuple[Phase, ...]:
        config = self.config
        limits, plant = self.limits, self.arm.plant
        way = retime(plant, approach, limits)
        settle = hold(actuate[-1], max(config.settle_time, solver.settle_time))
        close = Phase("gripper", gripper=(config.finger_closed, config.grip_effort))
        start = Phase("gripper", gripper=(config.finger_open, config.grip_effort))
        return (
            close if solver.gripper == "closed" else start,
            Phase("approach", led_into(way) if touched else way),
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
    ) -> Iterator[Way]:
        T_base_part = scene.T_base_root @ scene.asset.T_root_part(scene.joint_position)
        target = Target(scene.keypoints, T_base_part[:3, :3])
        scales = self.config.sideways if _moves_sideways(solver) else (1.0,)
        pairs = _by_size(self.config.shifts, scales)
        finder = WayFinder(self.arm, model, self.config, search.budget)

        def solve(some_seeds: Array, known: Sequence[_Solution]) -> list[_Solution]:
            found: list[_Solution] = []
            for R_hand_tool in (STRAIGHT, HALF_TURN):
                search.budget.check()
                solved = self._actuation.solve(
                    solver.constraint_list,
                    target,
                    q_start,
                    R_hand_tool=R_hand_tool,
                    seeds=some_seeds,
                )
                search.seeds += solved.tried
                search.converged += solved.converged
                same_turn = [s.q for s in known if s.R_hand_tool is R_hand_tool]
                found += [
                    _Solution(q, R_hand_tool)
                    for q in solved.configurations
                    if all(np.max(np.abs(q - other)) > SAME_SOLUTION for other in same_turn)
                ]
            return found

        def attempt(solution: _Solution, pair: tuple[Vector, float]) -> Iterator[Way]:
            out = solution.strikes >= self.config.max_strikes
            if out or search.candidates >= self.config.max_candidates:
                return
            search.candidates += 1
            candidate = Candidate(solver, scene, T_base_part, solution.R_hand_tool, *pair)
            outcome = finder.check(candidate, solution.q)
            if isinstance(outcome, PlanFailure):
                solution.strikes += outcome.code is PlanCode.PATH_UNREACHABLE
                search.fail(outcome.code, outcome.reason)
            else:
                yield outcome

        def distance(solution: _Solution) -> float:
            return float(np.linalg.norm(solution.q - q_start))

        # From where the arm is, the optimisation nearly always finds the nearest solution, which
        # nearly always is good as it is or a little beside: the other seeds are for when it is not.
        start, others = np.split(all_seeds(q_start), [1])
        near = sorted(solve(start, ()), key=distance)
        for pair in pairs[:NEAR_PAIRS]:
            for solution in near:
                yield from attempt(solution, pair)
        solutions = sorted([*near, *solve(others, near)], key=distance)
        if not solutions:
            search.fail(PlanCode.NO_IK, "no configuration meets the constraints within limits")
        for number, pair in enumerate(pairs):
            for solution in solutions:
                if number >= NEAR_PAIRS or solution not in near:
                    yield from attempt(solution, pair)


def _farthest(search: _Search) -> PlanFailure:
    """What became of the candidate that came farthest, which tells most."""
    if not search.failures:
        return PlanFailure(PlanCode.NO_IK, "no candidate")
    # Codes are numbered in the order of checks.
    (code, reason), _ = max(search.failures.items(), key=lambda item: item[0][0])
    return PlanFailure(code, reason)


def _given_up(search: _Search, limit: float) -> PlanFailure:
    text = f"given up after {limit:.3g} s of CPU time and {search.candidates} candidates"
    if search.failures:
        farthest = _farthest(search)
        text += f"; so far {farthest.code.name.lower()}: {farthest.reason}"
    return PlanFailure(PlanCode.TIMEOUT, text)


def _moves_sideways(solver: SolverConfig) -> bool:
    return any(m.kind in ("translate_x", "translate_y") for m in solver.pre_actuation_motions)


def _by_size(shifts: Sequence[Vector], scales: Sequence[float]) -> list[tuple[Vector, float]]:
    """All pairs, the ones early in both lists first."""
    order = [(i + j, i, j) for i in range(len(shifts)) for j in range(len(scales))]
    return [(shifts[i], scales[j]) for _, i, j in sorted(order)]
