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
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_clock import NS
from gensim2_control.motion_planner import MotionPlanner, PlannedMotion
from gensim2_control.stopping import StopRamp
from gensim2_control.trajectory import REST_SPEED, Motion, Sample


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


class ArmController:
    """The time law of the arm's reference. Not thread-safe: the body calls it under its lock."""

    def __init__(
        self,
        limits: JointLimits,
        config: ArmConfig,
        kinematics: Fr3Kinematics | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self._limits = limits
        self._config = config
        self.planner = MotionPlanner(limits, config, kinematics, workspace)
        """Makes motions from requests; needs no lock."""
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

    @property
    def start(self) -> Sample:
        """The reference at which a new motion would begin."""
        return self.reference(self._committed_ns)

    def require_no_goal(self) -> None:
        """Raise `TrajectoryRejected` where a goal runs, which no stream may interrupt."""
        if self._goal is not None:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL, "a goal runs: cancel it before streaming"
            )

    def require_rest(self) -> None:
        """Raise `TrajectoryRejected` where the arm moves or a goal runs."""
        if self.busy:
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL, "the arm is moving: cancel or stop it before homing"
            )

    def follow(
        self,
        planned: PlannedMotion,
        q_measured: Array,
        path_tol: ArrayLike | None = None,
        goal_tol: ArrayLike | None = None,
        goal_time_tol: float | None = None,
    ) -> ArmGoal:
        """Start a motion that was planned and checked a moment ago; see `Body.follow`."""
        anew = self.planner.join(planned.trajectory, self.start, q_measured)
        motion = self._renewed(planned, anew)
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

    def stream(self, planned: PlannedMotion, age: float) -> None:
        """Replace the streamed chunk by one planned and checked a moment ago; see `Body.stream`.

        `age` is that of its stamp now, s.
        """
        self.require_no_goal()
        anew = self.planner.enter(planned.trajectory, self.start, age)
        motion = self._renewed(planned, anew)
        self._begin(motion)
        self._streaming = True

    def end_stream(self) -> None:
        """Slow down where a stream leads the arm."""
        if self._streaming:
            self._streaming = False
            self._brake()

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

    def _renewed(self, checked: PlannedMotion, anew: PlannedMotion) -> Motion:
        """Return the motion from the present reference.

        Where the reference has moved since the check, only the way onto the trajectory differs,
        and only that is checked again, because everybody else waits meanwhile.
        """
        if checked.starts_at(anew.start) and checked.skipped == anew.skipped:
            return checked.motion
        passed = anew.skipped - checked.skipped
        self.planner.check(anew, until=max(anew.entry, checked.entry - passed))
        return anew.motion

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
