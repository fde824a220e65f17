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


# Those of them that keep no time: they bear that others run beside them, though not in one process.
_BESIDE = (
    "overlay",
    "src/gensim2_episodes/test/test_episode_store.py",
    "src/gensim2_generation",
    "src/gensim2_kpam/test/test_kpam_messages.py",
    "src/gensim2_kpam/test/test_kpam_plan_picture.py",
    "src/gensim2_policy/test/test_policy_training.py",
    "src/gensim2_tasks",
    "tests/test_bench.py",
    "tests/test_dependencies.py",
    "tests/test_docker.py",
    "tests/test_graph_document.py",
    "tests/test_launch_files.py",
    "tests/test_layering.py",
    "tests/test_nodes.py",
    "tests/test_rviz.py",
    "tests/test_workspace_build.py",
    "tests/test_workspace_steps.py",
)
# Those of the others that compute for so long that two at a time would wait for their end.
_LONG = (
    "src/gensim2_episodes/test/test_bench_success.py",
    "src/gensim2_kpam/test/test_kpam_planner.py",
    "tests/test_bench_plan.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of a module that keeps processes or threads, or whose helpers do."""
    root = Path(__file__).parent
    for item in items:
        path = item.path.relative_to(root).as_posix()
        if _is_busy(item.path) or path in _LONG:
            item.add_marker("alone")
        if path.startswith((*_BESIDE, *_LONG)):
            item.add_marker("beside")


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
