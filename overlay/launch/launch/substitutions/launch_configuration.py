"""The value of a launch configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


class LaunchConfiguration(Substitution):
    """The value of a launch argument or other launch configuration."""

    def __init__(self, variable_name: SomeSubstitutionsType, default: Any | None = None) -> None:
        self._name = normalize_to_list_of_substitutions(variable_name)
        self._default: list[Substitution] | None = None
        if isinstance(default, (bool, int, float)):
            default = str(default)
        if default is not None:
            self._default = normalize_to_list_of_substitutions(default)

    @property
    def variable_name(self) -> list[Substitution]:
        """The name."""
        return self._name

    def describe(self) -> str:
        """Return a short description for people."""
        return f"LaunchConfig({describe_substitutions(self._name)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the value, else the default; SubstitutionFailure if there is neither."""
        name = perform_substitutions(context, self._name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self._default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self._default)
