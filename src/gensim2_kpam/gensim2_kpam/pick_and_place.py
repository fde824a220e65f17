"""Takes hold of a rigid object and puts it somewhere else: Reach, Grasp, Move, UnGrasp.

``pick`` looks for a grasp from which the object can be put down where it has to go: a hand that
takes an orange from above cannot put it into a microwave. ``place`` starts from how the object
really is in the hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from gensim2_control.limits import JointLimits
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

from . import cartesian, transit
from .arm_model import ArmModel
from .as_message import hold
from .budget import Budget
from .collision_model import CollisionModel
from .grasps import Grasp, centre_of_mass, find_grasps
from .hand_pose import PoseSolver, hand_rotations
from .hand_shape import FINGER_SOLIDS, HAND_SOLIDS, meets, surface_points
from .places import Held, Place, find_places
from .plan import Phase, PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig
from .regions import RegionError, region_of
from .retiming import RetimingError, retime

Array = NDArray[np.float64]
REACH = 0.10  # m, straight way of the hand to an object
SHORTEST_REACH = 0.05
LIFT = 0.12  # m, straight up with the object
SHORTEST_LIFT = 0.04
OFF_TABLE = 0.012  # m of the lift after which the object must be clear of what it stood on
RETREAT = 0.12  # m, straight way of the hand from an object it has put down
SHORTEST_RETREAT = 0.04
GRASP_CLEARANCE = 1e-3  # m, of the open hand around an object
HELD_CLEARANCE = 0.004  # m, of the object in free motion: how it is in the hand is seen, not exact
YAWS = 12  # turns of the present hand about the vertical that are tried first
MOST_GRASPS, MOST_PLACES = 300, 200  # that are looked at closely
POINTS_APART = 0.015  # m, on the surfaces of what stands around
ITEM_POINTS_APART = 0.004  # m, on that of what is taken
MOST_TRANSITS = 4  # free ways looked for in vain: other random samples may do better
LOOK_AHEAD = 24  # places tried for each grasp
Found = tuple[tuple[Phase, ...], tuple[Array, ...], dict[str, object]]


class Failures:
    """Why candidates have failed; the one that came farthest tells most."""

    def __init__(self) -> None:
        self.counts: dict[tuple[PlanCode, str], int] = {}

    def note(self, code: PlanCode, reason: str) -> None:
        """Counts one."""
        self.counts[(code, reason)] = self.counts.get((code, reason), 0) + 1

    def outcome(self, nothing: str) -> PlanFailure:
        """The failure of the whole."""
        if not self.counts:
            return PlanFailure(PlanCode.NO_IK, nothing)
        code, reason = max(self.counts, key=lambda item: item[0])
        return PlanFailure(code, f"{reason} ({sum(self.counts.values())} candidates)")


class ObjectMover:
    """Plans pick and place; the caller sees to it that the start is free.

    Args:
        arm: The arm.
        model: Robot and table, without an object of its own.
        config: Margins.
        limits: Velocity and acceleration limits of the motions.
    """

    def __init__(
        self, arm: ArmModel, model: CollisionModel, config: PlannerConfig, limits: JointLimits
    ) -> None:
        self.arm, self.model, self.config, self._limits = arm, model, config, limits
        self._poses = PoseSolver(arm)

    def pick(
        self,
        item: SceneObject,
        target: SceneObject,
        region: str,
        q_start: Array,
        rng: np.random.Generator,
        budget: Budget,
    ) -> Found | PlanFailure:
        """Reach, Grasp and a lift.

        Args:
            item: What to take; the others of its scene are avoided.
            target: Where it has to go afterwards.
            region: Of the target.
            q_start: Free configuration (7,), rad.
            rng: Of the random samples.
            budget: CPU time.

        Raises:
            OutOfTimeError: It is used up.
        """
        failures = Failures()
        shut = 0
        pieces = [v for _, v in item.hulls()]
        try:
            region_of(region, target, np.ptp(np.concatenate(pieces), axis=0))
        except RegionError as error:
            return PlanFailure(PlanCode.BAD_SCENE, str(error))
        points = surface_points(pieces, ITEM_POINTS_APART)
        for grasp in islice(_open_to(find_grasps(pieces, rng), points), MOST_GRASPS):
            budget.check()
            found = self._grasp(grasp, item, target, region, q_start, budget, failures)
            if found is None:
                continue
            back, lift = found
            self._set(item, held=False)
            path = self._free_way(q_start, back[-1], self.config.clearance, rng, budget)
            if path is None:
                failures.note(PlanCode.TRANSIT_FAILED, "no free way to the object")
                shut += 1
                if shut == MOST_TRANSITS:
                    break
                continue
            approach = np.vstack([path[:-1], back[::-1]])
            try:
                phases = (
                    Phase("gripper", gripper=(self.config.finger_open, self.config.grip_effort)),
                    Phase("reach", retime(self.arm.plant, approach, self._limits)),
                    Phase("grasp", gripper=(self.config.finger_closed, self.config.grip_effort)),
                    Phase("lift", retime(self.arm.plant, lift, self._limits)),
                )
            except RetimingError as error:
                failures.note(PlanCode.RETIMING_FAILED, str(error))
                continue
            keys = tuple(self.arm.fk(q) for q in (back[-1], back[0], lift[-1]))
            return phases, self._tcp(keys), {"width": grasp.width, "cost": grasp.cost}
        return failures.outcome(f"there is nothing on {item.name!r} that the gripper can hold")

    def place(
        self,
        item: SceneObject,
        target: SceneObject,
        region: str,
        q_start: Array,
        rng: np.random.Generator,
        budget: Budget,
    ) -> Found | PlanFailure:
        """Move and UnGrasp; arguments as for ``pick``, with the object in the hand."""
        failures = Failures()
        T_hand = self.arm.fk(q_start)
        held = _held(item, T_hand)
        try:
            places = self._places(held, target, region, T_hand)
        except RegionError as error:
            return PlanFailure(PlanCode.BAD_SCENE, str(error))
        for place in islice(places, MOST_PLACES):
            budget.check()
            for inwards in self._ways_in(place, held, item, q_start, failures):
                self._set(item, held=True, pieces=held.pieces)
                path = self._free_way(q_start, inwards[0], HELD_CLEARANCE, rng, budget)
                if path is None:
                    failures.note(PlanCode.TRANSIT_FAILED, "no free way to where it has to go")
                    break
                away = self._retreat(place, inwards, item, failures)
                if away is None:
                    continue
                move = np.vstack([path[:-1], inwards])
                try:
                    phases = (
                        Phase("move", retime(self.arm.plant, move, self._limits)),
                        Phase(
                            "ungrasp", gripper=(self.config.finger_open, self.config.grip_effort)
                        ),
                        Phase("retreat", retime(self.arm.plant, away, self._limits)),
                        Phase("settle", hold(away[-1], self.config.settle_time)),
                    )
                except RetimingError as error:
                    failures.note(PlanCode.RETIMING_FAILED, str(error))
                    continue
                keys = tuple(self.arm.fk(q) for q in (inwards[0], inwards[-1], away[-1]))
                return phases, self._tcp(keys), {"cost": place.cost}
        return failures.outcome("there is no room for it")

    def _tcp(self, hands: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(T @ self.arm.T_hand_tcp for T in hands)

    def _set(
        self, item: SceneObject, *, held: bool, pieces: tuple[Array, ...] = (), alone: bool = False
    ) -> None:
        """Prepares the collision model: the item in the hand, or on its place, or left out."""
        config = self.config
        own = () if held or alone else (item,)
        self.model.surround((*item.others, *own))
        self.model.hold(pieces if held else ())
        # Fingers that hold something are about as far open as it is wide; open is the safe guess.
        self.model.place(np.eye(4), config.finger_open)

    def _grasp(
        self,
        grasp: Grasp,
        item: SceneObject,
        target: SceneObject,
        region: str,
        q_start: Array,
        budget: Budget,
        failures: Failures,
    ) -> tuple[Array, Array] | None:
        """Ways (N, 7) back from the grasp, and up with the object; None = no good."""
        T = grasp.T_base_hand
        approach = T[:3, 2]
        for q in self._poses.solve(T, q_start, seeds=5):
            budget.check()
            self._set(item, held=False)
            if self._hits(q, GRASP_CLEARANCE, failures, "grasp pose"):
                return None
            before = T.copy()
            before[:3, 3] -= REACH * approach
            back = self._straight(T, before, q, SHORTEST_REACH, GRASP_CLEARANCE)
            if back is None:
                failures.note(PlanCode.PATH_UNREACHABLE, "no straight way to the grasp")
                continue
            held = _held(item, T)
            over = T.copy()
            over[2, 3] += LIFT
            self._set(item, held=True, pieces=held.pieces)
            lift = self._straight(T, over, q, SHORTEST_LIFT, 0.0, free_after=OFF_TABLE)
            if lift is None:
                failures.note(PlanCode.PATH_UNREACHABLE, "it cannot be lifted")
                continue
            if self._leads_to_a_place(held, item, target, region, lift[-1], failures):
                return back, lift
        return None

    def _leads_to_a_place(
        self,
        held: Held,
        item: SceneObject,
        target: SceneObject,
        region: str,
        q: Array,
        failures: Failures,
    ) -> bool:
        places = self._places(held, target, region, self.arm.fk(q))
        for place in islice(places, LOOK_AHEAD):
            for inwards in self._ways_in(place, held, item, q, failures):
                if self._retreat(place, inwards, item, failures) is not None:
                    return True
        return False

    def _places(
        self, held: Held, target: SceneObject, region: str, T_base_hand: Array
    ) -> Iterator[Place]:
        size = np.ptp(np.concatenate(held.pieces) @ T_base_hand[:3, :3].T, axis=0)
        yaws = Rotation.from_euler("z", np.arange(YAWS)[:, None] * (2 * np.pi / YAWS)).as_matrix()
        rotations = np.concatenate([yaws @ T_base_hand[:3, :3], hand_rotations()])
        return find_places(
            held,
            region_of(region, target, size),
            rotations,
            T_base_hand,
            surface_points((v for _, v in target.hulls()), POINTS_APART),
        )

    def _ways_in(
        self, place: Place, held: Held, item: SceneObject, q_near: Array, failures: Failures
    ) -> Iterator[Array]:
        """Ways (N, 7) of the hand with the object from before the region to where it lets go."""
        for q in self._poses.solve(place.T_base_hand, q_near, seeds=4):
            self._set(item, held=True, pieces=held.pieces)
            if self._hits(q, 0.0, failures, "where it is let go"):
                return
            out = self._straight(place.T_base_hand, place.T_base_before, q, np.inf, 0.0)
            if out is None:
                failures.note(PlanCode.PATH_UNREACHABLE, "no straight way in")
                continue
            yield out[::-1]

    def _retreat(
        self, place: Place, inwards: Array, item: SceneObject, failures: Failures
    ) -> Array | None:
        """The way (N, 7) of the open hand from what it has put down; None = none."""
        self._set(item, held=False, alone=True)
        q, T = inwards[-1], place.T_base_hand
        if self._hits(q, 0.0, failures, "open fingers where it is let go"):
            return None
        out = place.T_base_before[:3, 3] - T[:3, 3]
        ways = [-T[:3, 2], out / max(1e-9, float(np.linalg.norm(out)))]
        for way in ways:
            end = T.copy()
            end[:3, 3] += RETREAT * way
            path = self._straight(T, end, q, SHORTEST_RETREAT, 0.0)
            if path is not None and len(path) > 2:
                return path
        failures.note(PlanCode.PATH_COLLISION, "no way back from where it is let go")
        return None

    def _straight(
        self,
        T_from: Array,
        T_to: Array,
        q: Array,
        least: float,
        margin: float,
        free_after: float = 0.0,
    ) -> Array | None:
        """Straight way (N, 7) of the hand from ``q`` on, as far as it is free and in reach.

        Args:
            T_from: Hand at ``q``.
            T_to: Hand at the end.
            q: Where it begins (7,).
            least: Length that is enough, m; what is longer than the way asks for all of it.
            margin: Distance to keep, m.
            free_after: Length, m, after which nothing may be touched.
        """
        poses = cartesian.interpolate(T_from, T_to)
        path = cartesian.follow_from(self.arm, poses, q)
        length = float(np.linalg.norm(T_to[:3, 3] - T_from[:3, 3]))
        step = length / max(1, len(poses) - 1)
        free = len(path)
        for number in range(len(path)):
            if number * step >= free_after and self.model.in_collision(path[number], 0.0, margin):
                free = number
                break
        reached = (free - 1) * step
        return path[:free] if free > 1 and reached >= min(least, length) - 1e-6 else None

    def _hits(self, q: Array, margin: float, failures: Failures, what: str) -> bool:
        if not self.model.in_collision(q, 0.0, margin):
            return False
        text = self.model.named_contacts(q, 0.0, margin)
        failures.note(PlanCode.PATH_COLLISION, f"{what}: {text}")
        return True

    def _free_way(
        self,
        q_start: Array,
        q_goal: Array,
        clearance: float,
        rng: np.random.Generator,
        budget: Budget,
    ) -> Array | None:
        return transit.free_way(
            self.arm,
            self.model,
            q_start,
            q_goal,
            part_q=0.0,
            clearance=clearance,
            rng=rng,
            check=budget.check,
        )


def _open_to(grasps: Iterable[Grasp], points: Array) -> Iterator[Grasp]:
    """Grasps in which the open hand is not where the points (N, 3) of the object are."""
    for grasp in grasps:
        R, p = grasp.T_base_hand[:3, :3], grasp.T_base_hand[:3, 3]
        if not meets((points - p) @ R, (*HAND_SOLIDS, *FINGER_SOLIDS)):
            yield grasp


def _held(item: SceneObject, T_base_hand: Array) -> Held:
    T_hand_base = se3.inverse(T_base_hand)
    pieces = tuple(se3.apply(T_hand_base, v) for _, v in item.hulls())
    return Held(pieces, centre_of_mass(pieces), T_hand_base @ item.T_base_root)
