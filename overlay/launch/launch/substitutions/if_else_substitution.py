"""One of two texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from .boolean_substitution import evaluate_operand

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class IfElseSubstitution(Substitution):
    """`if_value` if the condition says true or 1, else `else_value`."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = "",
        else_value: SomeSubstitutionsType = "",
    ) -> None:
        if if_value == else_value == "":
            raise RuntimeError("IfElseSubstitution needs if_value, else_value or both")
        self._condition = normalize_to_list_of_substitutions(condition)
        self._if_value = normalize_to_list_of_substitutions(if_value)
        self._else_value = normalize_to_list_of_substitutions(else_value)

    def describe(self) -> str:
        """Return a short description for people."""
        parts = (
            describe_substitutions(value)
            for value in (self._condition, self._if_value, self._else_value)
        )
        return f"IfElseSubstitution({', '.join(parts)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the chosen text."""
        chosen = evaluate_operand(context, self._condition, "IfElseSubstitution")
        return perform_substitutions(context, self._if_value if chosen else self._else_value)
