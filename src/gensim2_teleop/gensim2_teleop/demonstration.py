"""One demonstration by an operator, from its start to its end, free of transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from gensim2_control.hardware import Array
from gensim2_control.trajectory import Trajectory

from .servo import Servo
from .twist_input import Wanted

_OFF = 0.02
"""How far the body's reference may be from the servo's [rad]: a chunk was refused, or came late."""
_AT_REST = 0.01  # rad/s


class End(IntEnum):
    """How it ended; the values of gensim2_msgs/action/ExecuteTask."""

    DONE = 0
    EXECUTION_FAILED = 4
    SENSOR_STALE = 5
    TIMEOUT = 6
    CANCELED = 7


@dataclass(frozen=True)
class BodyNews:
    """What the body last said.

    Attributes:
        q_ref: Reference of the arm (7,) [rad].
        dq_ref: Its velocity (7,) [rad/s].
        t: When that was [s].
        age: Since it was heard [s].
        fault: Why no motion is possible; empty = it is.
    """

    q_ref: Array
    dq_ref: Array
    t: float
    age: float
    fault: str = ""


class Operator(Protocol):
    """Whoever drives, and the body that is driven."""

    def now(self) -> float:
        """The time [s]."""

    def body(self) -> BodyNews:
        """What the body last said."""

    def wanted(self) -> Wanted | None:
        """The newest twist."""

    def T_base_tcp(self, q: Array) -> Array:
        """Pose (4, 4) of the TCP at a configuration."""

    def send(self, chunk: Trajectory, t: float) -> None:
        """Streams a trajectory whose times count from `t` [s]."""

    def asked_to_end(self) -> End | None:
        """DONE or CANCELED once somebody has said so."""

    def tell(self, text: str) -> None:
        """Tells the operator something; repeats are left out."""


@dataclass(frozen=True)
class DriveConfig:
    """How long things may take.

    Attributes:
        twist_lasts: How long a twist counts without a newer one [s].
        body_timeout: Age of the body's state at which driving ends [s].
        timeout: Longest demonstration [s].
    """

    twist_lasts: float = 0.25
    body_timeout: float = 0.5
    timeout: float = 600.0


def drive(
    servo: Servo, operator: Operator, config: DriveConfig, pause: Callable[[], None]
) -> tuple[End, str]:
    """Follows the operator until somebody ends it, or the body can no longer be driven.

    Args:
        servo: Turns twists into chunks.
        operator: Whoever drives.
        config: How long things may take.
        pause: Waits for the next chunk.

    Returns:
        How it ended, and why.
    """
    started = operator.now()
    servo.begin(operator.body().q_ref)
    while True:
        now, body = operator.now(), operator.body()
        if body.fault:
            return End.EXECUTION_FAILED, body.fault
        if body.age > config.body_timeout:
            return End.SENSOR_STALE, f"no word from the robot for {body.age:.1f} s"
        if now - started > config.timeout:
            return End.TIMEOUT, f"nobody has ended the demonstration within {config.timeout:g} s"
        end = operator.asked_to_end()
        at_rest = float(np.abs(body.dq_ref).max()) < _AT_REST
        if end is not None and at_rest:
            return end, "" if end is End.DONE else "cancelled"
        q, _ = servo.reference(body.t)
        if float(np.abs(body.q_ref - q).max()) > _OFF:
            if at_rest:
                servo.begin(body.q_ref)
            else:
                # What is sent now would leap; without it the arm comes to rest by itself.
                operator.tell("the robot has not followed: it is brought to rest first")
                pause()
                continue
        wanted = operator.wanted() if end is None else None
        twist = np.zeros(6)
        if wanted is not None:
            twist = wanted.in_base(operator.T_base_tcp(q), now, config.twist_lasts)
        chunk = servo.chunk(now, twist)
        if chunk.trajectory is not None:
            operator.send(chunk.trajectory, now)
        operator.tell(chunk.limited)
        pause()
