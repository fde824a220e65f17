"""Names of the robot's own errors."""

from __future__ import annotations

from gensim2_franka.library import franky

ERROR_NAMES: tuple[str, ...] = tuple(
    name for name, value in vars(franky.Errors).items() if isinstance(value, property)
)
"""The errors that libfranka knows, by the names it gives them, in its order."""


def active(errors: franky.Errors) -> tuple[str, ...]:
    """Return the names of those that are set."""
    return tuple(name for name in ERROR_NAMES if getattr(errors, name))
