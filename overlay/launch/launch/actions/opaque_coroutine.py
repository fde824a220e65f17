"""Runs a coroutine while launching."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..condition import Condition
from ..event_handlers import OnShutdown

if TYPE_CHECKING:
    from ..event import Event
    from ..launch_context import LaunchContext


class OpaqueCoroutine(Action):
    """Runs coroutine(context, *args, **kwargs); it is cancelled when the launch shuts down."""

    def __init__(
        self,
        *,
        coroutine: Callable[..., Coroutine[Any, Any, None]],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        ignore_context: bool = False,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        if not asyncio.iscoroutinefunction(coroutine):
            raise TypeError(f"OpaqueCoroutine expected a coroutine function, got {coroutine!r}")
        self._coroutine = coroutine
        self._args = list(args or ())
        self._kwargs = dict(kwargs or {})
        self._ignore_context = ignore_context
        self._task: asyncio.Task[None] | None = None

    def execute(self, context: LaunchContext) -> None:
        """Start the coroutine."""
        args = self._args if self._ignore_context else [context, *self._args]
        assert context.asyncio_loop is not None
        self._task = context.asyncio_loop.create_task(self._coroutine(*args, **self._kwargs))
        context.register_event_handler(OnShutdown(on_shutdown=self._cancel, handle_once=True))

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return the task."""
        return self._task

    def _cancel(self, event: Event, context: LaunchContext) -> None:
        if self._task is not None:
            self._task.cancel()
