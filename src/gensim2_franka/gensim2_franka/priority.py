"""Real-time priority for a whole process of Python."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def raise_priority(priority: int) -> bool:
    """Give every thread of this process a real-time priority; False where that is not allowed.

    One thread at a time runs Python: a control thread alone with a priority would wait for one
    that other programs keep from running. Threads that these start later have the same one.

    Args:
        priority: 1 to 99.
    """
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            try:
                os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(priority))
            except PermissionError:
                return False
    return True
