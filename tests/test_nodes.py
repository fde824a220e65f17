"""Every node ends when it is asked to, at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from ament_index_python.packages import get_package_prefix
from node_programs import GUARD, nodes

# Who asks for something has not got it.
CLIENTS = {"collect", "deploy", "generate_tasks", "sim_eval"}


def takes_signals(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"SigCgt:\s*(\w+)", status)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize(("package", "executable"), nodes(), ids=lambda word: str(word))
def test_ctrl_c_counts_from_the_first_moment_on(package: str, executable: str) -> None:
    """A node is importing for a second or two, in which an operator changes his mind."""
    program = Path(get_package_prefix(package), "lib", package, executable)
    process = subprocess.Popen(
        [program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 22) % 95)},
    )
    try:
        ends = time.monotonic() + GUARD
        while not takes_signals(process.pid) and time.monotonic() < ends:
            time.sleep(0.001)
        early = "rclpy" not in Path(f"/proc/{process.pid}/maps").read_text()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=GUARD)
    finally:
        process.kill()
    assert early, "it could not be ended while it imported"
    assert process.returncode == (130 if executable in CLIENTS else 0), output
    assert "Traceback" not in output, output
