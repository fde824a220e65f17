"""The simulated body: reads and writes the FR3 of a SAPIEN world."""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import ARM_DOF, HardwareStatus, JointSample
from numpy.typing import NDArray

from .world import World

Array = NDArray[np.float64]


class SapienHardware:
    """``RobotHardware`` over a world. The host steps the world; this only reads and writes.

    Args:
        world: The world, whose robot may be replaced by a reset.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    def connect(self) -> None:
        """Nothing to open."""

    def disconnect(self) -> None:
        """Nothing to close."""

    def read(self) -> JointSample:
        """Present state; the time is simulation time."""
        q, dq = self.world.robot_state()
        return JointSample(t=self.world.t, q=q, dq=dq, tau=self.world.robot_effort())

    def write(self, q_ref: Array, dq_ref: Array) -> None:
        """Sets the drive targets. Without the velocity target the drives would drag behind."""
        for joint, q, dq in zip(
            self.world.robot.active_joints[:ARM_DOF], q_ref, dq_ref, strict=True
        ):
            joint.set_drive_target(float(q))
            joint.set_drive_velocity_target(float(dq))

    def gripper_command(self, position_m: float, effort_N: float) -> None:
        """Drives both fingers to ``position_m``, each pressing with at most ``effort_N``."""
        self.world.hand.command(position_m, effort_N, self.world.finger_position)

    def gripper_stop(self) -> None:
        """Stops the fingers where they are; what they hold they go on holding."""
        self.world.hand.stop()

    def recover(self) -> bool:
        """The simulated robot has no faults of its own."""
        return True

    def status(self) -> HardwareStatus:
        """Always well."""
        return HardwareStatus()
