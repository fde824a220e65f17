"""The output of a command."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from .. import logging
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

_MODES = ("fail", "ignore", "warn", "capture")


class Command(Substitution):
    """Runs a command (split like a shell does) and gives its standard output unchanged.

    `on_stderr` says what happens if it writes to standard error: `fail`, `ignore`, `warn`, or
    `capture` (it becomes part of the result). A non-zero exit code is always an error.
    """

    def __init__(
        self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = "fail"
    ) -> None:
        self._command = normalize_to_list_of_substitutions(command)
        self._on_stderr = normalize_to_list_of_substitutions(on_stderr)

    def describe(self) -> str:
        """Return a short description for people."""
        return f"Command({describe_substitutions(self._command)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the output; SubstitutionFailure if the command fails."""
        text = perform_substitutions(context, self._command)
        mode = perform_substitutions(context, self._on_stderr)
        if mode not in _MODES:
            raise SubstitutionFailure(
                f"Command: on_stderr is '{mode}', expected one of {list(_MODES)}"
            )
        try:
            result = subprocess.run(
                shlex.split(text),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if mode == "capture" else subprocess.PIPE,
                text=True,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise SubstitutionFailure(f"cannot run the command '{text}': {error}") from error
        captured = f"\ncaptured stderr output: {result.stderr}" if result.stderr else ""
        if result.returncode != 0:
            raise SubstitutionFailure(
                f"executed command failed with exit code {result.returncode}. "
                f"Command: {text}{captured}"
            )
        if result.stderr and mode == "fail":
            raise SubstitutionFailure(
                f"executed command showed stderr output. Command: {text}{captured}"
            )
        if result.stderr and mode == "warn":
            logging.get_logger("launch.substitutions.command").warning(
                f"executed command showed stderr output. Command: {text}{captured}"
            )
        return result.stdout
