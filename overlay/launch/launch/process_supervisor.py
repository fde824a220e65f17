"""Stays with one program of the launch: start, output, signals, restart, orderly end."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import logging
from .child_process import ChildProcess
from .event import Event
from .event_handler import BaseEventHandler, EventHandler
from .event_handlers import OnShutdown
from .events import Shutdown
from .events.process import (
    ProcessExited,
    ProcessStarted,
    ProcessStderr,
    ProcessStdin,
    ProcessStdout,
    ShutdownProcess,
    SignalProcess,
)
from .logging.output import STDOUT, ProcessOutput

if TYPE_CHECKING:
    from .actions import ExecuteLocal
    from .launch_context import LaunchContext


@dataclass(frozen=True)
class Supervision:
    """How to treat a program. Times in seconds.

    `respawn_max_retries` < 0 means without limit.
    """

    shell: bool
    emulate_tty: bool
    log_cmd: bool
    sigterm_timeout: float
    sigkill_timeout: float
    respawn: bool
    respawn_delay: float
    respawn_max_retries: int


class ProcessSupervisor:
    """Runs the program of an ExecuteLocal action; everything happens in the event loop."""

    def __init__(
        self,
        action: ExecuteLocal,
        context: LaunchContext,
        options: Supervision,
        output: ProcessOutput,
    ) -> None:
        name, cmd = action.process_description.final_name, action.process_description.final_cmd
        assert name is not None and cmd is not None
        self._action = action
        self._context = context
        self._options = options
        self._output = output
        self._name = name
        self._cmd = cmd
        self._logger = logging.get_logger(name)
        self._child: ChildProcess | None = None
        self._stopping = asyncio.Event()
        self._send_sigint = True
        self._escalation: asyncio.Task[None] | None = None
        self._handlers: list[BaseEventHandler] = [
            EventHandler(matcher=self._is_targeted(SignalProcess), entities=self._on_signal),
            EventHandler(matcher=self._is_targeted(ShutdownProcess), entities=self._on_stop),
            EventHandler(matcher=self._is_own_stdin, entities=self._on_stdin),
            OnShutdown(on_shutdown=self._on_launch_shutdown),
        ]
        self.returncode: int | None = None
        # At once, not when the task runs: the launch may be shut down before that.
        for handler in self._handlers:
            context.register_event_handler(handler)

    @property
    def pid(self) -> int | None:
        """The process id, None while the program does not run."""
        if self._child is None or not self._child.is_running:
            return None
        return self._child.pid

    async def run(self) -> None:
        """Run the program, again if so configured, until it has ended for good."""
        try:
            retries = 0
            while (
                not self._stopping.is_set()
                and await self._run_once()
                and self._wants_respawn(retries)
            ):
                retries += 1
                await self._pause()
        finally:
            for handler in self._handlers:
                self._context.unregister_event_handler(handler)

    async def _run_once(self) -> bool:
        """Run the program once; return False if it cannot be started."""
        description = self._action.process_description
        assert description.final_env is not None
        if self._options.log_cmd:
            self._logger.info(
                f"process details: cmd='{' '.join(self._cmd)}', "
                f"cwd='{description.final_cwd or '.'}'"
            )
        self.returncode = None
        try:
            self._child = await ChildProcess.start(
                self._cmd,
                cwd=description.final_cwd,
                env=description.final_env,
                shell=self._options.shell,
                emulate_tty=self._options.emulate_tty,
            )
        except OSError as error:
            # As upstream this does not end the launch.
            self._logger.error(
                f"process could not be started: {type(error).__name__}: {error}; "
                f"cmd '{' '.join(self._cmd)}'"
            )
            return False
        child = self._child
        self._logger.info(f"process started with pid [{child.pid}]")
        self._emit(ProcessStarted)
        child.listen(self._on_output)
        try:
            if self._stopping.is_set():
                # Asked for while the program was being started: it may have missed the Ctrl-C.
                self._send_sigint = True
                self._begin_to_stop()
            self.returncode = await child.wait()
        except asyncio.CancelledError:
            child.close()
            raise
        finally:
            if self._escalation is not None:
                self._escalation.cancel()
        self._output.flush()
        if child.has_open_streams:
            self._context.at_end(child.close)
        self._log_end(self.returncode)
        self._emit(ProcessExited, returncode=self.returncode)
        return True

    def _log_end(self, returncode: int) -> None:
        pid = self._child.pid if self._child is not None else 0
        if returncode == 0:
            self._logger.info(f"process has finished cleanly [pid {pid}]")
        else:
            self._logger.error(
                f"process has died [pid {pid}, exit code {returncode}, "
                f"cmd '{' '.join(self._cmd)}']."
            )

    # -- restart

    def _wants_respawn(self, retries: int) -> bool:
        limit = self._options.respawn_max_retries
        return (
            self._options.respawn
            and not self._stopping.is_set()
            and not self._context.is_shutdown
            and (limit < 0 or retries < limit)
        )

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=self._options.respawn_delay)
        except asyncio.TimeoutError:
            return

    # -- output and events

    def _on_output(self, stream: int, data: bytes) -> None:
        self._output.feed(stream, data)
        self._emit(ProcessStdout if stream == STDOUT else ProcessStderr, text=data, fd=stream)

    def _emit(self, event_type: type[Any], **more: Any) -> None:
        description = self._action.process_description
        assert self._child is not None
        self._context.emit_event_sync(
            event_type(
                action=self._action,
                name=self._name,
                cmd=self._cmd,
                cwd=description.final_cwd,
                env=description.final_env,
                pid=self._child.pid,
                **more,
            )
        )

    def _is_own_stdin(self, event: Event) -> bool:
        return isinstance(event, ProcessStdin) and event.action is self._action

    def _on_stdin(self, event: Event, context: LaunchContext) -> None:
        assert isinstance(event, ProcessStdin)
        if self._child is not None and self._child.is_running:
            self._child.write(event.text)

    # -- signals and the end

    def _is_targeted(self, event_type: type[SignalProcess | ShutdownProcess]) -> Any:
        def matches(event: Event) -> bool:
            return isinstance(event, event_type) and event.process_matcher(self._action)

        return matches

    def _on_signal(self, event: Event, context: LaunchContext) -> None:
        assert isinstance(event, SignalProcess)
        self._signal(event.signal)

    def _on_stop(self, event: Event, context: LaunchContext) -> None:
        self._stop(send_sigint=True)

    def _on_launch_shutdown(self, event: Event, context: LaunchContext) -> None:
        # Ctrl-C at a terminal: the kernel has sent SIGINT to the children already.
        known = isinstance(event, Shutdown) and event.due_to_sigint
        self._stop(send_sigint=not known or context.noninteractive)

    def _stop(self, *, send_sigint: bool) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._send_sigint = send_sigint
        if self._child is not None and self._child.is_running:
            self._begin_to_stop()

    def _begin_to_stop(self) -> None:
        if self._send_sigint:
            self._signal(signal.SIGINT)
        self._escalation = asyncio.get_running_loop().create_task(self._escalate())

    async def _escalate(self) -> None:
        options = self._options
        await asyncio.sleep(options.sigterm_timeout)
        # Without the task being cancelled yet: what the child started may hold its output open.
        if self.pid is None:
            return
        self._log_escalation(f"{options.sigterm_timeout:g}", "SIGINT", "SIGTERM")
        self._signal(signal.SIGTERM)
        await asyncio.sleep(options.sigkill_timeout)
        if self.pid is None:
            return
        total = options.sigterm_timeout + options.sigkill_timeout
        self._log_escalation(f"{total}", "SIGTERM", "SIGKILL")
        self._signal(signal.SIGKILL)

    def _log_escalation(self, seconds: str, before: str, now: str) -> None:
        self._logger.error(
            f"process[{self._name}] failed to terminate '{seconds}' seconds after receiving "
            f"'{before}', escalating to '{now}'"
        )

    def _signal(self, number: signal.Signals) -> None:
        if self._child is None or not self._child.is_running:
            self._logger.debug(f"'{number.name}' not sent: process[{self._name}] is not running")
            return
        self._logger.info(f"sending signal '{number.name}' to process[{self._name}]")
        self._child.send_signal(number)
