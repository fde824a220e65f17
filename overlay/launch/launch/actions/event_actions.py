"""Emits events and registers handlers for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import logging
from ..action import Action
from ..condition import Condition
from ..event import Event
from ..event_handler import BaseEventHandler
from ..events import Shutdown as ShutdownEvent
from ..events.process import ProcessExited
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event: Event, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        if not isinstance(event, Event):
            raise TypeError(f"EmitEvent expected a launch.Event, got {event!r}")
        self._event = event

    @property
    def event(self) -> Event:
        """The event."""
        return self._event

    def describe(self) -> str:
        """Return a short description for people."""
        return f"EmitEvent({self._event.name})"

    def execute(self, context: LaunchContext) -> None:
        """Emit it."""
        context.emit_event_sync(self._event)


class Shutdown(Action):
    """Ends the launch."""

    def __init__(
        self,
        *,
        reason: SomeSubstitutionsType = "reason not given",
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._reason = normalize_to_list_of_substitutions(reason)

    def execute(self, context: LaunchContext) -> None:
        """Emit the shutdown event; say so if the end of a process is the reason."""
        event = context.get_locals_as_dict().get("event")
        if isinstance(event, ProcessExited):
            logging.get_logger("launch").info(
                f"process[{event.process_name}] was required: shutting down launched system"
            )
        reason = perform_substitutions(context, self._reason)
        context.emit_event_sync(ShutdownEvent(reason=reason))


class RegisterEventHandler(Action):
    """Registers an event handler."""

    def __init__(
        self, event_handler: BaseEventHandler, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        if not isinstance(event_handler, BaseEventHandler):
            raise TypeError(f"RegisterEventHandler expected a handler, got {event_handler!r}")
        self._event_handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The handler."""
        return self._event_handler

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return what is visited if the event happens."""
        return [(f"on {self._event_handler.describe()}", self._event_handler.entities)]

    def execute(self, context: LaunchContext) -> None:
        """Register it."""
        context.register_event_handler(self._event_handler)


class UnregisterEventHandler(Action):
    """Unregisters an event handler."""

    def __init__(
        self, event_handler: BaseEventHandler, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._event_handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Unregister it."""
        context.unregister_event_handler(self._event_handler)
