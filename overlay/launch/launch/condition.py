"""Whether an action is to be executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Condition:
    """A predicate over the launch context."""

    def __init__(self, *, predicate: Callable[[LaunchContext], bool] | None = None) -> None:
        self._predicate = predicate

    def describe(self) -> str:
        """Return a short description for people."""
        return f"{type(self).__name__}({self._predicate!r})"

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the condition holds now."""
        return True if self._predicate is None else self._predicate(context)
