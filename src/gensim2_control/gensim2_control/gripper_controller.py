"""Moves the fingers and tells a grasp from an empty hand."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from gensim2_control.config import GripperConfig
from gensim2_control.goals import ArmCode, GoalRejected, GripperGoal, Outcome
from gensim2_control.hardware import FINGER_MAX, FINGER_MIN
from gensim2_control.motion_clock import NS

_SLACK = 1e-4


@dataclass(frozen=True)
class GripperCommand:
    """What to hand to the hardware: a position in m and a force in N, or a stop."""

    position: float
    effort: float
    stop: bool = False


class GripperController:
    """One gripper goal at a time. Not thread-safe: the body calls it under its lock.

    Positions are those of one finger joint: 0 closed, 0.04 m open. Fingers that stand still
    short of the goal have met something; that ends the goal successfully with `stalled` set,
    because it is what a grasp looks like, and the hardware goes on pressing.
    """

    def __init__(self, config: GripperConfig) -> None:
        self._config = config
        self._goal: GripperGoal | None = None
        self._pending: GripperCommand | None = None
        self._start_ns: int | None = None
        self._start_position = 0.0
        self._anchor = (0, 0.0)  # time in ns and position in m of the last way worth mentioning
        self._moved = False
        self.commanded = float("nan"), 0.0
        """Finger joint position commanded last, m, and the largest force for it, N.

        Before any command the measured position, and 0.
        """

    @property
    def busy(self) -> bool:
        """Whether a goal runs."""
        return self._goal is not None

    def seed(self, position: float) -> None:
        """Forget earlier commands: the reference is the measured `position`, m."""
        self._pending = None
        self.commanded = position, 0.0

    def check(self, position: float, effort: float) -> None:
        """Raise `GoalRejected` where the hand has no such position or force."""
        if not (isfinite(position) and FINGER_MIN - _SLACK <= position <= FINGER_MAX + _SLACK):
            raise GoalRejected(
                ArmCode.INVALID_GOAL,
                f"position {position} m must be a finger joint position between {FINGER_MIN:g} and "
                f"{FINGER_MAX:g} m, half the gap between the fingers",
            )
        if not (isfinite(effort) and 0 <= effort <= self._config.max_effort):
            raise GoalRejected(
                ArmCode.INVALID_GOAL,
                f"effort {effort} N must be between 0 and {self._config.max_effort:g} N",
            )

    def grip(self, position: float, effort: float) -> GripperGoal:
        """Check a goal and start it; see `Body.grip`."""
        self.check(position, effort)
        goal = GripperGoal(
            min(max(position, FINGER_MIN), FINGER_MAX), effort or self._config.default_effort
        )
        self._finish(Outcome.ABORTED, ArmCode.INVALID_GOAL, "preempted by a new goal")
        self._goal = goal
        self._start_ns = None
        self._moved = False
        self._pending = GripperCommand(goal.position, goal.effort)
        self.commanded = goal.position, goal.effort
        return goal

    def cancel(self, goal: GripperGoal) -> bool:
        """Stop the fingers and end the goal as canceled; False where it does not run."""
        if goal is not self._goal:
            return False
        self._finish(Outcome.CANCELED, ArmCode.SUCCESSFUL, "canceled")
        self._pending = GripperCommand(0.0, 0.0, stop=True)
        return True

    def stop(self, text: str) -> None:
        """Abort a running goal and stop the fingers; without one, what is held stays held."""
        if self._goal is not None:
            self._finish(Outcome.ABORTED, ArmCode.INVALID_GOAL, text)
            self._pending = GripperCommand(0.0, 0.0, stop=True)

    def update(self, now_ns: int, position: float, force: float) -> GripperCommand | None:
        """Judge the running goal; return a command for the hardware, where there is a new one.

        Args:
            now_ns: motion time.
            position: measured finger joint position, m.
            force: measured force, N.
        """
        command, self._pending = self._pending, None
        if command is not None and command.stop:
            self.commanded = position, 0.0
        if self._goal is not None:
            self._judge(self._goal, now_ns, position, force)
        return command

    def _judge(self, goal: GripperGoal, now_ns: int, position: float, force: float) -> None:
        config = self._config
        if self._start_ns is None:
            self._start_ns, self._start_position = now_ns, position
            self._anchor = now_ns, position
        elapsed = (now_ns - self._start_ns) / NS
        goal.reached, goal.force = position, force
        remaining = abs(position - goal.position)
        whole = abs(self._start_position - goal.position)
        goal.progress = min(1.0, max(0.0, 1.0 - remaining / whole)) if whole > 0 else 1.0
        if remaining <= config.goal_tolerance:
            goal.reached_goal = True
            self._finish(Outcome.SUCCEEDED, ArmCode.SUCCESSFUL)
        elif self._stands(now_ns, position, elapsed):
            goal.stalled = True
            self._finish(Outcome.SUCCEEDED, ArmCode.SUCCESSFUL, "stalled: something is held")
        elif elapsed >= config.timeout:
            self._finish(
                Outcome.ABORTED,
                ArmCode.GOAL_TOLERANCE_VIOLATED,
                f"the fingers are at {position:.4f} m after {elapsed:.2f} s, wanted "
                f"{goal.position:.4f} m",
            )
            self._pending = GripperCommand(0.0, 0.0, stop=True)

    def _stands(self, now_ns: int, position: float, elapsed: float) -> bool:
        """Tell whether the fingers have stood still for the stall time.

        The way within that time counts, not the speed of a moment: in a contact fingers tremble
        by some um at every step, which is fast but leads nowhere.
        """
        config = self._config
        since_ns, anchor = self._anchor
        if abs(position - anchor) > config.stall_speed * config.stall_time:
            self._moved = True
            self._anchor = now_ns, position
            return False
        if not self._moved:
            return elapsed >= config.response_time + config.stall_time
        return now_ns - since_ns >= config.stall_time * NS

    def _finish(self, outcome: Outcome, code: ArmCode, text: str = "") -> None:
        if self._goal is not None:
            self._goal.finish(outcome, code, text)
            self._goal = None
