"""Helpers for writers of actions and substitutions."""

from .normalize import (
    describe_substitutions,
    normalize_to_list_of_entities,
    normalize_to_list_of_substitutions,
)
from .perform import (
    is_a,
    parse_bool,
    perform_bool,
    perform_float,
    perform_int,
    perform_substitutions,
)

__all__ = [
    "describe_substitutions",
    "is_a",
    "normalize_to_list_of_entities",
    "normalize_to_list_of_substitutions",
    "parse_bool",
    "perform_bool",
    "perform_float",
    "perform_int",
    "perform_substitutions",
]
