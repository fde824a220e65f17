"""What the robot touches, and how hard its fingers press on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import sapien
from numpy.typing import NDArray
from sapien.physx import PhysxArticulation, PhysxContact

Array = NDArray[np.float64]
WINDOW = 10  # steps over which a force is taken
HAND, LEFT, RIGHT = "fr3_hand", "fr3_leftfinger", "fr3_rightfinger"


@dataclass
class Touch:
    """How the robot touches one object.

    Attributes:
        links: Names of the links that touch it.
        pressed: Forces (3,) by which the fingers press on it across its surface, N in base.
    """

    links: set[str] = field(default_factory=set)
    pressed: dict[str, Array] = field(default_factory=dict)

    @property
    def by_hand(self) -> bool:
        """Whether hand or fingers touch it."""
        return not self.links.isdisjoint((HAND, LEFT, RIGHT))


class TouchRecord:
    """The touches of the last steps.

    Two fingers that press lightly on something rattle: in one step the one presses, in the next
    the other. So a force is the mean over a few steps; whether something is touched is not.
    """

    def __init__(self) -> None:
        self._past: deque[dict[str, Touch]] = deque(maxlen=WINDOW)

    def note(self, touches: dict[str, Touch]) -> None:
        """Keeps the touches of a step, by the names of the objects."""
        self._past.append(touches)

    @property
    def names(self) -> list[str]:
        """Names of the objects that the robot touched in the last step, sorted."""
        return sorted(self._past[-1]) if self._past else []

    def by_hand(self, name: str) -> bool:
        """Whether hand or fingers touch an object."""
        return any(name in touches and touches[name].by_hand for touches in self._past)

    def grip(self, name: str, towards_right: Array) -> float:
        """The smaller of the forces with which the fingers press an object together, N.

        Args:
            name: Of the object.
            towards_right: Unit vector (3,) in base from the left finger to the right one.
        """
        if not self.by_hand(name):
            return 0.0
        sums = {LEFT: np.zeros(3), RIGHT: np.zeros(3)}
        for touches in self._past:
            pressed = touches[name].pressed if name in touches else {}
            for finger, total in sums.items():
                total += pressed.get(finger, 0.0)
        left, right = (float(total @ towards_right) / WINDOW for total in sums.values())
        return max(min(left, -right), 0.0)


def robot_touches(
    contacts: Iterable[PhysxContact],
    robot: PhysxArticulation,
    free: Mapping[sapien.Entity, str],
    time_step: float,
) -> dict[str, Touch]:
    """How the robot touches each object, by its name; those it does not touch are left out.

    Args:
        contacts: Those of the last step.
        robot: Its articulation.
        free: Names of the bodies that are no articulations; those have a name of their own.
        time_step: Of the physics, s.
    """
    links = {link: link.name for link in robot.links}
    touches: dict[str, Touch] = {}
    for contact in contacts:
        first, second = contact.bodies
        for own, other, sign in ((first, second, -1.0), (second, first, 1.0)):
            if own not in links or other in links:
                continue
            articulation = getattr(other, "articulation", None)
            name = free.get(other.entity) if articulation is None else articulation.name
            if name is None:
                continue
            # The engine looks ahead: a contact without force may still be a gap.
            points = [p for p in contact.points if p.separation <= 0.0 or np.any(p.impulse)]
            if not points:
                continue
            touch = touches.setdefault(name, Touch())
            touch.links.add(links[own])
            # An impulse is what the second body does to the first one.
            force = touch.pressed.setdefault(links[own], np.zeros(3))
            normals = np.array([point.normal for point in points], dtype=float)
            impulses = np.array([point.impulse for point in points], dtype=float)
            force += sign / time_step * np.sum(normals * impulses, axis=1) @ normals
    return touches
