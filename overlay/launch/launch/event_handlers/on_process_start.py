"""Reacts to the start of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..events.process import ProcessStarted
from .on_action_event_base import OnActionEventBase, Reaction

if TYPE_CHECKING:
    from ..actions import ExecuteLocal


class OnProcessStart(OnActionEventBase):
    """Reacts when a process has been started."""

    def __init__(
        self,
        *,
        target_action: ExecuteLocal | Callable[[Any], bool] | None = None,
        on_start: Reaction,
        handle_once: bool = False,
    ) -> None:
        from ..actions import ExecuteLocal

        super().__init__(
            action_matcher=target_action,
            on_event=on_start,
            target_event_cls=ProcessStarted,
            target_action_cls=ExecuteLocal,
            handle_once=handle_once,
        )
