"""Log lines on the screen and in `launch.log`, and where the output of processes goes."""

from __future__ import annotations

import logging
from logging import CRITICAL, DEBUG, ERROR, FATAL, INFO, WARN, WARNING

from .config import LaunchConfig
from .output import ProcessOutput, resolve_output

launch_config = LaunchConfig()
"""The settings of this process, as upstream: set `log_dir` or `level` before launching."""


def get_logger(name: str | None = None) -> logging.Logger:
    """Return a logger whose lines go to the screen and to `launch.log`."""
    return launch_config.get_logger(name or "launch")


def reset() -> None:
    """Close the log files and forget all settings; the next launch begins a new log folder."""
    launch_config.reset()


__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "WARNING",
    "LaunchConfig",
    "ProcessOutput",
    "get_logger",
    "launch_config",
    "reset",
    "resolve_output",
]
