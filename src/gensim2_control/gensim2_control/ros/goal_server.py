"""What the two action servers of the body have in common.

A goal that nobody could carry out (malformed, or sent while no motion is possible) is rejected,
as a ros2_control joint trajectory controller does; rejection carries no text in ROS 2, so the
reason is logged and shown in the diagnostics. A well-formed goal that is unsafe now (start,
limits, workspace) is accepted and aborted before anything moves, with code and text in its
result. Goals are handed to the body in the order in which they are accepted.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_control.body import Body
from gensim2_control.goals import Goal, GoalRejected, Outcome
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.state_publisher import StatePublisher

FEEDBACK_PERIOD = 0.05
"""Wall time between two feedback messages, s."""
_CANCEL_GRACE = 5.0
"""Wall time within which rclpy reports a cancel that the body has carried out already, s."""
_DRAIN_TIMEOUT = 2.0

GoalT = TypeVar("GoalT", bound=Goal)


class GoalServer(ABC, Generic[GoalT]):
    """An action server whose goals the body carries out."""

    def __init__(
        self, node: Node, body: Body, publisher: StatePublisher, action_type: Any, name: str
    ) -> None:
        self._node = node
        self._body = body
        self._publisher = publisher
        self._lock = threading.Lock()
        self._goals: dict[bytes, GoalT | GoalRejected] = {}
        self._server = ActionServer(
            node,
            action_type,
            name,
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self._name = name

    def drain(self) -> None:
        """Wait until the results of ended goals are with their clients; bounded."""
        for _ in range(int(_DRAIN_TIMEOUT / FEEDBACK_PERIOD)):
            with self._lock:
                running = bool(self._goals)
            # One pause more than needed: the result leaves after the goal is forgotten here.
            time.sleep(FEEDBACK_PERIOD)
            if not running:
                return

    @abstractmethod
    def check(self, request: Any) -> None:
        """Raise `GoalRejected` where the request is malformed."""

    @abstractmethod
    def start(self, request: Any) -> GoalT:
        """Hand the goal to the body, or raise `GoalRejected`."""

    @abstractmethod
    def feedback(self, goal: GoalT) -> Any:
        """Return a feedback message, or None."""

    @abstractmethod
    def result(self, goal: GoalT | GoalRejected) -> Any:
        """Return the result message of a goal that has ended or was refused."""

    def _on_goal(self, request: Any) -> GoalResponse:
        try:
            self._body.check_ready()
            self.check(request)
        except GoalRejected as rejection:
            self._report(rejection)
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        goal: GoalT | GoalRejected
        try:
            goal = self.start(handle.request)
        except GoalRejected as rejection:
            self._report(rejection)
            goal = rejection
        with self._lock:
            self._goals[bytes(handle.goal_id.uuid)] = goal
        handle.execute()

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._lock:
            goal = self._goals.get(bytes(handle.goal_id.uuid))
        # The arm begins to slow down here and now, not when a thread gets to it.
        if isinstance(goal, Goal) and self._body.cancel(goal):
            return CancelResponse.ACCEPT
        return CancelResponse.REJECT

    def _execute(self, handle: ServerGoalHandle) -> Any:
        key = bytes(handle.goal_id.uuid)
        with self._lock:
            goal = self._goals[key]
        if isinstance(goal, GoalRejected):
            handle.abort()
        else:
            self._wait(handle, goal)
            outcome = goal.result.outcome if goal.result is not None else Outcome.ABORTED
            if outcome is Outcome.SUCCEEDED:
                handle.succeed()
            elif outcome is Outcome.CANCELED and cancel_is_noted(handle, _CANCEL_GRACE):
                handle.canceled()
            else:
                handle.abort()
        with self._lock:
            del self._goals[key]
        return self.result(goal)

    def _wait(self, handle: ServerGoalHandle, goal: GoalT) -> None:
        """Wait for the end in wall time: simulated time may stand still or race."""
        while not goal.wait(FEEDBACK_PERIOD):
            feedback = self.feedback(goal)
            if feedback is not None and handle.is_active:
                handle.publish_feedback(feedback)

    def _report(self, rejection: GoalRejected) -> None:
        text = f"{self._name}: {rejection}"
        self._publisher.last_rejection = text
        self._node.get_logger().warning(text)
