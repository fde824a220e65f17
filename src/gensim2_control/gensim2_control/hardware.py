"""What a robot body has to read and write: names, samples, faults and the hardware protocol.

`SapienHardware`, `FrankyHardware` and `MockHardware` implement `RobotHardware`; everything that
decides (limits, controllers, state machine) lives in `Body` and is the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ARM_JOINTS: tuple[str, ...] = tuple(f"fr3_joint{i}" for i in range(1, 8))
"""The seven arm joints in kinematic order."""
FINGER_JOINTS: tuple[str, ...] = ("fr3_finger_joint1", "fr3_finger_joint2")
"""The two finger joints; their position is half the gap between the fingers."""
JOINTS: tuple[str, ...] = ARM_JOINTS + FINGER_JOINTS
"""Order of every 9-vector of this package."""

ARM_DOF = len(ARM_JOINTS)
FINGER_MIN = 0.0
"""Finger joint position of the closed hand, m."""
FINGER_MAX = 0.04
"""Finger joint position of the fully open hand, m."""
HOME_Q: tuple[float, ...] = (0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854)
"""Arm configuration that `robot/home` moves to, rad."""


class Fault(IntEnum):
    """Why the body does not move. The numbers appear as `error_code` of `RobotStatus`."""

    NONE = 0
    REFLEX = 1
    """The robot's own protection stopped it (collision, limit, control error)."""
    USER_STOPPED = 2
    """An emergency or user stop is pressed."""
    COMM_LOST = 3
    """The hardware does not answer, or reports that it lost the connection."""
    STATE_INVALID = 4
    """A measurement is not a finite number, or its clock ran backwards."""
    STATE_STALE = 5
    """The clock of the measurements stands still, or jumped ahead, while the arm moves."""
    REFERENCE_INVALID = 6
    """The controllers produced a reference that must not be sent. A defect of this software."""
    DRIVES_OFF = 7
    """The drives lost their power while the arm moved."""
    STOP_REQUESTED = 10
    """`robot/stop` was called."""
    HEARTBEAT_LOST = 11
    """The client died or hung while its goal was running."""


DRIVE_FAULTS = frozenset({Fault.REFLEX, Fault.USER_STOPPED, Fault.DRIVES_OFF})
"""Faults in which the drives no longer follow references."""


class HardwareError(RuntimeError):
    """The hardware did not answer. `Body` turns it into `Fault.COMM_LOST`."""


@dataclass(frozen=True)
class JointSample:
    """One measurement of all joints, in the order of `JOINTS`.

    Attributes:
        t: time of the measurement in s, on the clock of the hardware (simulation time in
            simulation, ROS time on the real robot).
        q: positions (9,), rad for the arm and m for the fingers.
        dq: velocities (9,), rad/s and m/s.
        tau: efforts (9,), N m and N.
    """

    t: float
    q: Array
    dq: Array
    tau: Array

    def is_finite(self) -> bool:
        """Tell whether time, positions and velocities are finite numbers of the right size."""
        n = len(JOINTS)
        if self.q.shape != (n,) or self.dq.shape != (n,):
            return False
        return bool(
            np.isfinite(self.t) and np.isfinite(self.q).all() and np.isfinite(self.dq).all()
        )


@dataclass(frozen=True)
class HardwareStatus:
    """Condition of the hardware as the hardware itself reports it.

    Attributes:
        connected: a connection exists.
        drives_powered: the drives follow references.
        e_stopped: an emergency or user stop is pressed.
        fault: `REFLEX`, `USER_STOPPED`, `COMM_LOST` or `NONE`.
        errors: names of the active errors, worst first.
    """

    connected: bool = True
    drives_powered: bool = True
    e_stopped: bool = False
    fault: Fault = Fault.NONE
    errors: tuple[str, ...] = ()


class RobotHardware(Protocol):
    """Reads and writes one FR3 with its hand; decides nothing.

    All methods but `recover` and `disconnect` are called from one thread, the control thread.
    None may block for longer than a small part of the control period, except `connect`,
    `disconnect` and `recover`. `recover` runs in a thread of the caller, beside `read` and
    `status`, so that the state stays visible during a slow recovery.
    """

    def connect(self) -> None:
        """Open the connection. Raises `HardwareError` where that fails."""

    def disconnect(self) -> None:
        """Close the connection; safe to call twice."""

    def read(self) -> JointSample:
        """Return the newest measurement. Raises `HardwareError` where there is none."""

    def write(self, q_ref: Array, dq_ref: Array) -> None:
        """Take over the reference of the arm: positions (7,) rad and velocities (7,) rad/s."""

    def gripper_command(self, position_m: float, effort_N: float) -> None:
        """Move the fingers to a joint position in m, pressing with at most `effort_N`."""

    def gripper_stop(self) -> None:
        """Stop the fingers where they are; an object held stays held."""

    def recover(self) -> bool:
        """Try to clear the hardware's faults without moving; True where it is ready again."""

    def status(self) -> HardwareStatus:
        """Report the condition of the hardware; never raises."""
