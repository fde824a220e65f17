"""Keeps a process on one processor for a moment; copied into rclpy by `participant_end`.

Nothing but the standard library may be imported here.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_cpu() -> Iterator[None]:
    """All threads of this process share one processor until the block ends.

    A thread that wakes up then takes the place of one that spins, where it would otherwise lose
    every race for a lock that the spinning one takes back at once.
    """
    before: dict[int, set[int]] = {}
    try:
        everywhere = os.sched_getaffinity(0)
        # Not the same one in all the processes that end together.
        here = {sorted(everywhere)[os.getpid() % len(everywhere)]}
        for thread in _threads():
            with contextlib.suppress(OSError):  # It has ended meanwhile, or this is not allowed.
                before[thread] = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, here)
        yield
    finally:
        for thread in _threads():
            with contextlib.suppress(OSError):
                # One that was started meanwhile has inherited the restriction.
                os.sched_setaffinity(thread, before.get(thread, everywhere))


def _threads() -> list[int]:
    return [int(folder.name) for folder in Path("/proc/self/task").iterdir()]
