"""rclpy's executor with a pool of threads, without its busy loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rclpy.executors import MultiThreadedExecutor


class PoolExecutor(MultiThreadedExecutor):
    """Hands every callback to its pool once, and sleeps until there is another.

    rclpy keeps a list of what it has handed over, to go on with coroutines, and hands over again,
    in a loop without a pause, whatever in it no thread has begun yet. Where all threads have a
    real-time priority that loop keeps those of the pool, and the one that drives the robot, from
    running. Here a task is on the list only while it has to be begun or gone on with.
    """

    def __init__(self, threads: int) -> None:
        """Prepare.

        Args:
            threads: of the pool.
        """
        super().__init__(num_threads=threads)
        self._handed_over: dict[Any, tuple[Any, Any, Any]] = {}
        self._executor = _Pool(threads, self._take_back)

    def _wait_for_ready_callbacks(  # type: ignore[override]  # it only hands on
        self, *arguments: Any, **settings: Any
    ) -> Iterator[Any]:
        ready: Iterator[Any] = super()._wait_for_ready_callbacks(*arguments, **settings)
        for entry in ready:
            with self._tasks_lock:
                if entry[0] in self._handed_over:
                    continue
                self._handed_over[entry[0]] = entry
                self._tasks = [other for other in self._tasks if other[0] is not entry[0]]
            yield entry

    def _take_back(self, task: Any) -> None:
        """Keep a coroutine that waits for something on the list."""
        with self._tasks_lock:
            entry = self._handed_over.pop(task, None)
            if entry is None or task.done() or task.cancelled():
                return
            self._tasks.append(entry)
        self._guard.trigger()


class _Pool(ThreadPoolExecutor):
    """All of its threads are there from the start, not when enough is to be done at once.

    None has to be made while a robot moves, and a number that grows is a leak.
    """

    def __init__(self, threads: int, called: Any) -> None:
        super().__init__(threads)
        everyone = threading.Barrier(threads + 1)
        for _ in range(threads):
            super().submit(everyone.wait)
        everyone.wait()
        self._called = called

    def submit(self, task: Any, /, *arguments: Any, **settings: Any) -> Future[Any]:
        """Let a thread call `task` once one is free, and tell afterwards."""
        return super().submit(self._call, task, *arguments, **settings)

    def _call(self, task: Any, *arguments: Any, **settings: Any) -> Any:
        try:
            return task(*arguments, **settings)
        finally:
            self._called(task)
