"""Goals of collections of any kind: a typed result, whatever is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")

from collect_fuzz_inputs import Collections


def test_any_goal_gets_a_typed_result(tmp_path: Path) -> None:
    collections = Collections(tmp_path)
    accepted = sum(collections.run(seed) for seed in range(500))
    assert 50 < accepted < 450, "inputs of one kind only show nothing"
