"""Events that a process causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...event import Event

if TYPE_CHECKING:
    from ...actions import ExecuteLocal


class RunningProcessEvent(Event):
    """Something about a process that runs or has run."""

    name = "launch.events.process.RunningProcessEvent"

    def __init__(
        self,
        *,
        action: ExecuteLocal,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: dict[str, str] | None,
        pid: int,
    ) -> None:
        self._action = action
        self._process_name = name
        self._cmd = cmd
        self._cwd = cwd
        self._env = env
        self._pid = pid

    @property
    def action(self) -> ExecuteLocal:
        """The action that started the process."""
        return self._action

    @property
    def execute_process_action(self) -> ExecuteLocal:
        """The action that started the process (older name)."""
        return self._action

    @property
    def process_name(self) -> str:
        """The label of the process, with its number."""
        return self._process_name

    @property
    def cmd(self) -> list[str]:
        """The command."""
        return self._cmd

    @property
    def cwd(self) -> str | None:
        """The working folder, None if it is that of the launch."""
        return self._cwd

    @property
    def env(self) -> dict[str, str] | None:
        """The environment of the process."""
        return self._env

    @property
    def pid(self) -> int:
        """The process id."""
        return self._pid


class ProcessStarted(RunningProcessEvent):
    """The process runs."""

    name = "launch.events.process.ProcessStarted"


class ProcessExited(RunningProcessEvent):
    """The process has ended."""

    name = "launch.events.process.ProcessExited"

    def __init__(
        self,
        *,
        returncode: int,
        action: ExecuteLocal,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: dict[str, str] | None,
        pid: int,
    ) -> None:
        super().__init__(action=action, name=name, cmd=cmd, cwd=cwd, env=env, pid=pid)
        self._returncode = returncode

    @property
    def returncode(self) -> int:
        """The exit code; negative: the number of the signal that ended the process."""
        return self._returncode


class ProcessIO(RunningProcessEvent):
    """Data went through a standard stream."""

    name = "launch.events.process.ProcessIO"

    def __init__(
        self,
        *,
        text: bytes,
        fd: int,
        action: ExecuteLocal,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: dict[str, str] | None,
        pid: int,
    ) -> None:
        super().__init__(action=action, name=name, cmd=cmd, cwd=cwd, env=env, pid=pid)
        self._text = text
        self._fd = fd

    @property
    def text(self) -> bytes:
        """The data; not necessarily whole lines."""
        return self._text

    @property
    def fd(self) -> int:
        """The number of the stream: 0, 1 or 2."""
        return self._fd

    @property
    def from_stdin(self) -> bool:
        """Whether it is standard input."""
        return self._fd == 0

    @property
    def from_stdout(self) -> bool:
        """Whether it is standard output."""
        return self._fd == 1

    @property
    def from_stderr(self) -> bool:
        """Whether it is standard error."""
        return self._fd == 2


class ProcessStdin(ProcessIO):
    """Data for standard input; emit it to write to a process."""

    name = "launch.events.process.ProcessStdin"


class ProcessStdout(ProcessIO):
    """Data from standard output."""

    name = "launch.events.process.ProcessStdout"


class ProcessStderr(ProcessIO):
    """Data from standard error."""

    name = "launch.events.process.ProcessStderr"
