"""Spins an executor to its end, whatever is created and destroyed meanwhile."""

from __future__ import annotations

import traceback
from pathlib import Path

import rclpy
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation

_RCLPY = Path(rclpy.__file__).parent


def spin(executor: Executor) -> None:
    """Spin until the executor or its context is shut down.

    The executor of rclpy skips subscriptions, timers, clients and services that another thread
    destroys while it prepares to wait, but not the events that belong to every publisher and
    subscription: of those it complains. It then prepares anew.

    Raises:
        Exception: what a callback has raised.
    """
    while True:
        try:
            executor.spin()
            return
        except ExternalShutdownException:
            return
        except rclpy_implementation.InvalidHandle as error:
            if not _between_callbacks(error):
                raise


def _between_callbacks(error: BaseException) -> bool:
    """Whether rclpy alone was at work, below this file."""
    below = traceback.extract_tb(error.__traceback__)[1:]
    return all(Path(frame.filename).is_relative_to(_RCLPY) for frame in below)
