"""Reacts to the end of an action."""

from __future__ import annotations

from collections.abc import Callable

from ..action import Action
from ..events import ExecutionComplete
from .on_action_event_base import OnActionEventBase, Reaction


class OnExecutionComplete(OnActionEventBase):
    """Reacts when an action has done all its work."""

    def __init__(
        self,
        *,
        target_action: Action | Callable[[Action], bool] | None = None,
        on_completion: Reaction,
        handle_once: bool = False,
    ) -> None:
        super().__init__(
            action_matcher=target_action,
            on_event=on_completion,
            target_event_cls=ExecutionComplete,
            handle_once=handle_once,
        )
