"""Runs a program on this machine: what is configured, and what others may ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import logging
from ..action import Action
from ..condition import Condition
from ..descriptions.executable import Executable
from ..event_handlers import OnProcessExit
from ..events.process import ProcessExited
from ..logging.output import STDERR, STDOUT, OutputSetting, ProcessOutput, Routes, resolve_output
from ..process_supervisor import ProcessSupervisor, Supervision
from ..some_entities_type import SomeEntitiesType
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import (
    normalize_to_list_of_substitutions,
    perform_bool,
    perform_float,
    perform_int,
    perform_substitutions,
)

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

OnExit = SomeEntitiesType | Callable[[ProcessExited, "LaunchContext"], "SomeEntitiesType | None"]


class ExecuteLocal(Action):
    """Starts a program and stays with it until it has ended.

    When the launch shuts down the program gets SIGINT, after `sigterm_timeout` seconds SIGTERM,
    and `sigkill_timeout` seconds later SIGKILL.

    Args:
        process_description: what to start.
        shell: whether /bin/sh runs the joined command line.
        sigterm_timeout: seconds; default: launch configuration of this name, else 5.
        sigkill_timeout: seconds; default: launch configuration of this name, else 5.
        emulate_tty: whether the program writes to a terminal; the launch configuration of this
            name has precedence.
        output: `log`, `screen`, `both`, `own_log`, `full`, or a dictionary.
        output_format: of lines on the screen and in launch.log.
        cached_output: keep the output for get_stdout() and get_stderr().
        log_cmd: whether to log the command line.
        on_exit: action(s) or callback(event, context) for when the program has ended.
        respawn: whether to start the program again after it has ended, for whatever reason.
        respawn_delay: seconds before that.
        respawn_max_retries: how often at most; negative: without limit.
        condition: whether to do anything at all.
    """

    def __init__(
        self,
        *,
        process_description: Executable,
        shell: bool = False,
        sigterm_timeout: float | SomeSubstitutionsType | None = None,
        sigkill_timeout: float | SomeSubstitutionsType | None = None,
        emulate_tty: bool | SomeSubstitutionsType = False,
        output: OutputSetting | SomeSubstitutionsType = "log",
        output_format: str = "[{this.process_description.final_name}] {line}",
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: OnExit | None = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | SomeSubstitutionsType | None = None,
        respawn_max_retries: int | SomeSubstitutionsType = -1,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._description = process_description
        self._shell = shell
        self._sigterm_timeout = sigterm_timeout
        self._sigkill_timeout = sigkill_timeout
        self._emulate_tty = emulate_tty
        self._output = output
        self._output_format = output_format
        self._cached_output = cached_output
        self._log_cmd = log_cmd
        self._on_exit = on_exit
        self._respawn = respawn
        self._respawn_delay = respawn_delay
        self._respawn_max_retries = respawn_max_retries
        self._executed = False
        self._supervisor: ProcessSupervisor | None = None
        self._task: asyncio.Task[None] | None = None
        self._sink: ProcessOutput | None = None

    # -- what others may look at

    @property
    def process_description(self) -> Executable:
        """What is started."""
        return self._description

    @property
    def shell(self) -> bool:
        """Whether a shell runs the command."""
        return self._shell

    @property
    def output(self) -> OutputSetting | SomeSubstitutionsType:
        """Where the output goes, as given."""
        return self._output

    @property
    def return_code(self) -> int | None:
        """The exit code of the program, None while it runs."""
        return None if self._supervisor is None else self._supervisor.returncode

    @property
    def process_details(self) -> dict[str, Any]:
        """Name, cmd, cwd, env, pid and action; the pid only while the program runs."""
        details: dict[str, Any] = {
            "action": self,
            "name": self._description.final_name,
            "cmd": self._description.final_cmd,
            "cwd": self._description.final_cwd,
            "env": self._description.final_env,
        }
        if self._supervisor is not None and self._supervisor.pid is not None:
            details["pid"] = self._supervisor.pid
        return details

    def get_stdout(self) -> str:
        """Return all standard output so far; needs `cached_output`."""
        return self._kept(STDOUT)

    def get_stderr(self) -> str:
        """Return all standard error so far; needs `cached_output`."""
        return self._kept(STDERR)

    def describe(self) -> str:
        """Return a short description for people."""
        return f"{type(self).__name__}({self._description.describe()})"

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return the task that is done when the program has ended for good."""
        return self._task

    # -- execution

    def prepare(self, context: LaunchContext) -> None:
        """Evaluate the command, folder and environment."""
        self._description.apply_context(context, shell=self._shell)

    def execute(self, context: LaunchContext) -> None:
        """Start the program, unless the launch is ending."""
        if self._executed:
            raise RuntimeError(f"{self.describe()} is executed more than once")
        self._executed = True
        self.prepare(context)
        if context.is_shutdown:
            return
        name = self._description.final_name
        assert name is not None and context.asyncio_loop is not None
        self._sink = ProcessOutput(
            logging.launch_config,
            name,
            self._routes(context),
            lambda line: self._output_format.format(line=line, this=self),
            keep=self._cached_output,
        )
        options = self._supervision(context)
        if self._on_exit is not None:
            context.register_event_handler(OnProcessExit(target_action=self, on_exit=self._on_exit))
        self._supervisor = ProcessSupervisor(self, context, options, self._sink)
        self._task = context.asyncio_loop.create_task(self._supervisor.run())

    def _routes(self, context: LaunchContext) -> Routes:
        if isinstance(self._output, Mapping):
            return resolve_output(self._output)
        parts = normalize_to_list_of_substitutions(self._output)
        return resolve_output(perform_substitutions(context, parts))

    def _supervision(self, context: LaunchContext) -> Supervision:
        configurations = context.launch_configurations

        def timeout(name: str, given: float | SomeSubstitutionsType | None) -> float:
            value = configurations.get(name, "5") if given is None else given
            return perform_float(context, value)

        return Supervision(
            shell=self._shell,
            emulate_tty=perform_bool(context, configurations.get("emulate_tty", self._emulate_tty)),
            log_cmd=self._log_cmd,
            sigterm_timeout=timeout("sigterm_timeout", self._sigterm_timeout),
            sigkill_timeout=timeout("sigkill_timeout", self._sigkill_timeout),
            respawn=perform_bool(context, self._respawn),
            respawn_delay=perform_float(context, self._respawn_delay or 0.0),
            respawn_max_retries=perform_int(context, self._respawn_max_retries),
        )

    def _kept(self, stream: int) -> str:
        if not self._cached_output:
            raise RuntimeError("the output is kept only with cached_output=True")
        return "" if self._sink is None else self._sink.kept(stream)
