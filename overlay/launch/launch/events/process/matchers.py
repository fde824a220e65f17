"""Predicates over process actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...actions import ExecuteLocal


def matches_pid(pid: int) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for the process of that id."""
    return lambda action: action.process_details.get("pid") == pid


def matches_name(name: str) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for the process of that label."""
    return lambda action: action.process_details.get("name") == name


def matches_executable(executable: str) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for processes whose program file has that name."""

    def matches(action: ExecuteLocal) -> bool:
        cmd = action.process_description.final_cmd
        return cmd is not None and Path(cmd[0]).name == executable

    return matches
