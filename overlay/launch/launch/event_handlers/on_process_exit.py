"""Reacts to the end of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..events.process import ProcessExited
from .on_action_event_base import OnActionEventBase, Reaction

if TYPE_CHECKING:
    from ..actions import ExecuteLocal


class OnProcessExit(OnActionEventBase):
    """Reacts when a process has ended, for whatever reason."""

    def __init__(
        self,
        *,
        target_action: ExecuteLocal | Callable[[Any], bool] | None = None,
        on_exit: Reaction,
        handle_once: bool = False,
    ) -> None:
        from ..actions import ExecuteLocal

        super().__init__(
            action_matcher=target_action,
            on_event=on_exit,
            target_event_cls=ProcessExited,
            target_action_cls=ExecuteLocal,
            handle_once=handle_once,
        )
