"""The logic must run, and be tested, without ROS."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "gensim2_control"
ROS = {"rclpy", "sensor_msgs", "std_msgs", "control_msgs", "trajectory_msgs", "gensim2_msgs"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_ros_stays_in_nodes_and_in_ros(module: Path) -> None:
    names = imported(module)
    if module.name.endswith("_node.py") or module.parent.name == "ros":
        assert len(module.read_text(encoding="utf-8").splitlines()) < 400
        return
    assert not {name.split(".")[0] for name in names} & ROS
    assert not [name for name in names if name.startswith("gensim2_control.ros")]
