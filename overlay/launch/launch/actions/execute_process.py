"""Starts a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..descriptions.executable import Executable, SomeEnvironment
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from .execute_local import ExecuteLocal


class ExecuteProcess(ExecuteLocal):
    """Starts a program given by its command line.

    Args:
        cmd: one entry per argument; an entry may be text, a substitution or a list of them.
        prefix: put before the command, split like a shell does (for a debugger, `nice`, ...).
        name: label, in place of the name of the program file.
        cwd: working folder.
        env: the environment; it replaces that of the launch.
        additional_env: added to the environment.
        kwargs: see ExecuteLocal.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: SomeEnvironment | None = None,
        additional_env: SomeEnvironment | None = None,
        **kwargs: Any,
    ) -> None:
        executable = Executable(
            cmd=cmd, prefix=prefix, name=name, cwd=cwd, env=env, additional_env=additional_env
        )
        super().__init__(process_description=executable, **kwargs)

    @property
    def name(self) -> str | None:
        """The label, once the process has been started."""
        return self.process_description.final_name

    @property
    def cmd(self) -> list[list[Substitution]]:
        """The command as given."""
        return self.process_description.cmd

    @property
    def cwd(self) -> list[Substitution] | None:
        """The working folder as given."""
        return self.process_description.cwd
