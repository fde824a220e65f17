"""A value of the present scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LocalSubstitution(Substitution):
    """An attribute path below `context.locals`, such as `event.pid` in an event handler."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        self._expression = expression
        self._description = description

    def describe(self) -> str:
        """Return a short description for people."""
        return f"LocalVar('{self._description or self._expression}')"

    def perform(self, context: LaunchContext) -> str:
        """Return str() of the value; SubstitutionFailure if there is none."""
        value = context.locals
        for name in self._expression.split("."):
            try:
                value = getattr(value, name)
            except AttributeError as error:
                raise SubstitutionFailure(
                    f"local variable '{self._expression}' does not exist: {error}"
                ) from None
        return str(value)
