"""What the body tells its host after every control period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gensim2_control.hardware import ARM_DOF, Array, Fault, JointSample
from gensim2_control.state_machine import Mode, StateMachine
from gensim2_control.trajectory import REST_SPEED, Sample

MOVING_SPEED = 0.05
"""Measured joint speed above which the arm counts as in motion, rad/s."""


@dataclass(frozen=True)
class BodyState:
    """What the body measured and decided in one update.

    Attributes:
        t: time of the newest valid measurement on the hardware's clock, s.
        q: its positions (9,), rad and m.
        dq: its velocities (9,), rad/s and m/s.
        tau: its efforts (9,), N m and N.
        q_ref: reference positions of the arm at `t` (7,), rad.
        dq_ref: reference velocities (7,), rad/s.
        ddq_ref: reference accelerations (7,), rad/s^2.
        gripper_ref: finger joint position commanded last, m.
        gripper_effort: largest force of that command, N; 0 before any command.
        mode: what the body is doing.
        motion_possible: goals are accepted.
        in_motion: the reference or the arm moves.
        busy: a goal or stream runs, or the arm is still decelerating.
        connected: the hardware is connected.
        drives_powered: the drives follow references.
        e_stopped: an emergency or user stop is pressed.
        error_code: worst latched fault.
        errors: names of the faults and of the hardware's own errors, worst first.
        reason: what caused the worst fault.
    """

    t: float
    q: Array
    dq: Array
    tau: Array
    q_ref: Array
    dq_ref: Array
    ddq_ref: Array
    gripper_ref: float
    gripper_effort: float
    mode: Mode
    motion_possible: bool
    in_motion: bool
    busy: bool
    connected: bool
    drives_powered: bool
    e_stopped: bool
    error_code: Fault
    errors: tuple[str, ...]
    reason: str


def describe(
    sample: JointSample,
    reference: Sample,
    gripper: tuple[float, float],
    machine: StateMachine,
    busy: bool,
) -> BodyState:
    """Put together the state of one update.

    Args:
        sample: the newest valid measurement.
        reference: position, velocity and acceleration of the arm's reference, each (7,).
        gripper: finger joint position commanded last, m, and the largest force for it, N.
        machine: the faults and the hardware's own report.
        busy: a motion runs.
    """
    q_ref, dq_ref, ddq_ref = reference
    gripper_ref, gripper_effort = gripper
    speed = np.abs(sample.dq[:ARM_DOF]).max()
    return BodyState(
        t=sample.t,
        q=sample.q,
        dq=sample.dq,
        tau=sample.tau,
        q_ref=q_ref,
        dq_ref=dq_ref,
        ddq_ref=ddq_ref,
        gripper_ref=gripper_ref,
        gripper_effort=gripper_effort,
        mode=machine.mode(busy),
        motion_possible=machine.motion_possible,
        in_motion=bool(np.abs(dq_ref).max() > REST_SPEED or speed > MOVING_SPEED),
        busy=busy,
        connected=machine.hardware.connected,
        drives_powered=machine.hardware.drives_powered,
        e_stopped=machine.hardware.e_stopped,
        error_code=machine.fault,
        errors=machine.errors,
        reason=machine.reason,
    )


@dataclass(frozen=True)
class Answer:
    """Answer to a request: whether it was granted, and why or why not. True where granted."""

    ok: bool
    text: str

    def __bool__(self) -> bool:
        return self.ok
