"""Calls a function while launching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..condition import Condition
from ..event_handler import as_entities
from ..launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OpaqueFunction(Action):
    """Calls function(context, *args, **kwargs); what it returns, if anything, is visited next."""

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        if not callable(function):
            raise TypeError(f"OpaqueFunction expected a callable, got {function!r}")
        self._function = function
        self._args = list(args or ())
        self._kwargs = dict(kwargs or {})

    def describe(self) -> str:
        """Return a short description for people."""
        return f"OpaqueFunction({self._name()})"

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Call the function."""
        result = self._function(context, *self._args, **self._kwargs)
        return as_entities(result, f"the OpaqueFunction '{self._name()}'")

    def _name(self) -> str:
        return getattr(self._function, "__name__", repr(self._function))
