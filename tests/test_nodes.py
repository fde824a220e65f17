"""Every node refuses at start what it does not know, in words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

ROOT = Path(__file__).resolve().parents[1]
# Programs that are no nodes; they take options, not parameters.
COMMANDS = {"dataset", "bench_success"}
GUARD = 120.0  # s; only ends a test that hangs


def nodes() -> list[tuple[str, str]]:
    """Package and executable of every node, from the entry points."""
    found = []
    for setup in sorted((ROOT / "src").glob("*/setup.py")):
        names = re.findall(r'"(\w+) = gensim2_\w+\.\w+:main"', setup.read_text())
        found += [(setup.parent.name, name) for name in names if name not in COMMANDS]
    return found


@pytest.mark.parametrize(("package", "executable"), nodes(), ids=lambda word: str(word))
def test_an_unknown_parameter_ends_the_start(package: str, executable: str) -> None:
    """A misspelt parameter must not mean that the default is used."""
    words = [shutil.which("ros2") or "ros2", "run", package, executable, "--ros-args"]
    needed = ["-p", "obs:=state"] if executable == "sim_bridge" else []
    ended = subprocess.run(
        [*words, *needed, "-p", "nosuch_parameter:=1"],
        capture_output=True,
        text=True,
        timeout=GUARD,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 21) % 95)},
    )
    text = ended.stdout + ended.stderr
    assert ended.returncode == 1, text
    assert "unknown parameter nosuch_parameter" in text and "Known are: " in text
    assert "Traceback" not in text
