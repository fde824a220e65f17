"""A cancel that was carried out before rclpy knows of it."""

from __future__ import annotations

import time

from rclpy.action.server import ServerGoalHandle

_POLL = 0.002


def cancel_is_noted(handle: ServerGoalHandle, grace: float) -> bool:
    """Wait until rclpy knows that a client has asked for the end of a goal.

    It notes that after the callback which carries it out, and a goal that is at its end may only
    be called canceled once it has.

    Args:
        handle: of the goal.
        grace: longest wait, s of wall time.

    Returns:
        Whether it knows.
    """
    deadline = time.monotonic() + grace
    while not handle.is_cancel_requested:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
