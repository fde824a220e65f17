"""Solver documents and planning goals of any kind: refused by name, or of use."""

from __future__ import annotations

from pathlib import Path

import pytest
from solver_fuzz_inputs import Documents


def test_any_document_is_a_solver_or_is_refused(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    accepted = sum(documents.run(seed) for seed in range(800))
    assert 80 < accepted < 640, "inputs of one kind only show nothing"


def test_any_goal_gets_a_plan_or_a_typed_failure(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="needs ROS 2")
    pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
    from plan_fuzz_inputs import Plans

    plans = Plans(tmp_path)
    accepted = sum(plans.run(seed) for seed in range(300))
    assert 10 < accepted < 280, "inputs of one kind only show nothing"
