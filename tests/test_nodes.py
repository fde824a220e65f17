"""Every node refuses at start what it does not know, in words, and ends when asked to, at once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from ament_index_python.packages import get_package_prefix

ROOT = Path(__file__).resolve().parents[1]
# Programs that are no nodes; they take options, not parameters.
COMMANDS = {"dataset", "bench_success", "calibrate", "catalogue"}
# What a node does not start without.
NEEDED = {
    "sim_bridge": ("-p", "obs:=state"),
    "franka_driver": ("-p", "robot_ip:=127.0.0.1"),
}
# Who asks for something has not got it.
CLIENTS = {"collect", "deploy"}
GUARD = 120.0  # s; only ends a test that hangs


def nodes() -> list[tuple[str, str]]:
    """Package and executable of every node, from the entry points."""
    found = []
    for setup in sorted((ROOT / "src").glob("*/setup.py")):
        # Functions; what other entry points name are classes.
        names = re.findall(r'"(\w+) = gensim2_\w+\.\w+:[a-z_]+"', setup.read_text())
        found += [(setup.parent.name, name) for name in names if name not in COMMANDS]
    return found


@pytest.mark.parametrize(("package", "executable"), nodes(), ids=lambda word: str(word))
def test_an_unknown_parameter_ends_the_start(package: str, executable: str) -> None:
    """A misspelt parameter must not mean that the default is used."""
    words = [shutil.which("ros2") or "ros2", "run", package, executable, "--ros-args"]
    needed = NEEDED.get(executable, ())
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
