"""`./ws python bench/fuzz`: every input is counted, and none that ends the process is lost."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).resolve().parents[3] / "bench" / "fuzz"
# Stands in for a family: some inputs raise, one ends the process, one ends it by a signal.
WORKER = f"""
import os, signal, sys
sys.path.insert(0, {str(FUZZ)!r})
import worker
class Family:
    def run(self, seed):
        if seed % 10 == 3:
            raise ValueError("a defect")
        if seed == 17:
            os._exit(5)
        if seed == 21:
            os.kill(os.getpid(), signal.SIGKILL)
        return seed % 2 == 0
worker.load_family = lambda name, scratch: Family()
worker.run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
"""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FUZZ))
    spec = importlib.util.spec_from_file_location("fuzz_command", FUZZ / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz_command", module)
    spec.loader.exec_module(module)
    return module


def test_inputs_that_raise_or_end_the_process_are_found(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worker_of_test.py").write_text(WORKER)
    monkeypatch.setattr(command, "WORKER", tmp_path / "worker_of_test.py")
    tally = command.run_family("task files", 0, 40)
    assert sorted(seed for seed, _, _ in tally.crashes) == [3, 13, 17, 21, 23, 33]
    assert {error for _, error, _ in tally.crashes} == {
        "ValueError: a defect", "the process ended with 5", "the process ended with -9"
    }  # fmt: skip
    assert tally.inputs == 40


def test_a_worker_that_cannot_start_is_no_success(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worker_of_test.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(command, "WORKER", tmp_path / "worker_of_test.py")
    tally = command.run_family("task files", 0, 40)
    assert [error for _, error, _ in tally.crashes] == ["the worker cannot start: 3"]


def test_the_command_counts_the_inputs_of_a_family() -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--only", "task files", "--inputs", "60", "--seed", "5"],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 inputs, 0 crashes" in done.stdout
