"""Logic over texts that say true or false."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    parse_bool,
    perform_substitutions,
)
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


def evaluate_operand(context: LaunchContext, operand: Iterable[Substitution], who: str) -> bool:
    """Return the truth value; SubstitutionFailure names `who` asked if there is none."""
    try:
        return parse_bool(perform_substitutions(context, operand))
    except ValueError as error:
        raise SubstitutionFailure(f"{who}: {error}") from None


class _BooleanSubstitution(Substitution):
    def __init__(self, *operands: SomeSubstitutionsType) -> None:
        self._operands = [normalize_to_list_of_substitutions(operand) for operand in operands]

    def describe(self) -> str:
        """Return a short description for people."""
        parts = (describe_substitutions(operand) for operand in self._operands)
        return f"{type(self).__name__}({', '.join(parts)})"

    def perform(self, context: LaunchContext) -> str:
        """Return `true` or `false`."""
        name = type(self).__name__
        return str(
            self._combine([evaluate_operand(context, op, name) for op in self._operands])
        ).lower()

    def _combine(self, values: list[bool]) -> bool:
        raise NotImplementedError


class NotSubstitution(_BooleanSubstitution):
    """`true` if the value is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        super().__init__(value)

    def _combine(self, values: list[bool]) -> bool:
        return not values[0]


class AndSubstitution(_BooleanSubstitution):
    """`true` if both are true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)

    def _combine(self, values: list[bool]) -> bool:
        return all(values)


class OrSubstitution(_BooleanSubstitution):
    """`true` if one or both are true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)

    def _combine(self, values: list[bool]) -> bool:
        return any(values)


class AnySubstitution(_BooleanSubstitution):
    """`true` if at least one is true."""

    def _combine(self, values: list[bool]) -> bool:
        return any(values)


class AllSubstitution(_BooleanSubstitution):
    """`true` if all are true."""

    def _combine(self, values: list[bool]) -> bool:
        return all(values)
