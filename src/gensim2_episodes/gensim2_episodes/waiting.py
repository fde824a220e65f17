"""Waiting in a thread for something that other threads bring about: bounded, and interruptible."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from gensim2_episodes.attempts import GraphError, NoAnswerError, Stopped

POLL = 0.1
"""How often it is asked whether to stop [s]."""

GONE = 5.0
"""A server that could be seen, and then not for so long, has gone [s]."""


class FutureLike(Protocol):
    """What is needed of a future; those of rclpy fit."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls back once done, at once if it is."""

    def done(self) -> bool:
        """Whether there is a result."""

    def result(self) -> Any:
        """The result; raises what went wrong."""


def wait_done(future: FutureLike, timeout: float) -> bool:
    """Waits for a future, at most `timeout` s; returns whether it is done."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return done.wait(timeout) or future.done()


def result_of(
    future: FutureLike, stopped: Stopped, timeout: float | None = None, text: str = ""
) -> Any:
    """Waits for the result of a future.

    Args:
        future: The future.
        stopped: Why to stop waiting, if so.
        timeout: Longest wait [s]; None = until it is done or `stopped` says so.
        text: What to say if it takes too long.

    Raises:
        NoAnswerError: It takes too long.
        Exception: What `stopped` returns.
    """
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    deadline = None if timeout is None else time.monotonic() + timeout
    while not done.wait(POLL):
        if error := stopped():
            raise error
        if deadline is not None and time.monotonic() > deadline:
            raise NoAnswerError(f"{text} within {timeout:.0f} s")
    return future.result()


def wait_until(
    condition: Callable[[], bool], stopped: Stopped, timeout: float, text: Callable[[], str]
) -> None:
    """Waits for a condition that nobody announces.

    Raises:
        NoAnswerError: It takes longer than `timeout` s; says `text`.
        Exception: What `stopped` returns.
    """
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if error := stopped():
            raise error
        if time.monotonic() > deadline:
            raise NoAnswerError(f"{text()} (waited for {timeout:.0f} s)")
        pause.wait(POLL)


class Watch:
    """Notices that a server has died, or that nothing goes on any more."""

    def __init__(
        self,
        name: str,
        ready: Callable[[], bool],
        limit: float | None = None,
        now_ns: Callable[[], int] = lambda: 0,
        longest: float | None = None,
    ) -> None:
        """Starts watching.

        Args:
            name: What the server is called in errors.
            ready: Whether it can be seen.
            limit: Longest time without progress [s of wall time]; None = any.
            now_ns: ROS time [ns]; as long as it moves, there is progress.
            longest: Longest time in all [s of ROS time]; None = any.
        """
        self._name = name
        self._ready = ready
        self._limit = limit
        self._now_ns = now_ns
        self._longest = longest
        self._start_ns = self._last_ns = now_ns()
        self._moved = self._seen = time.monotonic()

    def progress(self) -> None:
        """Notes progress that the server reported."""
        self._moved = time.monotonic()

    def trouble(self) -> GraphError | None:
        """What is wrong, if anything."""
        now, now_ns = time.monotonic(), self._now_ns()
        if now_ns != self._last_ns:
            self._moved, self._last_ns = now, now_ns
        if self._longest is not None and now_ns - self._start_ns > self._longest * 1e9:
            return GraphError(
                f"{self._name} has not ended after {self._longest:.0f} s: does it hang?"
            )
        if self._ready():
            self._seen = now
        if now - self._seen > GONE:
            return GraphError(f"{self._name} has gone: its node has ended or died")
        if self._limit is not None and now - self._moved > self._limit:
            return GraphError(
                f"{self._name} has reported no progress, and ROS time has not moved, for "
                f"{self._limit:.0f} s"
            )
        return None
