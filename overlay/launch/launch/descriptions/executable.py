"""A program with its arguments, folder and environment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

SomeEnvironment = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]
_Pairs = list[tuple[list[Substitution], list[Substitution]]]


class Executable:
    """What to start; `apply_context` turns it into plain text (the `final_*` attributes)."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: SomeEnvironment | None = None,
        additional_env: SomeEnvironment | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
    ) -> None:
        if isinstance(cmd, (str, Path, Substitution)):
            raise TypeError(
                f"cmd must be a list with one entry per argument, got {cmd!r}; "
                "write cmd=['program', 'argument'], or cmd=['one line'] with shell=True"
            )
        self._cmd = [normalize_to_list_of_substitutions(item) for item in cmd]
        self._cmd += [normalize_to_list_of_substitutions(item) for item in arguments or ()]
        if not self._cmd:
            raise ValueError("cmd is empty; it must name a program")
        self._prefix = _optional(prefix)
        self._name = _optional(name)
        self._cwd = _optional(cwd)
        self._env = None if env is None else _pairs("env", env)
        self._additional_env = (
            None if additional_env is None else _pairs("additional_env", additional_env)
        )
        self._final_cmd: list[str] | None = None
        self._final_name: str | None = None
        self._final_cwd: str | None = None
        self._final_env: dict[str, str] | None = None

    @property
    def name(self) -> list[Substitution] | None:
        """The name as given."""
        return self._name

    @property
    def cmd(self) -> list[list[Substitution]]:
        """The arguments as given."""
        return self._cmd

    @property
    def cwd(self) -> list[Substitution] | None:
        """The working folder as given."""
        return self._cwd

    @property
    def final_name(self) -> str | None:
        """The label of the process, with its number."""
        return self._final_name

    @property
    def final_cmd(self) -> list[str] | None:
        """The arguments."""
        return self._final_cmd

    @property
    def final_cwd(self) -> str | None:
        """The working folder, None for that of the launch."""
        return self._final_cwd

    @property
    def final_env(self) -> dict[str, str] | None:
        """The environment."""
        return self._final_env

    def describe(self) -> str:
        """Return the command for people."""
        return " ".join(describe_substitutions(item) for item in self._cmd)

    def apply_context(
        self, context: LaunchContext, more: Sequence[str] = (), *, shell: bool = False
    ) -> None:
        """Evaluate everything; `more` arguments are added at the end.

        The number in the label counts the processes of the whole launch.
        """
        cmd = [perform_substitutions(context, item) for item in self._cmd]
        # With a shell the first entry can be a whole line.
        program = Path((cmd[0].split() or [cmd[0]])[0] if shell else cmd[0]).name
        if self._name is None:
            name = program
        else:
            name = perform_substitutions(context, self._name)
        self._final_name = f"{name}-{context.next_process_number()}"
        self._final_cmd = [*self._final_prefix(context, program), *cmd, *more]
        self._final_cwd = None
        if self._cwd is not None:
            self._final_cwd = perform_substitutions(context, self._cwd)
        self._final_env = self._environment(context)

    def _final_prefix(self, context: LaunchContext, program: str) -> list[str]:
        if self._prefix is not None:
            return shlex.split(perform_substitutions(context, self._prefix))
        prefix = context.launch_configurations.get("launch-prefix", "")
        only = context.launch_configurations.get("launch-prefix-filter", "")
        if only and not re.match(only, program):
            return []
        return shlex.split(prefix)

    def _environment(self, context: LaunchContext) -> dict[str, str]:
        if self._env is not None:
            env = _perform_pairs(context, self._env)
        else:
            env = dict(context.environment)
            # Python buffers print() by blocks when it writes to a pipe: lines would show late or,
            # if the process is killed, never.
            env.setdefault("PYTHONUNBUFFERED", "1")
        if self._additional_env is not None:
            env.update(_perform_pairs(context, self._additional_env))
        return env


def _optional(value: SomeSubstitutionsType | None) -> list[Substitution] | None:
    return None if value is None else normalize_to_list_of_substitutions(value)


def _pairs(argument: str, env: SomeEnvironment) -> _Pairs:
    if not isinstance(env, Mapping):
        raise TypeError(f"{argument} must be a dictionary, got {env!r}")
    return [
        (normalize_to_list_of_substitutions(k), normalize_to_list_of_substitutions(v))
        for k, v in env.items()
    ]


def _perform_pairs(context: LaunchContext, pairs: _Pairs) -> dict[str, str]:
    return {
        perform_substitutions(context, name): perform_substitutions(context, value)
        for name, value in pairs
    }
