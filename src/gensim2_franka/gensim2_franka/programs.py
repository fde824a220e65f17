"""The executables of this package."""

from __future__ import annotations

import contextlib
import os

from gensim2_control.program import run_program

_PRIORITY = 10
"""Real-time priority of everything in the driver; its control thread has a higher one."""


def franka_driver() -> int:
    """Run the node `franka_driver`; return its exit code."""
    # One thread at a time runs Python: a control thread would wait for one that other programs
    # keep from running. Threads that are started later have the same priority.
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    # It looks for any other body itself, whatever its name.
    return run_program("gensim2_franka.franka_driver_node", "FrankaDriverNode", unique=False)


def fake_robot() -> int:
    """Run the node `fake_robot`; return its exit code."""
    # Its ports are what there can be only one of.
    return run_program("gensim2_franka.fake_robot_node", "FakeRobotNode", unique=False)
