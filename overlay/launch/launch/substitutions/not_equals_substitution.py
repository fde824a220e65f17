"""Compares two texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .equals_substitution import EqualsSubstitution

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class NotEqualsSubstitution(EqualsSubstitution):
    """`false` if both texts are equal, else `true`."""

    def perform(self, context: LaunchContext) -> str:
        """Return `true` or `false`."""
        return str(not self._equal(context)).lower()
