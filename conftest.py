"""Marks the tests that need the machine for themselves, so that the others can run side by side."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

# Who uses one of these is waited for, or has to keep time. To start a program and wait for its end
# is neither.
_BUSY = re.compile(
    r"\b(rclpy|document_graph|threading|multiprocessing|socket|signal|franky|pyrealsense2|launch_ros|LaunchContext)\b"
)
_IMPORTED = re.compile(r"^\s*(?:from|import) (\w+)", re.MULTILINE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of a module that keeps processes or threads, or whose helpers do."""
    for item in items:
        if _is_busy(item.path):
            item.add_marker("alone")


@functools.cache
def _is_busy(module: Path) -> bool:
    # Helpers lie in the folder of the tests that use them.
    seen, ahead = {module}, [module]
    while ahead:
        text = ahead.pop().read_text(encoding="utf-8")
        if _BUSY.search(text):
            return True
        helpers = {module.parent / f"{name}.py" for name in _IMPORTED.findall(text)}
        new = {helper for helper in helpers - seen if helper.is_file()}
        seen |= new
        ahead += new
    return False
