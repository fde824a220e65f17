"""rclpy's executor with a pool of threads, without its busy loop."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rclpy.executors import MultiThreadedExecutor


class PoolExecutor(MultiThreadedExecutor):
    """Hands every callback to its pool once.

    rclpy hands over again, in a loop without a pause, what no thread of the pool has begun yet.
    Where all of them have a real-time priority the loop itself keeps those threads, and the one
    that drives the robot, from running: for 0.1 s at a time on a busy machine.
    """

    def __init__(self, threads: int) -> None:
        """Prepare.

        Args:
            threads: of the pool.
        """
        super().__init__(num_threads=threads)
        self._pool = self._executor = Pool(threads)

    def _wait_for_ready_callbacks(self, *arguments: Any, **settings: Any) -> Iterator[Any]:
        for task, entity, node in super()._wait_for_ready_callbacks(*arguments, **settings):
            if task not in self._pool.waiting:
                yield task, entity, node


class Pool(ThreadPoolExecutor):
    """A pool that knows what it has not begun yet.

    Attributes:
        waiting: tasks that no thread has taken up.
    """

    def __init__(self, threads: int) -> None:
        """Prepare.

        Args:
            threads: their largest number.
        """
        super().__init__(threads)
        self.waiting: set[Any] = set()

    def submit(self, task: Any, /, *arguments: Any, **settings: Any) -> Future[Any]:
        """Let a thread call `task` once one is free."""
        self.waiting.add(task)
        return super().submit(self._begin, task, *arguments, **settings)

    def _begin(self, task: Any, *arguments: Any, **settings: Any) -> Any:
        self.waiting.discard(task)
        return task(*arguments, **settings)
