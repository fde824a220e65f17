"""An action client that may be used from a thread beside the executor."""

from __future__ import annotations

import threading
from typing import Any

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future


class SafeActionClient(ActionClient):
    """rclpy's action client without its race.

    rclpy sends a request first and notes it afterwards. An executor in another thread that sees a
    fast answer in between drops it as unexpected, and whoever waits for it waits for ever. Here no
    answer is taken until the request is noted.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """As `rclpy.action.ActionClient`."""
        self._guard = threading.RLock()
        super().__init__(*arguments, **settings)

    def send_goal_async(self, *arguments: Any, **settings: Any) -> Future:
        """As `rclpy.action.ActionClient`."""
        with self._guard:
            return super().send_goal_async(*arguments, **settings)

    def _cancel_goal_async(self, goal_handle: ClientGoalHandle) -> Future:
        with self._guard:
            return super()._cancel_goal_async(goal_handle)

    def _get_result_async(self, goal_handle: ClientGoalHandle) -> Future:
        with self._guard:
            return super()._get_result_async(goal_handle)

    def take_data(self) -> dict[str, Any]:
        """Part of the interface of waitables; called by executors."""
        with self._guard:
            return super().take_data()
