"""Evaluates substitutions, also to other types than text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from .normalize import normalize_to_list_of_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

T = TypeVar("T")

_TRUE = ("true", "1")
_FALSE = ("false", "0")


def perform_substitutions(context: LaunchContext, subs: Iterable[Substitution]) -> str:
    """Return the concatenated text of several substitutions."""
    return "".join(context.perform_substitution(part) for part in subs)


def parse_bool(text: str) -> bool:
    """Return the truth value of a text; ValueError if it is none of true, 1, false, 0."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"expected one of [{', '.join(_TRUE + _FALSE)}] but got '{text}'")


def perform_bool(context: LaunchContext, value: bool | SomeSubstitutionsType) -> bool:
    """Evaluate something that is a bool or text that says one."""
    if isinstance(value, bool):
        return value
    return parse_bool(perform_substitutions(context, normalize_to_list_of_substitutions(value)))


def perform_float(context: LaunchContext, value: float | SomeSubstitutionsType) -> float:
    """Evaluate something that is a number or text that says one."""
    if isinstance(value, (int, float)):
        return float(value)
    text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number but got '{text}'") from None


def perform_int(context: LaunchContext, value: int | SomeSubstitutionsType) -> int:
    """Evaluate something that is an integer or text that says one."""
    if isinstance(value, int):
        return value
    text = perform_substitutions(context, normalize_to_list_of_substitutions(value))
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected an integer but got '{text}'") from None


def is_a(obj: Any, entity_type: type[T]) -> bool:
    """Return whether `obj` is of the type."""
    return isinstance(obj, entity_type)
