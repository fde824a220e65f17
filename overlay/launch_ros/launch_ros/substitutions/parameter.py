"""The value of a parameter that was set for all nodes."""

from __future__ import annotations

from typing import Any

from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, SomeSubstitutionsType, Substitution

from ..global_settings import global_parameters


class Parameter(Substitution):
    """The value that SetParameter gave, else the default."""

    def __init__(
        self, name: SomeSubstitutionsType, *, default: SomeSubstitutionsType | None = None
    ) -> None:
        self._name = normalize_to_list_of_substitutions(name)
        self._default = None if default is None else normalize_to_list_of_substitutions(default)

    def perform(self, context: LaunchContext) -> str:
        """Return str() of the value; SubstitutionFailure if there is neither value nor default."""
        name = perform_substitutions(context, self._name)
        values: dict[str, Any] = dict(
            entry for entry in global_parameters(context) if isinstance(entry, tuple)
        )
        if name in values:
            return str(values[name])
        if self._default is None:
            raise SubstitutionFailure(f"parameter '{name}' not found")
        return perform_substitutions(context, self._default)
