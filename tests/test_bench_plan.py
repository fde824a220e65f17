"""Planning is measured, task by task."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from gensim2_tasks.catalogue import load_task, task_names

BENCH = Path(__file__).resolve().parents[1] / "bench"
GUARD = 600.0  # s; only ends a test that hangs


def test_the_planning_of_every_single_manipulation_is_measured(tmp_path: Path) -> None:
    """Of every task in one step, with its median and its slow end."""
    file = tmp_path / "figures.json"
    words = [sys.executable, str(BENCH), "--only", "plan", "--quick", "--json", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=GUARD)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(file.read_text())["figures"]
    manipulations = [name for name in task_names() if len(load_task(name).subtasks) == 1]
    for task in (*manipulations, "all"):
        median, p95 = (figures[f"plan.{task}.cpu.{name}"]["value"] for name in ("median", "p95"))
        assert 0 < median <= p95
    assert "episodes of OpenBox" in done.stderr
