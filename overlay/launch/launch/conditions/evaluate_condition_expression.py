"""Turns text into a truth value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..substitution import Substitution
from ..utilities import parse_bool, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class InvalidConditionExpressionError(ValueError):
    """A condition is neither true, 1, false nor 0."""


def evaluate_condition_expression(
    context: LaunchContext, expression: Iterable[Substitution]
) -> bool:
    """Evaluate the expression; true, 1, false, 0 are accepted in any case."""
    try:
        return parse_bool(perform_substitutions(context, expression))
    except ValueError as error:
        raise InvalidConditionExpressionError(f"invalid condition expression, {error}") from None
