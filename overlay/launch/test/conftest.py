"""Runs real launches, in this process (fast) or in one of their own (for signals)."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import launch.logging
import pytest

from launch import LaunchDescription, LaunchDescriptionEntity, LaunchService

GUARD = 60.0  # seconds; only for when something is broken

RUNNER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
service = LaunchService(noninteractive=sys.argv[2] == "noninteractive")
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(sys.argv[1])]))
sys.exit(service.run())
"""


@dataclass
class Result:
    """What a launch in this process left: exit code, standard output, launch.log."""

    code: int
    screen: str
    log: str


@pytest.fixture(autouse=True)
def own_log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep each test's logs and changes of the environment to itself."""
    before = dict(os.environ)
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    launch.logging.reset()
    yield tmp_path / "log"
    launch.logging.reset()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run_launch(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a function that launches entities here and waits for the end."""

    def run(*entities: LaunchDescriptionEntity, **configurations: str) -> Result:
        service = LaunchService(noninteractive=True)
        service.context.launch_configurations.update(configurations)
        service.include_launch_description(LaunchDescription(entities))
        code = service.run()
        log = Path(launch.logging.launch_config.get_log_file_path()).read_text()
        return Result(code, capsys.readouterr().out, log)

    return run


class LaunchProcess:
    """A launch in a process of its own."""

    def __init__(
        self,
        path: Path,
        *,
        mode: str = "noninteractive",
        wrapper: Sequence[str] = (),
        **options: object,
    ) -> None:
        command = [*wrapper, sys.executable, "-c", RUNNER, str(path), mode]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        defaults = {"stdin": subprocess.DEVNULL, "env": environment}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **{**defaults, **options},  # type: ignore[call-overload]
        )
        self.lines: list[str] = []

    def wait_for(self, text: str) -> str:
        """Read lines until one contains the text, and return it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return self.lines[-1]
        raise AssertionError(f"'{text}' did not come:\n" + "\n".join(self.lines))

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return exit code and all output."""
        rest, _ = self.process.communicate(timeout=GUARD)
        return self.process.returncode, "\n".join(self.lines) + "\n" + rest


@pytest.fixture
def start_launch(tmp_path: Path) -> Iterator[Callable[..., LaunchProcess]]:
    """Return a function that starts the launch file with the given text."""
    started: list[LaunchProcess] = []

    def start(text: str, **options: object) -> LaunchProcess:
        path = tmp_path / "test.launch.py"
        path.write_text(textwrap.dedent(text))
        launched = LaunchProcess(path, **options)  # type: ignore[arg-type]
        started.append(launched)
        return launched

    yield start
    for launched in started:
        if launched.process.poll() is None:
            launched.process.send_signal(signal.SIGKILL)
        launched.process.wait()
        if launched.process.stdout is not None:
            launched.process.stdout.close()


@pytest.fixture
def wait_for_end() -> Callable[[int], bool]:
    """Return a function that waits until a process, whosoever child it is, has ended."""

    def wait(pid: int) -> bool:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([handle], [], [], GUARD)[0])
        finally:
            os.close(handle)

    return wait
