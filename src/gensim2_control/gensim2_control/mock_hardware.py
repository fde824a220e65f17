"""A robot without physics: it follows references with a small lag, and breaks on demand."""

from __future__ import annotations

import math
import threading

import numpy as np

from gensim2_control.hardware import (
    ARM_DOF,
    FINGER_MAX,
    HOME_Q,
    Array,
    Fault,
    HardwareError,
    HardwareStatus,
    JointSample,
)


class MockHardware:
    """`RobotHardware` with a clock that only `step` advances, and fault injection.

    The arm follows its reference as a first-order lag, the fingers move at constant speed until
    they reach their goal or an object. Safe to use from several threads, so that a test can
    inject faults while a control thread runs.
    """

    def __init__(
        self,
        q: Array | None = None,
        *,
        t: float = 0.0,
        lag: float = 0.01,
        finger_position: float = FINGER_MAX,
        finger_speed: float = 0.1,
    ) -> None:
        """Place the robot.

        Args:
            q: arm configuration (7,), rad; default: home.
            t: time on the clock, s.
            lag: time constant of the tracking, s; 0 = perfect.
            finger_position: position of both finger joints, m.
            finger_speed: speed of the fingers, m/s.
        """
        self._lock = threading.RLock()
        self._t = t
        self._lag = lag
        self._q = np.array(HOME_Q if q is None else q, dtype=np.float64)
        self._dq = np.zeros(ARM_DOF)
        self._q_ref: Array | None = None
        self._dq_ref = np.zeros(ARM_DOF)
        self._finger = finger_position
        self._finger_dq = 0.0
        self._finger_goal = finger_position
        self._finger_effort = 0.0
        self._finger_speed = finger_speed
        self._connected = False
        self._fault = Fault.NONE
        self._e_stopped = False
        self._comm_lost = False
        self._nan = False
        self._clock_frozen = False
        self._drives_off = False
        self._blocked = np.zeros(ARM_DOF, dtype=bool)
        self._object: float | None = None

    def connect(self) -> None:
        """Open the connection; fails while the communication is lost."""
        with self._lock:
            if self._comm_lost:
                raise HardwareError("the mock robot does not answer")
            self._connected = True

    def disconnect(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connected = False

    def step(self, dt: float) -> None:
        """Let `dt` s pass."""
        with self._lock:
            if not self._clock_frozen:
                self._t += dt
            self._step_arm(dt)
            self._step_fingers(dt)

    def read(self) -> JointSample:
        """Return the state now."""
        with self._lock:
            if self._comm_lost or not self._connected:
                raise HardwareError("the mock robot does not answer")
            q = np.concatenate([self._q, [self._finger] * 2])
            if self._nan:
                q[3] = math.nan
            force = self._finger_effort if self._holds() else 0.0
            return JointSample(
                t=self._t,
                q=q,
                dq=np.concatenate([self._dq, [self._finger_dq] * 2]),
                tau=np.concatenate([np.zeros(ARM_DOF), [force] * 2]),
            )

    def write(self, q_ref: Array, dq_ref: Array) -> None:
        """Follow a reference."""
        with self._lock:
            if self._comm_lost or not self._connected:
                raise HardwareError("the mock robot does not answer")
            if not (np.isfinite(q_ref).all() and np.isfinite(dq_ref).all()):
                raise ValueError("a reference is not a finite number")
            self._q_ref, self._dq_ref = np.array(q_ref), np.array(dq_ref)

    def gripper_command(self, position_m: float, effort_N: float) -> None:
        """Move the fingers."""
        with self._lock:
            self._finger_goal, self._finger_effort = position_m, effort_N

    def gripper_stop(self) -> None:
        """Stop the fingers where they are."""
        with self._lock:
            if not self._holds():
                self._finger_goal = self._finger

    def recover(self) -> bool:
        """Clear a reflex and reconnect; fails while the cause of a fault is still there."""
        with self._lock:
            broken = self._comm_lost or self._nan or self._clock_frozen
            if broken or self._e_stopped or self._drives_off:
                return False
            self._fault = Fault.NONE
            self._connected = True
            self._q_ref = None
            return True

    def status(self) -> HardwareStatus:
        """Report the condition."""
        with self._lock:
            fault = self._fault
            errors: tuple[str, ...] = ("mock_reflex",) if fault is Fault.REFLEX else ()
            if self._e_stopped:
                fault = Fault.USER_STOPPED
            if self._comm_lost:
                fault = Fault.COMM_LOST
            return HardwareStatus(
                connected=self._connected,
                drives_powered=fault is Fault.NONE and not self._drives_off,
                e_stopped=self._e_stopped,
                fault=fault,
                errors=errors,
            )

    # --- fault injection -------------------------------------------------------------------

    def inject_reflex(self) -> None:
        """Stop as after a collision, until `recover`."""
        with self._lock:
            self._fault = Fault.REFLEX

    def set_user_stop(self, pressed: bool) -> None:
        """Press or release the user stop."""
        with self._lock:
            self._e_stopped = pressed

    def set_comm_lost(self, lost: bool) -> None:
        """Stop or resume answering."""
        with self._lock:
            self._comm_lost = lost

    def set_nan(self, broken: bool) -> None:
        """Make `read` return NaN for one joint."""
        with self._lock:
            self._nan = broken

    def set_clock_frozen(self, frozen: bool) -> None:
        """Let the measurement clock stand still while the arm goes on."""
        with self._lock:
            self._clock_frozen = frozen

    def set_drives_off(self, off: bool) -> None:
        """Take the power from the drives, or give it back."""
        with self._lock:
            self._drives_off = off

    def block_joint(self, joint: int, blocked: bool = True) -> None:
        """Hold an arm joint (0 to 6) where it is, as an obstacle would."""
        with self._lock:
            self._blocked[joint] = blocked

    def place_object(self, finger_position: float | None) -> None:
        """Put an object between the fingers that stops them at a joint position, m; None = none."""
        with self._lock:
            self._object = finger_position

    def set_q(self, q: Array) -> None:
        """Move the arm at once, as a reset of a simulated world does."""
        with self._lock:
            self._q, self._dq, self._q_ref = np.array(q), np.zeros(ARM_DOF), None

    def _step_arm(self, dt: float) -> None:
        before = self._q.copy()
        follows = self._fault is Fault.NONE and not (self._e_stopped or self._drives_off)
        if self._q_ref is not None and follows and dt > 0:
            # Exact solution of  lag * dq = q_ref - q  for a reference that moves at dq_ref.
            decay = math.exp(-dt / self._lag) if self._lag > 0 else 0.0
            moved = self._q_ref + (self._q - self._q_ref) * decay
            self._q = np.where(self._blocked, self._q, moved)
        self._dq = (self._q - before) / dt if dt > 0 else np.zeros(ARM_DOF)

    def _step_fingers(self, dt: float) -> None:
        way = self._finger_goal - self._finger
        step = math.copysign(min(abs(way), self._finger_speed * dt), way)
        target = self._finger + step
        if self._object is not None and self._finger >= self._object > target:
            target = self._object
        self._finger_dq = (target - self._finger) / dt if dt > 0 else 0.0
        self._finger = target

    def _holds(self) -> bool:
        return (
            self._object is not None
            and self._finger <= self._object + 1e-9
            and (self._finger_goal < self._finger)
        )
