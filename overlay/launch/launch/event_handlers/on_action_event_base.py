"""Common part of the handlers for events about an action."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event
from ..event_handler import EventHandler
from ..some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Reaction = SomeEntitiesType | Callable[[Any, "LaunchContext"], "SomeEntitiesType | None"]
"""Entities to be visited, or a callback(event, context) that returns some or None."""


class OnActionEventBase(EventHandler):
    """Reacts to one type of event, from any action, one action, or those a predicate accepts."""

    def __init__(
        self,
        *,
        action_matcher: Action | Callable[[Action], bool] | None,
        on_event: Reaction,
        target_event_cls: type[Event],
        target_action_cls: type[Action] = Action,
        handle_once: bool = False,
    ) -> None:
        is_action = isinstance(action_matcher, Action)
        right = (
            isinstance(action_matcher, target_action_cls)
            if is_action
            else (action_matcher is None or callable(action_matcher))
        )
        if not right:
            raise TypeError(
                f"{type(self).__name__}: target_action must be an action of type "
                f"{target_action_cls.__name__}, a predicate over such actions or None, "
                f"got {action_matcher!r}"
            )
        self._action_matcher = action_matcher

        def matches(event: Event) -> bool:
            if not isinstance(event, target_event_cls):
                return False
            action = getattr(event, "action", None)
            if self._action_matcher is None:
                return True
            if isinstance(self._action_matcher, Action):
                return action is self._action_matcher
            return action is not None and self._action_matcher(action)

        super().__init__(matcher=matches, entities=on_event, handle_once=handle_once)
