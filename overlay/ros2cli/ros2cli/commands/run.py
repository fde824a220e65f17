"""`ros2 run`: start one executable of a package."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from types import FrameType

from ros2cli.executables import find_executable


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
    # The terminal sends Ctrl-C to the whole foreground group, hence to the child as well; then
    # it must not get it twice. A signal sent to this process alone is handed on.
    at_terminal = os.isatty(sys.stdin.fileno()) if sys.stdin is not None else False
    process: subprocess.Popen[bytes] | None = None
    pending: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and at_terminal:
            return
        if process is None:
            pending.append(number)
        elif process.returncode is None:
            process.send_signal(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    process = subprocess.Popen(command)
    for number in pending:
        process.send_signal(number)
    code = process.wait()
    if code < 0:
        print(f"[ros2run]: {signal.strsignal(-code)}")
        return 128 - code
    if code > 0:
        print(f"[ros2run]: Process exited with failure {code}")
    return code
