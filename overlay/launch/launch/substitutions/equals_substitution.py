"""Compares two texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Comparable = SomeSubstitutionsType | bool | int | float | None


def _normalize(side: Any) -> list[Substitution]:
    if side is None:
        return normalize_to_list_of_substitutions("")
    if isinstance(side, bool):
        return normalize_to_list_of_substitutions(str(side).lower())
    if isinstance(side, (int, float)):
        return normalize_to_list_of_substitutions(str(side))
    return normalize_to_list_of_substitutions(side)


class EqualsSubstitution(Substitution):
    """`true` if both texts are equal, else `false`."""

    def __init__(self, left: Comparable, right: Comparable) -> None:
        self._left = _normalize(left)
        self._right = _normalize(right)

    def describe(self) -> str:
        """Return a short description for people."""
        left, right = (describe_substitutions(s) for s in (self._left, self._right))
        return f"{type(self).__name__}({left}, {right})"

    def _equal(self, context: LaunchContext) -> bool:
        left = perform_substitutions(context, self._left)
        return left == perform_substitutions(context, self._right)

    def perform(self, context: LaunchContext) -> str:
        """Return `true` or `false`."""
        return str(self._equal(context)).lower()
