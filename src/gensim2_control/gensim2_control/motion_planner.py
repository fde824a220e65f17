"""Makes the motion of a requested trajectory from where the arm's reference is, and checks it.

Nothing here changes, so that the long part of the work, checking a whole trajectory, needs no
lock and keeps nobody waiting: neither a stop nor the control loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gensim2_control.config import ArmConfig
from gensim2_control.goals import ArmCode, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, FINGER_MAX, Array
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.stopping import StopRamp
from gensim2_control.trajectory import (
    Motion,
    Sample,
    Trajectory,
    check_motion,
    require_near,
)

_NO_DIFFERENCE = 1e-9
_GUARDED = {
    "the TCP": np.zeros(3),
    "a fingertip": np.array([0.0, FINGER_MAX, 0.0]),
    "the other fingertip": np.array([0.0, -FINGER_MAX, 0.0]),
}
"""Points that stay in the workspace, m in the frame of the TCP: the fingers as far open as may be.

A hand that is tilted over the table touches it with a finger first.
"""


def guarded_points(kinematics: Fr3Kinematics, q: Array) -> dict[str, Array]:
    """Return where the points that stay in the workspace are.

    Args:
        kinematics: of the robot.
        q: configurations (..., 7), rad.

    Returns:
        Positions (..., 3) in base, m, by name.
    """
    return guarded_points_at(kinematics.fk(q, TCP_LINK))


def guarded_points_at(T_base_tcp: Array) -> dict[str, Array]:
    """Return the same of poses (..., 4, 4) of the TCP."""
    return {
        name: T_base_tcp[..., :3, 3] + T_base_tcp[..., :3, :3] @ p_tcp
        for name, p_tcp in _GUARDED.items()
    }


def leaves(
    kinematics: Fr3Kinematics, workspace: Workspace, q: Array, slack: float = 1e-6
) -> tuple[str, Array] | None:
    """Return the first point that goes further outside than it was at the start, or None.

    Args:
        kinematics: of the robot.
        workspace: the box that TCP and fingertips may not leave.
        q: configurations (N, 7) in the order of the motion, rad.
        slack: how much further counts as nothing, m.

    Returns:
        What it is, and where, (3,) in base, m.
    """
    for name, p_base in guarded_points(kinematics, q).items():
        box = Workspace(
            tuple(np.minimum(workspace.lower, p_base[0] - slack)),
            tuple(np.maximum(workspace.upper, p_base[0] + slack)),
        )
        outside = box.first_outside(p_base)
        if outside is not None:
            return name, p_base[outside]
    return None


@dataclass(frozen=True)
class Joined:
    """A trajectory plus an offset that leads from the present reference onto it."""

    trajectory: Trajectory
    offset: Trajectory

    @property
    def duration(self) -> float:
        """Length of the trajectory, s."""
        return self.trajectory.duration

    def sample(self, t: ArrayLike) -> Sample:
        """Return q, dq, ddq at `t` s."""
        parts = zip(self.trajectory.sample(t), self.offset.sample(t), strict=True)
        q, dq, ddq = (a + b for a, b in parts)
        return q, dq, ddq


@dataclass(frozen=True, eq=False)
class PlannedMotion:
    """A motion that begins where the reference was when it was made.

    Attributes:
        trajectory: what was asked for.
        start: the reference at its start: position, velocity and acceleration, each (7,).
        motion: the motion.
        limits: what it has to keep.
        knots: times at which its derivatives may jump, s.
        entry: time from which on it does not depend on `start`, s.
        skipped: time of the trajectory that has passed already, s.
    """

    trajectory: Trajectory
    start: Sample
    motion: Motion
    limits: JointLimits
    knots: Array
    entry: float
    skipped: float = 0.0

    def starts_at(self, start: Sample) -> bool:
        """Tell whether the reference is still exactly where the motion begins."""
        return all(np.array_equal(a, b) for a, b in zip(self.start, start, strict=True))


class MotionPlanner:
    """Plans and checks motions. May be used from any thread."""

    def __init__(
        self,
        limits: JointLimits,
        config: ArmConfig,
        kinematics: Fr3Kinematics | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        if workspace is not None and kinematics is None:
            raise ValueError("a workspace can only be checked with kinematics: pass both")
        self._limits = limits
        self._stream_limits = limits.stoppable_within(config.stream_stop_time)
        self._config = config
        self._kinematics = kinematics
        self._workspace = workspace

    def join(self, trajectory: Trajectory, start: Sample, q_measured: Array) -> PlannedMotion:
        """Return the motion from a reference along a trajectory, not checked against limits.

        Raises:
            TrajectoryRejected: it does not begin where the arm is, or does not end at rest.
        """
        trajectory.require_rest_at_end()
        if trajectory.t[0] > 0:
            return self._started(trajectory, trajectory, start, self._limits)
        if len(trajectory.t) == 1:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL, "a single point at time 0 leaves no time to move there"
            )
        q_ref, dq_ref, _ = start
        q_first, dq_first, _ = trajectory.sample(0.0)
        # The held reference counts as well as the measurement: in contact they differ, and a
        # plan that goes on from either of them is continuous.
        if not np.abs(q_first - q_ref).max() <= self._config.start_tolerance:
            require_near(q_first, q_measured, self._config.start_tolerance)
        jump = dq_ref - dq_first
        worst = int(np.argmax(np.abs(jump)))
        if abs(jump[worst]) > self._config.start_velocity_tolerance:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"the arm moves ({self._limits.names[worst]} at {dq_ref[worst]:.4g} rad/s) but the "
                f"trajectory starts with {dq_first[worst]:.4g} rad/s: cancel first, or leave out "
                "the point at time 0",
            )
        if max(np.abs(q_ref - q_first).max(), np.abs(jump).max()) <= _NO_DIFFERENCE:
            return PlannedMotion(trajectory, start, trajectory, self._limits, trajectory.t, 0.0)
        offset = self._offset(q_ref - q_first, jump, trajectory.duration)
        return PlannedMotion(
            trajectory,
            start,
            Joined(trajectory, offset),
            self._limits,
            np.union1d(trajectory.t, offset.t),
            offset.duration,
        )

    def enter(self, chunk: Trajectory, start: Sample, age: float) -> PlannedMotion:
        """Return the motion from a reference into a streamed chunk, not checked against limits.

        Args:
            chunk: the chunk.
            start: the reference.
            age: time since the start of the chunk, s.

        Raises:
            TrajectoryRejected: the chunk is too old, too long, has passed, or leaps.
        """
        config = self._config
        if abs(age) > config.stream_max_age:
            raise TrajectoryRejected(
                ArmCode.OLD_HEADER_TIMESTAMP,
                f"the chunk is {age:.3f} s old, allowed are {config.stream_max_age:g} s; "
                "do the clocks agree?",
            )
        if chunk.duration > config.stream_max_duration:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"the chunk takes {chunk.duration:.3f} s, at most "
                f"{config.stream_max_duration:g} s can be streamed",
            )
        rest = chunk.after(age, config.stream_lead) or chunk.after(age)
        if rest is None:
            raise TrajectoryRejected(
                ArmCode.OLD_HEADER_TIMESTAMP,
                f"every point is in the past: the chunk is {age:.3f} s old",
            )
        self._require_small_steps(rest, start[0])
        return self._started(chunk, rest, start, self._stream_limits, age)

    def check(self, planned: PlannedMotion, until: float | None = None) -> None:
        """Check a motion, up to `until` s only where that is given.

        Raises:
            TrajectoryRejected: it leaves the limits or the workspace.
        """
        q = check_motion(planned.motion, planned.knots, planned.limits, until)
        if self._workspace is None or self._kinematics is None:
            return
        left = leaves(self._kinematics, self._workspace, q)
        if left is not None:
            name, (x, y, z) = left
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"workspace: {name} would reach ({x:.3f}, {y:.3f}, {z:.3f}) m in base, allowed "
                f"is {self._workspace.lower} to {self._workspace.upper}",
            )

    def check_stop_after(self, planned: PlannedMotion) -> None:
        """Raise `TrajectoryRejected` where a stop after the last point would leave the limits."""
        q_end, dq_end, _ = planned.motion.sample(planned.motion.duration)
        ramp = StopRamp(q_end, dq_end, self._limits.ddq_max)
        if ramp.duration == 0.0:
            return
        try:
            check_motion(ramp, ramp.knots, self._limits)
        except TrajectoryRejected as rejection:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                "the last velocity is too high: a stop after the last point would leave the "
                f"limits ({rejection.text})",
            ) from None

    def _require_small_steps(self, rest: Trajectory, q_ref: Array) -> None:
        """Raise `TrajectoryRejected` where points of a stream are far apart.

        Consecutive actions of a policy are close together. Where they are not, something is
        wrong with it, and the way between them was in nobody's mind.
        """
        steps = np.abs(np.diff(rest.q, axis=0, prepend=q_ref[None]))
        i, j = np.unravel_index(int(np.argmax(steps)), steps.shape)
        if steps[i, j] > self._config.stream_max_step:
            way = "from the reference" if i == 0 else "from one point to the next"
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"stream step: {self._limits.names[j]} moves by {steps[i, j]:.3f} rad {way}, at "
                f"most {self._config.stream_max_step:g} rad are allowed: send closer points",
            )

    def _started(
        self,
        whole: Trajectory,
        rest: Trajectory,
        start: Sample,
        limits: JointLimits,
        skipped: float = 0.0,
    ) -> PlannedMotion:
        motion = rest.starting_at(*start)
        # Where velocities are not given, that of the first point depends on the start as well.
        entry = rest.t[0] if rest.dq is not None else rest.t[:2][-1]
        return PlannedMotion(whole, start, motion, limits, motion.t, float(entry), skipped)

    def _offset(self, q: Array, dq: Array, longest: float) -> Trajectory:
        """Return a quintic from (q, dq) to zero, slow enough to matter little to the limits."""
        gentle = self._limits.reduced(velocity=0.1, acceleration=0.1)
        way = np.abs(q)
        duration = max(
            self._config.blend_time,
            float(np.max(15 / 8 * way / gentle.dq_max)),
            float(np.sqrt(np.max(10 / np.sqrt(3) * way / gentle.ddq_max))),
        )
        zero = np.zeros(ARM_DOF)
        return Trajectory(
            np.array([0.0, min(duration, longest)]),
            np.vstack([q, zero]),
            np.vstack([dq, zero]),
            np.zeros((2, ARM_DOF)),
        )
