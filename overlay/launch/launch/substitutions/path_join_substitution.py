"""Joins parts of a path."""

from __future__ import annotations

import os
from collections.abc import Iterable
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


class PathJoinSubstitution(Substitution):
    """Joins components with the path separator; a component may itself be a list."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        self._parts = [normalize_to_list_of_substitutions(part) for part in substitutions]

    def describe(self) -> str:
        """Return a short description for people."""
        parts = (describe_substitutions(part) for part in self._parts)
        return f"PathJoin({', '.join(parts)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the joined path."""
        # os.path, not pathlib: an empty last part must leave a trailing separator, as upstream.
        return os.path.join(*(perform_substitutions(context, part) for part in self._parts))  # noqa: PTH118
