"""Follows trajectories with the arm: one goal or stream at a time, always stopping smoothly.

The controller knows nothing of clocks: its time is an integer count of nanoseconds that the
body advances, so the same calls give the same references to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gensim2_control.config import ArmConfig
from gensim2_control.goals import ArmCode, ArmGoal, Outcome, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, Array
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_clock import NS
from gensim2_control.stopping import StopRamp, stopping_point
from gensim2_control.trajectory import (
    POSITION_SLACK,
    REST_SPEED,
    Motion,
    Sample,
    Trajectory,
    check_motion,
    require_near,
)

_NO_DIFFERENCE = 1e-9


@dataclass(frozen=True)
class Hold:
    """The reference stands still at `q` (7,), rad."""

    q: Array

    @property
    def duration(self) -> float:
        """Zero: there is nothing to wait for."""
        return 0.0

    def sample(self, t: ArrayLike) -> Sample:
        """Return q, zero, zero."""
        return self.q, np.zeros(ARM_DOF), np.zeros(ARM_DOF)


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


class ArmController:
    """The time law of the arm's reference. Not thread-safe: the body calls it under its lock."""

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
        self._config = config
        self._kinematics = kinematics
        self._workspace = workspace
        self._motion: Motion = Hold(np.zeros(ARM_DOF))
        self._start_ns = 0
        self._samples: dict[int, Sample] = {}
        self._committed_ns = 0
        self._streaming = False
        self._goal: ArmGoal | None = None
        self._goal_start_ns = 0

    @property
    def busy(self) -> bool:
        """Whether a goal or stream runs, or the reference still moves."""
        return self._goal is not None or not isinstance(self._motion, Hold)

    @property
    def active(self) -> bool:
        """Whether a goal or stream runs."""
        return self._goal is not None or self._streaming

    @property
    def goal(self) -> ArmGoal | None:
        """The goal that runs, if any."""
        return self._goal

    def seed(self, q: Array) -> None:
        """Forget every motion and hold `q` (7,), rad. Goals must have been ended before."""
        self._set_motion(Hold(np.array(q)), self._committed_ns)
        self._streaming = False

    def reference(self, now_ns: int) -> Sample:
        """Return the reference q, dq, ddq at a time."""
        if now_ns not in self._samples:
            elapsed = (now_ns - self._start_ns) / NS
            q, dq, ddq = self._motion.sample(max(elapsed, 0.0))
            if elapsed < 0.0:
                # The motion begins at the end of the period that the hardware works on now.
                q = q + dq * elapsed
            self._samples[now_ns] = q, dq, ddq
        return self._samples[now_ns]

    def follow(
        self,
        trajectory: Trajectory,
        q_measured: Array,
        path_tol: ArrayLike | None = None,
        goal_tol: ArrayLike | None = None,
        goal_time_tol: float | None = None,
    ) -> ArmGoal:
        """Check a trajectory and start it; see `Body.follow`."""
        motion = self._join(trajectory, q_measured)
        goal = ArmGoal(
            duration=motion.duration,
            path_tol=_tolerance(path_tol, self._config.path_tolerance),
            goal_tol=_tolerance(goal_tol, self._config.goal_tolerance),
            goal_time_tol=self._time_tolerance(goal_time_tol),
        )
        if self._goal is not None:
            self._end(*_preempted(self._goal))
        self._begin(motion)
        self._streaming = False
        self._goal = goal
        self._goal_start_ns = self._start_ns
        return goal

    def stream(self, trajectory: Trajectory, age: float) -> None:
        """Replace the streamed chunk; see `Body.stream`. `age` is that of its stamp, s."""
        config = self._config
        if self._goal is not None:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL, "a goal runs: cancel it before streaming"
            )
        if abs(age) > config.stream_max_age:
            raise TrajectoryRejected(
                ArmCode.OLD_HEADER_TIMESTAMP,
                f"the chunk is {age:.3f} s old, allowed are {config.stream_max_age:g} s; "
                "do the clocks agree?",
            )
        if trajectory.duration > config.stream_max_duration:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"the chunk takes {trajectory.duration:.3f} s, at most "
                f"{config.stream_max_duration:g} s can be streamed",
            )
        rest = trajectory.after(age, config.stream_lead) or trajectory.after(age)
        if rest is None:
            raise TrajectoryRejected(
                ArmCode.OLD_HEADER_TIMESTAMP,
                f"every point is in the past: the chunk is {age:.3f} s old",
            )
        motion = rest.starting_at(*self.reference(self._committed_ns))
        self._check(motion, motion.t)
        q_end, dq_end, _ = motion.sample(motion.duration)
        q_rest = stopping_point(q_end, dq_end, self._limits.ddq_max)
        if not self._limits.contains(q_rest, POSITION_SLACK):
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                "the last velocity is too high: a stop after the last point would leave the limits",
            )
        self._begin(motion)
        self._streaming = True

    def cancel(self, goal: ArmGoal) -> bool:
        """Slow down and end the goal as canceled once at rest; False where it does not run."""
        if goal is not self._goal:
            return False
        if not goal.canceling:
            goal.canceling = True
            self._brake()
        return True

    def stop(self, text: str) -> None:
        """Abort whatever runs and slow down."""
        if self._goal is not None:
            self._end(Outcome.ABORTED, ArmCode.INVALID_GOAL, text)
        self._streaming = False
        if not isinstance(self._motion, Hold | StopRamp):
            self._brake()

    def update(self, now_ns: int, period_ns: int, q: Array, dq: Array, judge: bool) -> Sample:
        """Advance to `now_ns`; return the reference at the end of the coming control period.

        Args:
            now_ns: motion time.
            period_ns: length of the control period.
            q: measured positions (7,), rad.
            dq: measured velocities (7,), rad/s.
            judge: whether `q` and `dq` are fresh enough to judge tolerances by.
        """
        if self._goal is not None and judge:
            self._judge(self._goal, now_ns, q, dq)
        self._committed_ns = now_ns + period_ns
        self._settle(now_ns)
        self._samples = {ns: sample for ns, sample in self._samples.items() if ns >= now_ns}
        return self.reference(self._committed_ns)

    def _judge(self, goal: ArmGoal, now_ns: int, q: Array, dq: Array) -> None:
        if goal.canceling:
            if (now_ns - self._start_ns) / NS >= self._motion.duration:
                self._end(Outcome.CANCELED, ArmCode.SUCCESSFUL, "canceled")
            return
        elapsed = (now_ns - self._goal_start_ns) / NS
        goal.progress = min(1.0, max(0.0, elapsed / goal.duration))
        error = np.abs(q - self.reference(now_ns)[0])
        if elapsed < goal.duration:
            if (error > goal.path_tol).any():
                text = f"path tolerance: {self._worst(error, goal.path_tol)} at {elapsed:.3f} s"
                self._end(Outcome.ABORTED, ArmCode.PATH_TOLERANCE_VIOLATED, text)
                self._brake()
            return
        judged = np.isfinite(goal.goal_tol)
        moving = judged & (np.abs(dq) > self._config.goal_velocity_tolerance)
        if not (error > goal.goal_tol).any() and not moving.any():
            self._end(Outcome.SUCCEEDED, ArmCode.SUCCESSFUL)
        elif elapsed - goal.duration >= goal.goal_time_tol:
            if (error > goal.goal_tol).any():
                text = f"goal tolerance: {self._worst(error, goal.goal_tol)}"
            else:
                j = int(np.argmax(np.where(judged, np.abs(dq), 0.0)))
                text = f"{self._limits.names[j]} still moves with {dq[j]:.4g} rad/s"
            text += f", {goal.goal_time_tol:g} s after the end of the trajectory"
            self._end(Outcome.ABORTED, ArmCode.GOAL_TOLERANCE_VIOLATED, text)

    def _settle(self, now_ns: int) -> None:
        """Go on after the end of a time law: hold, or brake where a stream ran out moving."""
        if isinstance(self._motion, Hold):
            return
        end_ns = self._start_ns + round(self._motion.duration * NS)
        q, dq, _ = self._motion.sample(self._motion.duration)
        if np.abs(dq).max() > REST_SPEED and end_ns < self._committed_ns:
            self._set_motion(StopRamp(q, dq, self._limits.ddq_max), end_ns)
        elif now_ns >= end_ns:
            self._set_motion(Hold(q), end_ns)
        else:
            return
        self._streaming = False

    def _join(self, trajectory: Trajectory, q_measured: Array) -> Motion:
        """Return the motion from the present reference along the trajectory, checked."""
        trajectory.require_rest_at_end()
        q_ref, dq_ref, ddq_ref = self.reference(self._committed_ns)
        if trajectory.t[0] > 0:
            started = trajectory.starting_at(q_ref, dq_ref, ddq_ref)
            self._check(started, started.t)
            return started
        if len(trajectory.t) == 1:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL, "a single point at time 0 leaves no time to move there"
            )
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
        motion: Motion = trajectory
        knots = trajectory.t
        if max(np.abs(q_ref - q_first).max(), np.abs(jump).max()) > _NO_DIFFERENCE:
            offset = self._offset(q_ref - q_first, jump, trajectory.duration)
            motion = Joined(trajectory, offset)
            knots = np.union1d(knots, offset.t)
        self._check(motion, knots)
        return motion

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

    def _check(self, motion: Motion, knots: Array) -> None:
        q = check_motion(motion, knots, self._limits)
        if self._workspace is None or self._kinematics is None:
            return
        p_base = self._kinematics.fk(q, TCP_LINK)[..., :3, 3]
        box = Workspace(
            tuple(np.minimum(self._workspace.lower, p_base[0] - 1e-6)),
            tuple(np.maximum(self._workspace.upper, p_base[0] + 1e-6)),
        )
        outside = box.first_outside(p_base)
        if outside is not None:
            x, y, z = p_base[outside]
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"workspace: the TCP would reach ({x:.3f}, {y:.3f}, {z:.3f}) m in base, allowed is "
                f"{self._workspace.lower} to {self._workspace.upper}",
            )

    def _time_tolerance(self, given: float | None) -> float:
        if given is None or given == 0:
            given = self._config.goal_time_tolerance
        return float("inf") if given < 0 else float(given)

    def _begin(self, motion: Motion) -> None:
        # The reference up to the committed time is with the hardware already.
        self._set_motion(motion, self._committed_ns)

    def _set_motion(self, motion: Motion, start_ns: int) -> None:
        self._motion = motion
        self._start_ns = start_ns
        self._samples.clear()

    def _brake(self) -> None:
        q, dq, _ = self.reference(self._committed_ns)
        self._begin(StopRamp(q, dq, self._limits.ddq_max))

    def _end(self, outcome: Outcome, code: ArmCode, text: str = "") -> None:
        if self._goal is not None:
            self._goal.finish(outcome, code, text)
            self._goal = None

    def _worst(self, error: Array, tolerance: Array) -> str:
        j = int(np.argmax(error - tolerance))
        return f"{self._limits.names[j]} is off by {error[j]:.4f} > {tolerance[j]:.4f} rad"


def _preempted(goal: ArmGoal) -> tuple[Outcome, ArmCode, str]:
    if goal.canceling:
        return Outcome.CANCELED, ArmCode.SUCCESSFUL, "canceled; a new goal has taken over"
    return Outcome.ABORTED, ArmCode.INVALID_GOAL, "preempted by a new goal"


def _tolerance(given: ArrayLike | None, default: float) -> Array:
    """Return tolerances (7,): 0 = default, negative = unlimited, as in control_msgs."""
    values = np.zeros(ARM_DOF) if given is None else np.array(given, dtype=np.float64)
    values = np.broadcast_to(values, (ARM_DOF,)).copy()
    if not np.isfinite(values[values != np.inf]).all():
        raise TrajectoryRejected(ArmCode.INVALID_GOAL, "a tolerance is not a number")
    values[values == 0] = default
    values[values < 0] = np.inf
    return values
