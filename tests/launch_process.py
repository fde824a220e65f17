"""`ros2 launch` as a user runs it: its output, its exit code, and what it leaves behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

GUARD = 120.0  # s; only ends a test that hangs
POLL = 0.02  # s
MARK = "GENSIM2_TEST_LAUNCH"


def ros2() -> str:
    """Path of the command; skips the test where the workspace is not sourced."""
    command = shutil.which("ros2")
    if command is None:
        pytest.skip("needs the workspace: run the tests with ./ws")
    return command


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class LaunchProcess:
    """One launch in a process group of its own, as in a terminal."""

    def __init__(self, folder: Path, domain: int, *arguments: str, **environment: str) -> None:
        self._mark = f"{MARK}={uuid.uuid4()}"
        name, value = self._mark.split("=")
        self._process = subprocess.Popen(
            [ros2(), "launch", *arguments],
            env={
                **os.environ,
                **environment,
                name: value,
                "ROS_DOMAIN_ID": str(domain),
                "ROS_LOG_DIR": str(folder / "log"),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """Everything it has printed so far."""
        return "\n".join(self.lines)

    def until(self, pattern: str) -> re.Match[str]:
        """Waits for a line with a pattern."""

        def found() -> re.Match[str] | None:
            return next((m for m in map(re.compile(pattern).search, self.lines) if m), None)

        with self._news:
            self._news.wait_for(lambda: found() or self._ended, GUARD)
            match = found()
        assert match, f"{pattern!r} never came:\n{self.output}"
        return match

    def until_true(self, condition: Callable[[], bool]) -> None:
        """Waits for something that no line tells, such as a file."""
        with self._news:
            for _ in range(round(GUARD / POLL)):
                if condition() or self._ended:
                    break
                self._news.wait(POLL)
        assert condition(), self.output

    def interrupt(self) -> None:
        """Ctrl-C in the terminal: the whole group gets it."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """Waits for the end and returns the exit code; nothing may be left running."""
        try:
            code = self._process.wait(GUARD)
            left = self._survivors()
            assert not left, f"still running: {left}\n{self.output}"
            self._reader.join(GUARD)
        finally:
            self.kill()
        return code

    def kill(self) -> None:
        """Ends it and everything it has started."""
        for pid in [self._process.pid, *self._survivors()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()

    def _survivors(self) -> dict[int, str]:
        """Processes that the launch has started and that still run."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == self._process.pid:
                continue
            try:
                if self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode(errors="replace")
            except OSError:
                continue  # It has ended meanwhile, or belongs to somebody else.
        return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
