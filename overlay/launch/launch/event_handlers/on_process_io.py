"""Reacts to the output of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..events.process import ProcessIO
from .on_action_event_base import OnActionEventBase

if TYPE_CHECKING:
    from ..actions import ExecuteLocal
    from ..launch_context import LaunchContext
    from ..some_entities_type import SomeEntitiesType

IOCallback = Callable[[ProcessIO], "SomeEntitiesType | None"]


class OnProcessIO(OnActionEventBase):
    """Calls back(event) when data goes through a standard stream; `event.text` is bytes."""

    def __init__(
        self,
        *,
        target_action: ExecuteLocal | Callable[[Any], bool] | None = None,
        on_stdin: IOCallback | None = None,
        on_stdout: IOCallback | None = None,
        on_stderr: IOCallback | None = None,
        handle_once: bool = False,
    ) -> None:
        from ..actions import ExecuteLocal

        callbacks = {0: on_stdin, 1: on_stdout, 2: on_stderr}

        def on_io(event: ProcessIO, context: LaunchContext) -> SomeEntitiesType | None:
            callback = callbacks.get(event.fd)
            return None if callback is None else callback(event)

        super().__init__(
            action_matcher=target_action,
            on_event=on_io,
            target_event_cls=ProcessIO,
            target_action_cls=ExecuteLocal,
            handle_once=handle_once,
        )
