"""An action client that may be used from a thread beside the executor."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future

_POLL = 0.05
"""Pause between looks for the server, s."""
_ASK_AGAIN = 0.5
"""Time after which a question counts as lost, s."""


class SafeActionClient(ActionClient):
    """rclpy's action client without its two races.

    rclpy sends a request first and notes it afterwards. An executor in another thread that sees a
    fast answer in between drops it as unexpected, and whoever waits for it waits for ever. Here no
    answer is taken until the request is noted.

    A client that sees a server is not always seen by it: discovery goes on in both directions
    independently. A server that answers to a client unseen so far drops the answer after 0.1 s,
    having accepted the goal. Here `wait_for_server` waits until an answer has arrived.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """As `rclpy.action.ActionClient`."""
        self._guard = threading.RLock()
        self._answered = threading.Event()
        self._wait = 0
        super().__init__(*arguments, **settings)

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        """Wait for a server whose answers arrive; an executor must be spinning meanwhile.

        It is asked for the result of a goal that nobody has sent, which every action server
        answers at once. An answer that comes after the timeout counts for the next call, unless
        the server has gone meanwhile.

        Args:
            timeout_sec: Longest wait, s; None = as long as it takes.

        Returns:
            Whether there is one.
        """
        deadline = math.inf if timeout_sec is None else time.monotonic() + timeout_sec
        asked = -math.inf
        while self._node.context.ok():
            now = time.monotonic()
            if not self.server_is_ready():
                self._forget()
            elif now - asked >= _ASK_AGAIN:
                asked = now
                self._ask()
            if self._answered.wait(min(_POLL, max(deadline - now, 0.0))):
                self._forget()
                return True
            if now > deadline:
                return False
        return False

    def _ask(self) -> None:
        nobodys = ClientGoalHandle(
            self, self._generate_random_uuid(), self._action_type.Impl.SendGoalService.Response()
        )
        wait = self._wait
        # A question whose answer is lost stays noted: it may still come, and is no surprise then.
        self._get_result_async(nobodys).add_done_callback(lambda _: self._hear(wait))

    def _hear(self, wait: int) -> None:
        with self._guard:
            if wait == self._wait:
                self._answered.set()

    def _forget(self) -> None:
        """Answers to what was asked so far say nothing about the server from now on."""
        with self._guard:
            self._wait += 1
            self._answered.clear()

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
