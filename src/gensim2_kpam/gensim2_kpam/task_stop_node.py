"""Why a running task must end before it is done: a cancel, or its time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from .performance import ExpertCode, ExpertError


class TaskStop:
    """A cancel and a time limit, and waits that both interrupt.

    Args:
        node: The node; the time limit runs on its clock.
        group: Of the timer.
        now: ROS time, s; never behind the clock of the node.
    """

    def __init__(self, node: Node, group: CallbackGroup, now: Callable[[], float]) -> None:
        self.changed = threading.Condition()  # guards and announces whatever is waited for
        self._node, self._now = node, now
        self._why: ExpertError | None = None
        self._deadline = inf
        self._on_stop: Callable[[], None] = lambda: None
        # Of ROS time: where that stands still, nothing times out and nothing wakes.
        self._timer = node.create_timer(
            1.0, self._on_deadline, callback_group=group, autostart=False
        )

    def clear(self) -> None:
        """Forgets an earlier stop and its time limit."""
        self._timer.cancel()
        with self.changed:
            self._deadline, self._why = inf, None

    def limit(self, timeout: float) -> None:
        """Stops the task in ``timeout`` s of ROS time from now."""
        with self.changed:
            self._deadline = self._now() + timeout
        self._start_timer(timeout)

    def _start_timer(self, period: float) -> None:
        self._timer.timer_period_ns = round(period * 1e9)
        self._timer.reset()
        if self._node.executor is not None:
            self._node.executor.wake()  # It may be asleep and know nothing of the timer.

    def _on_deadline(self) -> None:
        self._timer.cancel()
        left = self._deadline - self._now()
        if left == inf:
            return
        if left > 1e-3:
            # The clock was behind the other stamps when the limit was set, and has caught up.
            self._start_timer(left)
            return
        self.stop(ExpertError(ExpertCode.TIMEOUT, "the time for the task is over"))

    def stop(self, why: ExpertError) -> None:
        """Stops the task; the first reason counts."""
        with self.changed:
            self._why = self._why or why
            self.changed.notify_all()
            on_stop = self._on_stop
        on_stop()

    def call_on_stop(self, action: Callable[[], None]) -> None:
        """Has ``action`` called in the moment of a stop, now if there has been one."""
        with self.changed:
            self._on_stop = action
            late = self._why is not None
        if late:
            action()

    @property
    def requested(self) -> bool:
        """Whether the task must end."""
        return self._why is not None

    def check(self) -> None:
        """Raises ``ExpertError`` where the task must end."""
        with self.changed:
            if self._why is not None:
                raise ExpertError(self._why.code, str(self._why))

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Waits for news that make a condition true, at most ``timeout`` s of wall time.

        Raises:
            ExpertError: The task must end.
        """
        with self.changed:
            met = self.changed.wait_for(lambda: self.requested or condition(), timeout)
        self.check()
        return bool(met)
