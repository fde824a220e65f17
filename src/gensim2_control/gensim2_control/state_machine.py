"""Which faults are latched, which mode the body is in, and whether it accepts goals."""

from __future__ import annotations

from enum import IntEnum

from gensim2_control.hardware import DRIVE_FAULTS, Fault, HardwareStatus


class Mode(IntEnum):
    """Condition of the body; the numbers are those of gensim2_msgs/msg/RobotStatus."""

    DISCONNECTED = 0
    IDLE = 1
    MOVING = 2
    REFLEX = 3
    USER_STOPPED = 4
    COMM_LOST = 5
    STOPPED = 6


WORST_FIRST: tuple[Fault, ...] = (
    Fault.COMM_LOST,
    Fault.USER_STOPPED,
    Fault.REFLEX,
    Fault.DRIVES_OFF,
    Fault.REFERENCE_INVALID,
    Fault.STATE_INVALID,
    Fault.STATE_STALE,
    Fault.HEARTBEAT_LOST,
    Fault.STOP_REQUESTED,
)

_FAULT_MODES = {
    Fault.COMM_LOST: Mode.COMM_LOST,
    Fault.USER_STOPPED: Mode.USER_STOPPED,
    Fault.REFLEX: Mode.REFLEX,
}


class StateMachine:
    """Latches faults until an explicit recovery.

    Entering a fault is automatic, leaving it never is: a fault that has vanished from the
    hardware's own report stays latched until `clear`.
    """

    def __init__(self) -> None:
        self._latched: dict[Fault, str] = {}
        self._hardware = HardwareStatus(connected=False, drives_powered=False)
        self._was_connected = False

    @property
    def hardware(self) -> HardwareStatus:
        """What the hardware reported last."""
        return self._hardware

    @property
    def fault(self) -> Fault:
        """The worst latched fault."""
        return next((fault for fault in WORST_FIRST if fault in self._latched), Fault.NONE)

    @property
    def reason(self) -> str:
        """What caused the worst latched fault; empty without one."""
        return self._latched.get(self.fault, "")

    @property
    def errors(self) -> tuple[str, ...]:
        """Names of the latched faults, worst first, then those of the hardware's own errors."""
        faults = tuple(fault.name for fault in WORST_FIRST if fault in self._latched)
        return faults + tuple(name for name in self._hardware.errors if name not in faults)

    @property
    def drives_follow(self) -> bool:
        """Whether references are worth sending.

        They are after a lost connection too: should the way to the drives still be open, a
        reference that comes to rest is what stops them.
        """
        return not DRIVE_FAULTS.intersection(self._latched) and (
            self._hardware.drives_powered or not self._hardware.connected
        )

    @property
    def motion_possible(self) -> bool:
        """Whether goals are accepted."""
        return not self._latched and hardware_ready(self._hardware)

    def mode(self, busy: bool) -> Mode:
        """Return the mode; `busy` tells whether a motion runs."""
        if self.fault is not Fault.NONE:
            return _FAULT_MODES.get(self.fault, Mode.STOPPED)
        if not self._hardware.connected:
            return Mode.DISCONNECTED
        if not self.motion_possible:
            return Mode.STOPPED
        return Mode.MOVING if busy else Mode.IDLE

    def observe(self, status: HardwareStatus) -> bool:
        """Take over the report of the hardware; True where it brings a new fault."""
        self._hardware = status
        tripped = False
        if status.e_stopped:
            tripped = self.trip(Fault.USER_STOPPED, "an emergency or user stop is pressed")
        if status.fault is not Fault.NONE:
            text = ", ".join(status.errors) or f"the hardware reports {status.fault.name}"
            tripped |= self.trip(status.fault, text)
        if self._was_connected and not status.connected:
            tripped |= self.trip(Fault.COMM_LOST, "the hardware reports no connection")
        self._was_connected = self._was_connected or status.connected
        return tripped

    def trip(self, fault: Fault, text: str) -> bool:
        """Latch a fault; True where it was not latched before."""
        if fault in self._latched:
            return False
        self._latched[fault] = text
        return True

    def clear(self) -> bool:
        """Release every latched fault, provided that the hardware is ready; True on success."""
        if not hardware_ready(self._hardware):
            return False
        self._latched.clear()
        return True


def hardware_ready(status: HardwareStatus) -> bool:
    """Tell whether the hardware itself would follow references."""
    return (
        status.connected
        and status.drives_powered
        and not status.e_stopped
        and status.fault is Fault.NONE
    )
