"""How a node ends, as the process that started it sees it."""

from __future__ import annotations

import contextlib
import os
import signal
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


SLOW = """
import sys
from gensim2_control.ros.run import run_node
from rclpy.node import Node

class Slow(Node):
    def __init__(self):
        super().__init__("slow")
        print("starting", flush=True)
        {start}
        print("started", flush=True)

    def close(self):
        print("closed", flush=True)

sys.exit(run_node(Slow))
"""
LIBRARY = "try: sys.stdin.readline()\n        except BaseException: pass"


def start_slowly(start: str) -> subprocess.Popen[str]:
    """Start a node that waits for a line while it starts, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(start=start)],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "starting\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("start", ["sys.stdin.readline()", LIBRARY], ids=["plain", "swallowing"])
def test_a_signal_during_the_start_is_neither_lost_nor_cuts_it(start: str, number: int) -> None:
    """A library that is interrupted while it starts swallows it, or leaves half of it behind."""
    process = start_slowly(start)
    process.send_signal(number)
    try:
        output, errors = process.communicate("\n", timeout=GUARD)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, "started\nclosed\n"), errors
    assert "Traceback" not in errors


def test_a_start_that_hangs_is_ended_by_a_second_signal() -> None:
    process = start_slowly("import threading; threading.Event().wait()")
    try:
        # And by no further one: many come while the interpreter ends.
        for _ in range(round(GUARD / 0.005)):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
                break
        output, errors = process.communicate(timeout=GUARD)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, ""), errors
    assert "Traceback" not in errors


STRUCK = """
import os
import signal
import sys
import threading

class Struck(threading.Barrier):
    def wait(self, timeout=None):
        if threading.current_thread() is threading.main_thread():
            print("half made", flush=True)
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
        return super().wait(timeout)

threading.Barrier = Struck

from gensim2_control.ros.run import run_node
from rclpy.node import Node

sys.exit(run_node(lambda: Node("struck")))
"""


def test_two_signals_while_the_pool_is_made_end_it_in_an_orderly_way() -> None:
    """Ctrl-C under a launch: the terminal and the launch send one each."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert "half made" in done.stdout
    assert done.returncode == 0, done.stderr
