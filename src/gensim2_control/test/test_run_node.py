"""How a node ends, as the process that started it sees it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")

DOMAIN = 1 + (os.getpid() + 6) % 95
GUARD = 60.0  # s; only ends a test that hangs

NODE = """
import sys
import rclpy
from gensim2_control.ros.run import run_node
from rclpy.node import Node

class Short(Node):
    exit_code = 7

    def __init__(self):
        super().__init__("short")
        self.create_timer(0.01, self.tick)

    def tick(self):
        {tick}

sys.exit(run_node(Short))
"""


@pytest.mark.parametrize(
    ("tick", "code"),
    [
        ("rclpy.shutdown()", 7),
        # The executor complains of the same when it is about to wait.
        ("rclpy.shutdown(); raise RuntimeError('the given context is not valid')", 7),
        ("raise RuntimeError('a defect')", 1),
    ],
    ids=["ended by itself", "shut down while it prepared to wait", "failed"],
)
def test_exit_code(tick: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NODE.format(tick=tick)],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert done.returncode == code, done.stderr
    assert ("a defect" in done.stderr) == (code == 1), done.stderr
