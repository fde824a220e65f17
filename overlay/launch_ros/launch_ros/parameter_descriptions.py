"""Parameters of nodes: values, single parameters, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launch.utilities import (
    normalize_to_list_of_substitutions,
    perform_bool,
    perform_substitutions,
)

from launch import LaunchContext, SomeSubstitutionsType

from .parameter_values import EvaluatedValue, ParameterValue
from .substitution_text import replace_substitutions
from .temporary_files import write_temporary_file


class Parameter:
    """One parameter with its value."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, *, value_type: Any = None) -> None:
        self._name = normalize_to_list_of_substitutions(name)
        given = value if isinstance(value, ParameterValue) else None
        self._value = given or ParameterValue(value, value_type=value_type)

    def evaluate(self, context: LaunchContext) -> tuple[str, EvaluatedValue]:
        """Return the name and the value; ValueError names the parameter."""
        name = perform_substitutions(context, self._name)
        try:
            return name, self._value.evaluate(context)
        except ValueError as error:
            raise ValueError(f"parameter '{name}': {error}") from error


class ParameterFile:
    """A YAML file of parameters.

    With `allow_substs` everything of the form `$(var name)`, `$(env NAME)`,
    `$(find-pkg-share name)` in it is replaced first.
    """

    def __init__(
        self,
        param_file: SomeSubstitutionsType,
        *,
        allow_substs: bool | SomeSubstitutionsType = False,
    ) -> None:
        self._file = normalize_to_list_of_substitutions(param_file)
        self._allow_substs = allow_substs

    def evaluate(self, context: LaunchContext) -> Path:
        """Return the path of the file to be given to the node; it need not exist."""
        path = Path(perform_substitutions(context, self._file))
        if not perform_bool(context, self._allow_substs) or not path.is_file():
            return path
        try:
            text = replace_substitutions(context, path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"parameter file '{path}': {error}") from error
        return write_temporary_file(context, text)


__all__ = ["Parameter", "ParameterFile", "ParameterValue"]
