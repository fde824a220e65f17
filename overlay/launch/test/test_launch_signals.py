"""A launch in a process of its own: signals, terminals, sudden death."""

from __future__ import annotations

import os
import pty
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., Any]

HEAD = f"""
import sys
from launch import LaunchDescription
from launch.actions import ExecuteProcess, RegisterEventHandler
from launch.event_handlers import OnProcessIO
PYTHON = {sys.executable!r}
def generate_launch_description():
    return LaunchDescription([
"""
# Tells its process id once it is ready, counts the SIGINTs it gets within a moment, then ends.
COUNTER = (
    HEAD
    + """
        ExecuteProcess(cmd=[PYTHON, "-c", '''
import os, signal, time
count = 0
def on_int(*args):
    global count
    count += 1
signal.signal(signal.SIGINT, on_int)
print("ready", os.getpid())
while not count:
    signal.pause()
time.sleep(0.3)
print("interrupts:", count)
'''], name="counter", output="screen")])
"""
)
STUBBORN = (
    HEAD
    + """
        ExecuteProcess(cmd=["sh", "-c", "trap '' INT TERM; echo ready $$; exec sleep 1000"],
                       output="screen", sigterm_timeout=1000)])
"""
)

EXIT_ON_OUTPUT = """,
        RegisterEventHandler(OnProcessIO(on_stdout=lambda event: sys.exit(9)))])
"""


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGINT, "[WARNING] [launch]: user interrupted with ctrl-c (SIGINT)"),
        (signal.SIGTERM, "[WARNING] [launch]: received SIGTERM"),
    ],
)
def test_signal_ends_everything(
    start_launch: Start, wait_for_end: Any, number: signal.Signals, message: str
) -> None:
    launched = start_launch(COUNTER)
    pid = int(launched.wait_for("[counter-1] ready").split()[-1])
    launched.process.send_signal(number)
    code, text = launched.finish()
    assert code == 0
    assert message in text
    assert "sending signal 'SIGINT' to process[counter-1]" in text
    assert "[counter-1] interrupts: 1" in text
    assert wait_for_end(pid)


def test_interrupt_works_where_it_is_ignored_from_outside(start_launch: Start) -> None:
    """As in a background job of a script; the children must not inherit it either."""
    launched = start_launch(
        COUNTER, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    launched.wait_for("ready")
    launched.process.send_signal(signal.SIGINT)
    code, text = launched.finish()
    assert code == 0
    assert "interrupts: 1" in text


def test_second_interrupt_is_ignored(start_launch: Start, wait_for_end: Any) -> None:
    launched = start_launch(STUBBORN)
    pid = int(launched.wait_for("ready").split()[-1])
    launched.process.send_signal(signal.SIGINT)
    launched.wait_for("sending signal 'SIGINT'")
    launched.process.send_signal(signal.SIGINT)
    launched.wait_for("user interrupted with ctrl-c (SIGINT) again, ignoring...")
    os.kill(pid, signal.SIGKILL)
    assert launched.finish()[0] == 0


def test_killed_launch_leaves_no_orphan(start_launch: Start, wait_for_end: Any) -> None:
    launched = start_launch(STUBBORN)
    pid = int(launched.wait_for("ready").split()[-1])
    launched.process.kill()
    assert launched.process.wait() == -signal.SIGKILL
    assert wait_for_end(pid)


def test_exit_within_the_launch_leaves_no_orphan(start_launch: Start, wait_for_end: Any) -> None:
    launched = start_launch(STUBBORN.replace("])\n", EXIT_ON_OUTPUT))
    pid = int(launched.wait_for("ready").split()[-1])
    code, _ = launched.finish()
    assert code == 9
    assert wait_for_end(pid)


def test_ctrl_c_at_a_terminal_reaches_a_child_once(start_launch: Start) -> None:
    """The kernel sends SIGINT to the whole foreground group, so the launch must not repeat it."""
    master, slave = pty.openpty()
    take_terminal = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    launched = start_launch(
        COUNTER, mode="interactive", wrapper=[sys.executable, "-c", take_terminal], stdin=slave
    )
    os.close(slave)
    launched.wait_for("ready")
    os.write(master, b"\x03")
    code, text = launched.finish()
    os.close(master)
    assert code == 0
    assert "user interrupted with ctrl-c (SIGINT)" in text
    assert "interrupts: 1" in text
    assert "sending signal" not in text


def test_without_standard_input_and_with_a_reader_that_leaves(start_launch: Start) -> None:
    """In CI there may be no stdin; `| head` closes stdout early."""
    text = (
        HEAD
        + """
        ExecuteProcess(cmd=["sh", "-c", "for i in $(seq 200); do echo line $i; done; sleep 0.2;"
                       " for i in $(seq 200); do echo line $i; done"], output="screen")])
    """
    )
    launched = start_launch(text, stdin=None, preexec_fn=lambda: os.close(0))
    launched.wait_for("line 200")
    launched.process.stdout.close()
    assert launched.process.wait() == 0
