"""Every node refuses at start what it does not know, in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from node_programs import GUARD, needed, nodes


@pytest.mark.parametrize(("package", "executable"), nodes(), ids=lambda word: str(word))
def test_an_unknown_parameter_ends_the_start(tmp_path: Path, package: str, executable: str) -> None:
    """A misspelt parameter must not mean that the default is used."""
    words = [shutil.which("ros2") or "ros2", "run", package, executable, "--ros-args"]
    ended = subprocess.run(
        [*words, *needed(executable, tmp_path), "-p", "nosuch_parameter:=1"],
        capture_output=True,
        text=True,
        timeout=GUARD,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 21) % 95)},
    )
    text = ended.stdout + ended.stderr
    assert ended.returncode == 1, text
    assert "unknown parameter nosuch_parameter" in text and "Known are: " in text
    assert "Traceback" not in text
