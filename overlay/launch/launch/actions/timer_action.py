"""Executes actions later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..action import Action
from ..condition import Condition
from ..event import Event
from ..event_handler import EventHandler
from ..event_handlers import OnShutdown
from ..events import TimerEvent
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import perform_float
from .opaque_function import OpaqueFunction

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class TimerAction(Action):
    """Executes actions once, `period` seconds after it was visited itself."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool = True,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._period = period
        self._actions = list(actions)
        self._cancel_on_shutdown = cancel_on_shutdown
        self._cancelled = False
        self._task: asyncio.Task[None] | None = None

    @property
    def period(self) -> float | SomeSubstitutionsType:
        """The time in seconds, as given."""
        return self._period

    @property
    def actions(self) -> list[LaunchDescriptionEntity]:
        """The actions to be executed."""
        return self._actions

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the actions."""
        return self._actions

    def cancel(self) -> None:
        """Do not execute the actions."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return the task that waits."""
        return self._task

    def execute(self, context: LaunchContext) -> None:
        """Start to wait."""
        if self._cancelled or (context.is_shutdown and self._cancel_on_shutdown):
            return
        period = perform_float(context, self._period)
        # The actions see the place (ThisLaunchFileDir) and the event of the timer's surroundings.
        scope = context._get_scope()
        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
                entities=[OpaqueFunction(function=_set_scope, args=[scope]), *self._actions],
                handle_once=True,
            )
        )
        if self._cancel_on_shutdown:
            context.register_event_handler(
                OnShutdown(on_shutdown=self._on_shutdown, handle_once=True)
            )
        assert context.asyncio_loop is not None
        self._task = context.asyncio_loop.create_task(self._run(context, period))

    async def _run(self, context: LaunchContext, period: float) -> None:
        await self._wait(context, period)
        context.emit_event_sync(TimerEvent(timer_action=self))

    async def _wait(self, context: LaunchContext, period: float) -> None:
        """Wait for `period` seconds; sub-classes may use another clock."""
        await asyncio.sleep(period)

    def _on_shutdown(self, event: Event, context: LaunchContext) -> None:
        self.cancel()


def _set_scope(context: LaunchContext, scope: dict[str, object]) -> None:
    context._set_scope(scope)
