"""`ros2 run`: start one executable of a package."""

import argparse
import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from ros2cli.executables import find_executable

_PR_SET_PDEATHSIG = 1
_FORWARDED = (signal.SIGINT, signal.SIGTERM)


class RunCommand:
    """Run a package specific executable."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Package, executable, and everything behind them untouched."""
        parser.add_argument("--prefix", default="", help="Command to put in front, as a debugger")
        parser.add_argument("package_name", help="Name of the ROS package")
        parser.add_argument("executable_name", help="Name of the executable")
        parser.add_argument(
            "argv", nargs=argparse.REMAINDER, help="Pass arbitrary arguments to the executable"
        )

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
        """Run it to its end; returns its exit code, 128 + n if a signal n ended it."""
        path = find_executable(args.package_name, args.executable_name)
        return run([*shlex.split(args.prefix), str(path), *args.argv])


def run(command: list[str]) -> int:
    """Run a command in the foreground and report how it ended, as `ros2 run` does."""
    # Until the child exists and has its own dispositions, a signal waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        process = subprocess.Popen(command, preexec_fn=_child_preparation(before))

        def forward(number: int, frame: FrameType | None) -> None:
            # The terminal sends Ctrl-C to the whole foreground group, hence to the child as
            # well; it must not get it twice. A signal sent to this process alone is handed on.
            if number != signal.SIGINT or not _in_foreground():
                process.send_signal(number)

        for number in _FORWARDED:
            signal.signal(number, forward)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = process.wait()
    if code < 0:
        print(f"[ros2run]: {signal.strsignal(-code)}")
        return 128 - code
    if code > 0:
        print(f"[ros2run]: Process exited with failure {code}")
    return code


def _child_preparation(mask: set[signal.Signals | int]) -> Callable[[], None]:
    """What a new child does before it becomes another program."""
    parent = os.getpid()
    set_option = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        # Whoever kills this process outright means the program it runs; nobody else ends that.
        if set_option is not None:
            set_option(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:  # gone before the request took effect
                os._exit(1)
        for number in _FORWARDED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    return prepare


def _in_foreground() -> bool:
    """Whether Ctrl-C at the terminal reaches this process; standard input may be elsewhere."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # the terminal has been closed
        return False
    finally:
        os.close(terminal)
