"""Turns the twist that an operator asks for into chunks of a joint trajectory.

Every chunk says how the arm goes on *and how it comes to rest*: where no further one follows,
because the operator lets go, or the node dies, the arm stops by itself at the end of the last. A
chunk begins a moment in the future and until then repeats the one before it, so that the motion
stays smooth however late it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.hardware import ARM_DOF, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_planner import leaves
from gensim2_control.trajectory import Trajectory
from numpy.typing import ArrayLike

_AT_REST = 1e-9  # rad/s
_NO_ROOM = 0.01  # rad, to the end of a joint that counts as being there
_SHARE = 0.8  # of the speed from which a joint can just stop before its end
_MOST_POINTS = 40


@dataclass(frozen=True)
class ServoConfig:
    """How fast and how gentle.

    Attributes:
        linear: Highest speed of the TCP [m/s].
        angular: Highest turning speed of the TCP [rad/s].
        joint_speed: Highest speed of a joint [rad/s].
        acceleration: Of a joint [rad/s^2].
        step: Between two points of a chunk [s].
        lead: From the making of a chunk to its first point that differs from the former one [s].
        hold: How long a chunk goes on before it slows down [s].
        damping: Singular value of the Jacobian below which motion is given up for calmness.
    """

    linear: float = 0.15
    angular: float = 0.6
    joint_speed: float = 0.8
    acceleration: float = 2.5
    step: float = 0.04
    lead: float = 0.12
    hold: float = 0.16
    damping: float = 0.06


@dataclass(frozen=True)
class Chunk:
    """What is sent, and why it is not what was asked for.

    Attributes:
        trajectory: Times count from the making of the chunk [s]; None = the arm rests, and nothing
            that can be done is wanted.
        limited: What keeps the arm from following; empty = nothing.
    """

    trajectory: Trajectory | None
    limited: str = ""


class Servo:
    """Follows twists from a configuration at rest. Not thread safe.

    Args:
        kinematics: Of the robot.
        limits: Of its joints, with the margins of the body.
        config: How fast and how gentle.
        workspace: Box that TCP and fingertips may not leave; None = anywhere.
    """

    def __init__(
        self,
        kinematics: Fr3Kinematics,
        limits: JointLimits,
        config: ServoConfig,
        workspace: Workspace | None = None,
    ) -> None:
        self._kinematics = kinematics
        self._limits = limits
        self._config = config
        self._workspace = workspace
        self._ddq = np.minimum(config.acceleration, limits.ddq_max)
        self._dq = np.minimum(config.joint_speed, limits.dq_max)
        self._motion: Trajectory | None = None
        self._made = 0.0
        self._q = np.zeros(ARM_DOF)

    def begin(self, q: Array) -> None:
        """Starts from a configuration (7,) [rad] at rest."""
        self._q, self._motion = np.array(q, dtype=np.float64), None

    def reference(self, t: float) -> tuple[Array, Array]:
        """Where the arm is told to be at a time [s], and how fast: q, dq, each (7,)."""
        if self._motion is None:
            return self._q.copy(), np.zeros(ARM_DOF)
        since = max(t - self._made, 0.0)
        q, dq, _ = self._motion.sample(since)
        return q, dq if since < self._motion.duration else np.zeros(ARM_DOF)

    def chunk(self, t: float, twist: ArrayLike) -> Chunk:
        """Makes the next chunk.

        Args:
            t: Now [s]; never decreases.
            twist: Wanted velocity of the TCP (6,), linear [m/s] and angular [rad/s], in `base`.

        Raises:
            ValueError: The twist is not six finite numbers.
        """
        wanted = np.asarray(twist, dtype=np.float64)
        if wanted.shape != (6,) or not np.isfinite(wanted).all():
            raise ValueError("a twist has six finite numbers")
        q, dq = self.reference(t + self._config.lead)
        target, limited = self._joint_velocity(q, self._clipped(wanted))
        points = self._roll(q, dq, target)
        if self._leaves_workspace([p[0] for p in points]):
            points = self._roll(q, dq, np.zeros(ARM_DOF))
            limited = "the workspace ends here"
        if len(points) == 1:
            return Chunk(None, limited)
        times = self._config.lead + self._config.step * np.arange(len(points), dtype=np.float64)
        chunk = Trajectory(
            times, np.array([p[0] for p in points]), np.array([p[1] for p in points])
        )
        self._motion, self._made = chunk.starting_at(*self.reference(t)), t
        return Chunk(chunk, limited)

    def _clipped(self, twist: Array) -> Array:
        """The twist, slowed down as a whole to what is allowed, so that its direction stays."""
        excess = max(
            float(np.linalg.norm(twist[:3])) / self._config.linear,
            float(np.linalg.norm(twist[3:])) / self._config.angular,
            1.0,
        )
        clipped: Array = twist / excess
        return clipped

    def _joint_velocity(self, q: Array, twist: Array) -> tuple[Array, str]:
        """The joint velocities of a twist, without joints that are at their ends, and why less."""
        if not twist.any():
            return np.zeros(ARM_DOF), ""
        jacobian = self._kinematics.jacobian(q)
        free = np.ones(ARM_DOF, dtype=bool)
        while True:
            dq, singular = _damped_inverse(jacobian * free, twist, self._config.damping)
            at_end = free & (np.abs(dq) > 1e-6) & (self._room(q, dq) < _NO_ROOM)
            if not at_end.any():
                break
            # The others do what they can; seven joints have one to spare.
            free &= ~at_end
        dq /= max(float((np.abs(dq) / self._dq).max()), 1.0)
        if not free.all():
            names = [self._limits.names[i] for i in np.flatnonzero(~free)]
            return dq, f"{', '.join(names)} at the end of the range"
        return dq, "the arm is nearly stretched or folded: a singularity" if singular else ""

    def _room(self, q: Array, dq: Array) -> Array:
        """How far each joint may go on in its direction (7,) [rad]."""
        return np.where(dq > 0, self._limits.q_max - q, q - self._limits.q_min)

    def _roll(self, q: Array, dq: Array, target: Array) -> list[tuple[Array, Array]]:
        """The points of a chunk: towards the target velocity for a while, then to rest."""
        step, points = self._config.step, [(q, dq)]
        for i in range(_MOST_POINTS):
            goal = target if i * step < self._config.hold else np.zeros(ARM_DOF)
            lowest, highest = self._limits.speed_bounds(q)
            room, brake = np.maximum(self._room(q, goal), 0.0), _SHARE * self._ddq
            # After one more step at this speed the joint can still stop before its end.
            bound = brake * (np.sqrt(step**2 + 2.0 * room / brake) - step)
            bound = np.minimum(bound, _SHARE * np.where(goal > 0, highest, -lowest))
            goal = goal * min(1.0, float(np.min(bound / np.maximum(np.abs(goal), _AT_REST))))
            # Joint by joint: the one that has to stop must not wait for another that turns round.
            change = np.clip(goal - dq, -self._ddq * step, self._ddq * step)
            if not (np.abs(dq).max() > _AT_REST or np.abs(goal).max() > _AT_REST):
                break
            q, dq = q + (dq + 0.5 * change) * step, dq + change
            points.append((q, dq))
        return points

    def _leaves_workspace(self, q: list[Array]) -> bool:
        """Whether TCP or fingertips go further outside than they are at the start."""
        if self._workspace is None:
            return False
        return leaves(self._kinematics, self._workspace, np.array(q), _AT_REST) is not None


def _damped_inverse(jacobian: Array, twist: Array, damping: float) -> tuple[Array, bool]:
    """Joint velocities by damped least squares (Nakamura and Hanafusa 1986); whether damped."""
    u, s, vt = np.linalg.svd(jacobian, full_matrices=False)
    smallest = float(s[-1])
    extra = damping**2 * (1.0 - (smallest / damping) ** 2) if smallest < damping else 0.0
    gain = np.divide(s, s**2 + extra, out=np.zeros_like(s), where=s > _AT_REST)
    dq: Array = vt.T @ (gain * (u.T @ twist))
    return dq, smallest < damping
