"""Goals handed to the body: how a client waits for one and learns how it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum, IntEnum

from gensim2_control.hardware import Array


class ArmCode(IntEnum):
    """Result codes of an arm goal, numbered as in control_msgs/action/FollowJointTrajectory."""

    SUCCESSFUL = 0
    INVALID_GOAL = -1
    INVALID_JOINTS = -2
    OLD_HEADER_TIMESTAMP = -3
    PATH_TOLERANCE_VIOLATED = -4
    GOAL_TOLERANCE_VIOLATED = -5


class Outcome(Enum):
    """How a goal ended."""

    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    CANCELED = "canceled"


class GoalRejected(ValueError):  # noqa: N818
    """The body refuses a goal; nothing has moved.

    Attributes:
        code: an `ArmCode`.
        text: what is wrong, where and by how much.
    """

    def __init__(self, code: ArmCode, text: str) -> None:
        super().__init__(f"{code.name}: {text}")
        self.code = code
        self.text = text


class TrajectoryRejected(GoalRejected):
    """The body refuses a trajectory."""


@dataclass(frozen=True)
class GoalResult:
    """How a goal ended.

    Attributes:
        outcome: succeeded, aborted or canceled.
        code: an `ArmCode`; `SUCCESSFUL` also after a cancel, which is what the client asked for.
        text: the reason, empty after success.
    """

    outcome: Outcome
    code: ArmCode
    text: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the goal was reached."""
        return self.outcome is Outcome.SUCCEEDED


class Goal:
    """A goal the body has accepted. Made by `Body`; read and waited for in any thread."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._result: GoalResult | None = None
        self.progress = 0.0
        """Share of the time law (arm) or of the way (gripper) that is behind, 0 to 1."""
        self.canceling = False
        """The goal was canceled and the joints are still slowing down."""

    @property
    def done(self) -> bool:
        """Whether the goal has ended; `result` is set then."""
        return self._done.is_set()

    @property
    def result(self) -> GoalResult | None:
        """How the goal ended, or None while it runs."""
        return self._result

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` s of wall time for the end; True where the goal has ended."""
        return self._done.wait(timeout)

    def finish(self, outcome: Outcome, code: ArmCode, text: str = "") -> None:
        """End the goal; only the first call counts. Called by the controllers."""
        if self._result is None:
            self._result = GoalResult(outcome, code, text)
            if outcome is Outcome.SUCCEEDED:
                self.progress = 1.0
            self._done.set()


class ArmGoal(Goal):
    """A trajectory that the arm follows.

    Attributes:
        duration: length of the time law, s.
        path_tol: allowed |q - q_ref| on the way, rad (7,); inf = unlimited.
        goal_tol: allowed |q - q_ref| at the end, rad (7,); inf = unlimited.
        goal_time_tol: s after the time law within which `goal_tol` must be met.
    """

    def __init__(
        self, duration: float, path_tol: Array, goal_tol: Array, goal_time_tol: float
    ) -> None:
        super().__init__()
        self.duration = duration
        self.path_tol = path_tol
        self.goal_tol = goal_tol
        self.goal_time_tol = goal_time_tol


class GripperGoal(Goal):
    """A finger position to reach, or an object to meet on the way.

    Attributes:
        position: wanted finger joint position, m.
        effort: largest force, N.
        reached: last measured finger joint position, m.
        force: last measured force, N.
        stalled: the fingers stopped short of `position`: something is between them.
        reached_goal: the fingers are at `position`.
    """

    def __init__(self, position: float, effort: float) -> None:
        super().__init__()
        self.position = position
        self.effort = effort
        self.reached = float("nan")
        self.force = 0.0
        self.stalled = False
        self.reached_goal = False
