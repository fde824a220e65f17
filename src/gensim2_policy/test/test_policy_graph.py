"""The node `policy` as a process: what it says where it cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_control" / "test"))

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from gensim2_policy.untrained import save_untrained
from mock_process import graph_environment

DOMAIN = 1 + (os.getpid() + 31) % 95
GUARD = 60.0


@pytest.mark.parametrize(
    ("words", "text"),
    [((), "name the folder of a run"), (("-p", "policy:={cut}"), "cut off")],
    ids=["none", "cut"],
)
def test_a_policy_that_cannot_be_used_ends_the_node_at_once(
    tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    cut = save_untrained(tmp_path / "cut")
    weights = cut / "checkpoints" / "best" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    given = [word.format(cut=cut) for word in words]
    ended = subprocess.run(
        ["ros2", "run", "gensim2_policy", "policy", *(("--ros-args", *given) if given else ())],
        env=graph_environment(DOMAIN),
        capture_output=True,
        text=True,
        timeout=GUARD,
        check=False,
    )
    assert ended.returncode not in (0, 130) and text in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
