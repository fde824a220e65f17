"""Moves a part of an object along its joint, wherever the hand finds a hold on it.

For when no solver configuration leads anywhere: they say where to act by keypoints, which does not
help where a lid is shut. A plan that gets a part on its way is enough: whoever looks again after it
can go on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import numpy as np
from gensim2_control.limits import JointLimits
from numpy.typing import NDArray

from . import cartesian, motions, transit
from .arm_model import ArmModel
from .as_message import hold
from .budget import Budget
from .collision_model import CollisionModel
from .hand_pose import PoseSolver
from .motions import JointAxis
from .part_contacts import Contact, MovingPart, find_contacts
from .part_grasps import find_part_grasps
from .pick_and_place import Failures, Found
from .plan import Phase, PlanCode, PlanFailure, SceneObject
from .planner_config import PlannerConfig
from .retiming import RetimingError, retime

Array = NDArray[np.float64]
BACK = 0.08  # m, straight way of the hand to a contact
SHORTEST_BACK = 0.03
BACK_OFF = 2  # poses by which the motion ends before a collision
LEAST = 0.12  # openness that is worth a plan
SHORT = 0.02  # openness by which a goal may be missed with which nothing better is looked for
MOST_CONTACTS = 240  # that are looked at closely, before others are drawn
ROUNDS = 2  # of drawing
MOST_WAYS = 8  # of which the one that leads farthest is taken
MOST_TRANSITS = 4  # free ways looked for
TURN_SHARES = {"push": (1.0, 0.6, 0.3), "press": (1.0, 0.7), "grasp": (1.0, 0.6)}


@dataclass(frozen=True)
class _Way:
    """Ways (N, 7) back from a contact and on with it, and the openness that this gains."""

    contact: Contact
    back: Array
    actuate: Array
    gained: float


class PartMover:
    """Plans grasps, pushes and presses.

    Args:
        arm: The arm.
        config: Margins.
        limits: Velocity and acceleration limits of the motions.
    """

    def __init__(self, arm: ArmModel, config: PlannerConfig, limits: JointLimits) -> None:
        self.arm, self.config, self._limits = arm, config, limits
        self._poses = PoseSolver(arm)

    def plan(
        self,
        scene: SceneObject,
        openness: float,
        model: CollisionModel,
        q_start: Array,
        rng: np.random.Generator,
        budget: Budget,
    ) -> Found | PlanFailure:
        """Moves the part of an object towards an openness.

        Args:
            scene: The object, and what else stands around.
            openness: The goal.
            model: With the object, placed where it is, and its surroundings.
            q_start: Free configuration (7,), rad.
            rng: Of the random samples.
            budget: CPU time.

        Raises:
            OutOfTimeError: It is used up before anything was found.
        """
        failures = Failures()
        asset, part_q = scene.asset, scene.joint_position
        joint = motions.joint_of(scene)
        amount = asset.joint_position(openness) - part_q
        moving = model.moving_links
        pieces = [(link in moving, v) for link, v in scene.hulls()]
        others = [v for own, v in pieces if not own]
        others += [v for o in scene.others for _, v in o.hulls()]
        part = MovingPart.of([v for own, v in pieces if own], others, joint, float(np.sign(amount)))
        contacts = chain.from_iterable(
            islice(
                _in_turn(*find_contacts(part, rng), find_part_grasps(part, rng)),
                MOST_CONTACTS,
            )
            for _ in range(ROUNDS)
        )
        goal = abs(openness - asset.openness(part_q)) - SHORT
        ways: list[_Way] = []
        for contact in contacts:
            if not ways:
                budget.check()
            elif len(ways) >= MOST_WAYS or budget.is_over:
                break
            for way in self._ways(contact, scene, joint, amount, q_start, model, failures):
                if way.gained >= LEAST:
                    ways.append(way)
                    break
                failures.note(PlanCode.PATH_COLLISION, f"openness gained: {way.gained:.2f}")
            if ways and ways[-1].gained >= goal:
                found = self._phases(ways.pop(), scene, model, q_start, rng, failures)
                if found is not None:
                    return found
        for way in sorted(ways, key=lambda w: -w.gained)[:MOST_TRANSITS]:
            found = self._phases(way, scene, model, q_start, rng, failures)
            if found is not None:
                return found
        return failures.outcome("there is nothing on it that it could be moved by")

    def _phases(
        self,
        way: _Way,
        scene: SceneObject,
        model: CollisionModel,
        q_start: Array,
        rng: np.random.Generator,
        failures: Failures,
    ) -> Found | None:
        """The plan of a way; None where the arm does not get to it."""
        contact, back, actuate = way.contact, way.back, way.actuate
        self._place(contact, scene, model, touching=False)
        path = transit.free_way(
            self.arm,
            model,
            q_start,
            back[-1],
            part_q=scene.joint_position,
            clearance=self.config.clearance,
            rng=rng,
        )
        if path is None:
            failures.note(PlanCode.TRANSIT_FAILED, "no free way to the contact")
            return None
        approach = np.vstack([path[:-1], back[::-1]])
        effort = self.config.grip_effort
        closed = Phase("gripper", gripper=(self.config.finger_closed, effort))
        opened = Phase("gripper", gripper=(self.config.finger_open, effort))
        grasp = contact.kind == "grasp"
        try:
            phases = (
                opened if grasp else closed,
                Phase("approach", retime(self.arm.plant, approach, self._limits)),
                *((closed,) if grasp else ()),
                Phase("actuate", retime(self.arm.plant, actuate, self._limits)),
                *((opened,) if grasp else ()),
                Phase("settle", hold(actuate[-1], self.config.settle_time)),
            )
        except RetimingError as error:
            failures.note(PlanCode.RETIMING_FAILED, str(error))
            return None
        hands = (back[-1], back[0], actuate[-1])
        keys = tuple(self.arm.fk(q) @ self.arm.T_hand_tcp for q in hands)
        note: dict[str, object] = {
            "contact": contact.kind,
            "gain": way.gained,
            "cost": contact.cost,
        }
        return phases, keys, note

    def _ways(
        self,
        contact: Contact,
        scene: SceneObject,
        joint: JointAxis,
        amount: float,
        q_start: Array,
        model: CollisionModel,
        failures: Failures,
    ) -> Iterator[_Way]:
        """What the arm can do with a contact."""
        T, part_q = contact.T_base_hand, scene.joint_position
        self._place(contact, scene, model, touching=False)
        for q in self._poses.solve(T, q_start, seeds=3):
            if model.in_collision(q, part_q):
                text = model.named_contacts(q, part_q, 0.0)
                failures.note(PlanCode.PATH_COLLISION, f"contact: {text}")
                return
            back = self._back(contact, q, model, part_q)
            if back is None:
                failures.note(PlanCode.PATH_COLLISION, "no straight way to the contact")
                continue
            actuate, moved = self._on(contact, scene, joint, amount, q, model)
            if len(actuate) > 1:
                asset = scene.asset
                gained = abs(asset.openness(part_q + moved) - asset.openness(part_q))
                yield _Way(contact, back, actuate, gained)
            else:
                failures.note(PlanCode.PATH_COLLISION, "no way on from the contact")

    def _back(
        self, contact: Contact, q: Array, model: CollisionModel, part_q: float
    ) -> Array | None:
        """The straight way (N, 7) from the contact: along the fingers, or off the face."""
        T = contact.T_base_hand
        along = -T[:3, 2]
        ways = [along]
        if contact.kind != "grasp":
            off = -contact.press / np.linalg.norm(contact.press)
            ways += [off + along, off]
        for way in ways:
            end = T.copy()
            end[:3, 3] += BACK * way / np.linalg.norm(way)
            poses = cartesian.interpolate(T, end)
            path = cartesian.follow_from(self.arm, poses, q)
            hit = next((i for i, c in enumerate(path) if model.in_collision(c, part_q)), len(path))
            if (hit - 1) * BACK / (len(poses) - 1) >= SHORTEST_BACK:
                return path[:hit]
        return None

    def _on(
        self,
        contact: Contact,
        scene: SceneObject,
        joint: JointAxis,
        amount: float,
        q: Array,
        model: CollisionModel,
    ) -> tuple[Array, float]:
        """The way (N, 7) into the contact and along the joint, and how far the joint moves."""
        pressed = contact.T_base_hand.copy()
        pressed[:3, 3] += contact.press
        best = np.zeros((0, q.size)), 0.0
        self._place(contact, scene, model, touching=True)
        for share in (1.0,) if joint.prismatic else TURN_SHARES[contact.kind]:
            poses, moved = motions.follow_joint(pressed, contact.p_hand, joint, amount, share)
            path = cartesian.follow_from(self.arm, [contact.T_base_hand, *poses], q)
            moved = [0.0, *moved]
            end = len(path)
            for number, (configuration, travel) in enumerate(zip(path, moved, strict=False)):
                if model.in_collision(configuration, scene.joint_position + travel):
                    end = number - BACK_OFF
                    break
            if end > 1 and abs(moved[end - 1]) > abs(best[1]):
                best = path[:end], moved[end - 1]
            if end == len(moved):
                break
        self._place(contact, scene, model, touching=False)
        return best

    def _place(
        self, contact: Contact, scene: SceneObject, model: CollisionModel, *, touching: bool
    ) -> None:
        """Sets the fingers as they are before contact or in it, and what they may touch."""
        finger = self.config.finger_closed
        if contact.kind == "grasp":
            finger = 0.5 * contact.width if touching else self.config.finger_open
        if model.finger != finger:
            model.place(scene.T_base_root, finger)
        model.allow_contact(touching)


def _in_turn(*kinds: Iterator[Contact]) -> Iterator[Contact]:
    """All kinds in turn: one of them may lead nowhere."""
    for row in zip_longest(*kinds):
        yield from (contact for contact in row if contact is not None)
