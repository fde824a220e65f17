"""Reactions to events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .event import Event
from .launch_description_entity import LaunchDescriptionEntity
from .some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class BaseEventHandler:
    """Decides by a matcher which events it wants; says what to visit then."""

    def __init__(self, *, matcher: Callable[[Event], bool], handle_once: bool = False) -> None:
        self._matcher = matcher
        self._handle_once = handle_once

    @property
    def handle_once(self) -> bool:
        """Whether the handler is dropped after its first event."""
        return self._handle_once

    def matches(self, event: Event) -> bool:
        """Return whether this handler wants the event."""
        return self._matcher(event)

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities that are known beforehand."""
        return []

    def describe(self) -> str:
        """Return a short description for people."""
        return type(self).__name__

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the entities to be visited because of the event."""
        context.extend_locals({"event": event})
        if self._handle_once:
            context.unregister_event_handler(self)
        return None


class EventHandler(BaseEventHandler):
    """Visits fixed entities, or what a callback(event, context) returns."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: SomeEntitiesType
        | Callable[[Event, LaunchContext], SomeEntitiesType | None]
        | None = None,
        handle_once: bool = False,
    ) -> None:
        super().__init__(matcher=matcher, handle_once=handle_once)
        self._callback: Callable[[Event, LaunchContext], SomeEntitiesType | None] | None = None
        self._entities: list[LaunchDescriptionEntity] = []
        if entities is None:
            return
        if isinstance(entities, LaunchDescriptionEntity):
            self._entities = [entities]
        elif callable(entities):
            self._callback = entities
        else:
            self._entities = list(entities)

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities that are known beforehand; empty with a callback."""
        return list(self._entities)

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the fixed entities, or the result of the callback."""
        super().handle(event, context)
        if self._callback is not None:
            return self._callback(event, context)
        return self._entities


def as_entities(result: SomeEntitiesType | None, origin: str) -> Sequence[LaunchDescriptionEntity]:
    """Normalise what a callback returned; `origin` names it in the error message."""
    if result is None:
        return []
    if isinstance(result, LaunchDescriptionEntity):
        return [result]
    entities = list(result)
    for entity in entities:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"{origin} must give actions, but gave {entity!r}")
    return entities
