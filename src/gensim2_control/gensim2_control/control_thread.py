"""A control loop in real time, for hosts whose hardware has a clock of its own."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable


class ControlThread:
    """Calls a function periodically on the steady clock, in a thread of its own.

    A late call is made at once and the missed ones are left out, so that an overloaded machine
    does not cause a burst. An exception ends the loop and is handed to `on_failure`.
    """

    def __init__(
        self,
        period: float,
        tick: Callable[[float], None],
        on_failure: Callable[[BaseException], None],
        priority: int = 0,
    ) -> None:
        """Prepare the thread; `start` runs it.

        Args:
            period: time between two calls, s.
            tick: called with the s passed since the call before.
            on_failure: called in the thread with the exception that ended it.
            priority: real-time priority of the thread, 1 to 99, where this user may have it;
                0 = that of the others.
        """
        self._period = period
        self._tick = tick
        self._on_failure = on_failure
        self._priority = priority
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    @property
    def running(self) -> bool:
        """Whether the loop runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop and wait for it; safe to call twice and before `start`."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        if self._priority:
            with contextlib.suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(self._priority))
        last = time.monotonic()
        due = last + self._period
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            try:
                self._tick(now - last)
            except Exception as error:
                self._on_failure(error)
                return
            last = now
            due = max(due + self._period, now)
