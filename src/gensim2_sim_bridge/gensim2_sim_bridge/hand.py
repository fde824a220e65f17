"""The simulated hand: what the firmware of the real one does between a command and the fingers.

The fingers travel at the speed of the real hand and press with the force that was asked for, not
with that of a spring which ends at the commanded position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sapien.physx import PhysxArticulationJoint


@dataclass(frozen=True)
class HandConfig:
    """Drives of the fingers.

    The stiffness makes the whole force available within the tolerance of a goal, 1 mm: fingers
    that stand farther off than that press with what was asked for. The armature is the inertia
    of motor and gear as the fingers feel it. Without it the fingers are so light (0.03 kg) that
    the solver loses force in a contact: of 70 N there arrive 24, of 20 N 10.
    """

    stiffness: float = 1e5  # N/m
    damping: float = 200.0  # N s/m
    armature: float = 0.3  # kg
    max_effort: float = 70.0  # N
    speed: float = 0.05  # m/s, of one finger: what the real hand can do
    braking_time: float = 0.06  # s; time constant of the arrival, which is without overshoot


class Hand:
    """Leads both finger joints of one robot to a position, with a limited speed and force.

    The target of the drives runs to the goal at constant speed and slows down before it, but is
    never farther ahead of the fingers than the force needs. So free fingers arrive softly and
    where they should, an object is met slowly and then held with the whole force, and one that is
    taken away leaves no wound up spring behind.

    Args:
        joints: The finger joints.
        config: Drives.
        position: Where the fingers are, m.
    """

    # Lead of the target over blocked fingers, as a share of what the force needs. Above 1 the
    # drive is at its limit, and the force does not vary with the trembling of a contact.
    LEAD = 1.5
    ARRIVED = 1e-6  # m

    def __init__(
        self, joints: Sequence[PhysxArticulationJoint], config: HandConfig, position: float
    ) -> None:
        self._joints = tuple(joints)
        self._config = config
        self._goal = self._target = position
        self._effort = config.max_effort
        for joint in self._joints:
            joint.set_armature(np.array([config.armature], dtype=np.float32))
            joint.set_drive_target(position)
        self._limit(config.max_effort)

    def command(self, position: float, effort: float, measured: float) -> None:
        """Goes to a position, pressing with at most ``effort`` on what is in the way.

        Args:
            position: Wanted finger joint position, m.
            effort: Force of each finger, N.
            measured: Present finger joint position, m.
        """
        # Fingers that press in the direction of the new goal already do not let go first.
        if not min(measured, position) <= self._target <= max(measured, position):
            self._target = measured
        self._goal = position
        self._limit(min(effort, self._config.max_effort))

    def stop(self) -> None:
        """Stops the fingers; what is held stays held."""
        # The target is where free fingers are, and ahead of those that press.
        self._goal = self._target

    def advance(self, measured: float, dt: float) -> None:
        """Sets the drives for the next ``dt`` s.

        Args:
            measured: Present finger joint position, m.
            dt: Time step, s.
        """
        config = self._config
        way = config.speed * dt
        step = (self._goal - self._target) * min(1.0, dt / config.braking_time)
        target = self._target + min(max(step, -way), way)
        if abs(self._goal - target) < self.ARRIVED:
            target = self._goal
        # Free fingers lag by a step and by what the damping takes.
        lag = way + config.speed * config.damping / config.stiffness
        lead = self.LEAD * self._effort / config.stiffness + lag
        target = min(max(target, measured - lead), measured + lead)
        if target == self._target:
            return
        self._target = target
        for joint in self._joints:
            joint.set_drive_target(target)

    def _limit(self, effort: float) -> None:
        self._effort = effort
        for joint in self._joints:
            joint.set_drive_properties(
                self._config.stiffness, self._config.damping, force_limit=effort, mode="force"
            )
