"""Sets, saves and restores the environment that processes started later inherit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..action import Action
from ..condition import Condition
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    normalize_to_list_of_substitutions,
    perform_bool,
    perform_substitutions,
)

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class SetEnvironmentVariable(Action):
    """Gives an environment variable a value."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        *,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    @property
    def name(self) -> list[Substitution]:
        """The name."""
        return self._name

    @property
    def value(self) -> list[Substitution]:
        """The value."""
        return self._value

    def execute(self, context: LaunchContext) -> None:
        """Set the value."""
        name = perform_substitutions(context, self._name)
        context.environment[name] = perform_substitutions(context, self._value)


class AppendEnvironmentVariable(Action):
    """Adds to a list-like environment variable such as PATH."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool | SomeSubstitutionsType = False,
        separator: SomeSubstitutionsType = os.pathsep,
        *,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)
        self._prepend = prepend
        self._separator = normalize_to_list_of_substitutions(separator)

    def execute(self, context: LaunchContext) -> None:
        """Add the value at the end, or at the beginning; set it if there is none."""
        name = perform_substitutions(context, self._name)
        value = perform_substitutions(context, self._value)
        present = context.environment.get(name)
        if present is not None:
            separator = perform_substitutions(context, self._separator)
            parts = [value, present] if perform_bool(context, self._prepend) else [present, value]
            value = separator.join(parts)
        context.environment[name] = value


class UnsetEnvironmentVariable(Action):
    """Removes an environment variable; nothing happens if there is none."""

    def __init__(self, name: SomeSubstitutionsType, *, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        self._name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove it."""
        context.environment.pop(perform_substitutions(context, self._name), None)


class PushEnvironment(Action):
    """Saves the environment."""

    def execute(self, context: LaunchContext) -> None:
        """Save it."""
        context._push_environment()


class PopEnvironment(Action):
    """Restores the environment saved last."""

    def execute(self, context: LaunchContext) -> None:
        """Restore it."""
        context._pop_environment()


class ResetEnvironment(Action):
    """Restores the environment that the launch began with."""

    def execute(self, context: LaunchContext) -> None:
        """Restore it."""
        context._reset_environment()
