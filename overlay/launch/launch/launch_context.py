"""The state that actions, substitutions and event handlers share while a launch runs."""

from __future__ import annotations

import asyncio
import collections
import os
import threading
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from .event import Event
from .event_handler import BaseEventHandler
from .substitution import Substitution


class LocalsView:
    """Attribute access to the values of the present scope (`context.locals.event`)."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"context.locals has no '{name}'") from None


class LaunchContext:
    """Launch configurations, environment, scoped values, event handlers and the event queue."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        self._argv = list(argv) if argv is not None else []
        self._noninteractive = noninteractive
        self._is_shutdown = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: int | None = None
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._handlers: collections.deque[BaseEventHandler] = collections.deque()
        self._configurations: dict[str, Any] = {}
        self._configurations_stack: list[dict[str, Any]] = []
        self._environment_at_start = dict(os.environ)
        self._environment_stack: list[dict[str, str]] = []
        self._globals: dict[str, Any] = {}
        self._locals: dict[str, Any] = {}
        self._process_count = 0
        self._at_end: list[Callable[[], None]] = []

    # -- facts about the launch

    @property
    def argv(self) -> list[str]:
        """The arguments after the launch file on the command line."""
        return self._argv

    @property
    def noninteractive(self) -> bool:
        """Whether nobody sits at a terminal, so that children get no Ctrl-C from the kernel."""
        return self._noninteractive

    @property
    def is_shutdown(self) -> bool:
        """Whether shutting down has begun."""
        return self._is_shutdown

    def _set_is_shutdown(self, state: bool) -> None:
        self._is_shutdown = state

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the running launch service, None before it runs."""
        return self._loop

    def _set_asyncio_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._loop_thread = threading.get_ident() if loop is not None else None
        # A queue belongs to one loop; what was emitted before the launch is taken along.
        waiting, self._queue = self._queue, asyncio.Queue()
        while not waiting.empty():
            self._queue.put_nowait(waiting.get_nowait())

    def next_process_number(self) -> int:
        """Return 1, 2, ...: the number in the labels of processes."""
        self._process_count += 1
        return self._process_count

    def at_end(self, callback: Callable[[], None]) -> None:
        """Have a callback called when everything has ended."""
        self._at_end.append(callback)

    def _run_at_end(self) -> None:
        while self._at_end:
            self._at_end.pop()()

    # -- launch configurations

    @property
    def launch_configurations(self) -> dict[str, Any]:
        """Launch configurations of the present scope: text by name."""
        return self._configurations

    def _push_launch_configurations(self) -> None:
        self._configurations_stack.append(dict(self._configurations))

    def _pop_launch_configurations(self) -> None:
        if not self._configurations_stack:
            raise RuntimeError("PopLaunchConfigurations without PushLaunchConfigurations")
        self._replace(self._configurations, self._configurations_stack.pop())

    def _reset_launch_configurations(self, configurations: Mapping[str, Any]) -> None:
        self._replace(self._configurations, configurations)

    # -- environment

    @property
    def environment(self) -> MutableMapping[str, str]:
        """The environment of this process, which children inherit."""
        return os.environ

    def _push_environment(self) -> None:
        self._environment_stack.append(dict(os.environ))

    def _pop_environment(self) -> None:
        if not self._environment_stack:
            raise RuntimeError("PopEnvironment without PushEnvironment")
        self._replace(os.environ, self._environment_stack.pop())

    def _reset_environment(self) -> None:
        self._replace(os.environ, self._environment_at_start)

    # -- scoped values

    @property
    def locals(self) -> LocalsView:
        """Values of the present scope by attribute; an unknown one is an AttributeError."""
        return LocalsView(self.get_locals_as_dict())

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Return a copy of the values of the present scope."""
        return {**self._globals, **self._locals}

    def extend_locals(self, values: Mapping[str, Any]) -> None:
        """Add values to the present scope."""
        self._locals.update(values)

    def extend_globals(self, values: Mapping[str, Any]) -> None:
        """Add values that every scope sees."""
        self._globals.update(values)

    def _get_scope(self) -> dict[str, Any]:
        return dict(self._locals)

    def _set_scope(self, values: Mapping[str, Any]) -> None:
        self._locals = dict(values)

    # -- events

    def register_event_handler(self, handler: BaseEventHandler, append: bool = False) -> None:
        """Add a handler; the newest is asked first unless `append` is set."""
        if append:
            self._handlers.append(handler)
        else:
            self._handlers.appendleft(handler)

    def unregister_event_handler(self, handler: BaseEventHandler) -> None:
        """Remove a handler; ValueError if it is not registered."""
        self._handlers.remove(handler)

    def event_handlers(self) -> tuple[BaseEventHandler, ...]:
        """Return the handlers in the order in which they are asked."""
        return tuple(self._handlers)

    def is_registered(self, handler: BaseEventHandler) -> bool:
        """Return whether the handler is registered."""
        return handler in self._handlers

    def would_handle_event(self, event: Event) -> bool:
        """Return whether any handler wants the event."""
        return any(handler.matches(event) for handler in self._handlers)

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event; may be called from any thread."""
        self._put(event)

    async def emit_event(self, event: Event) -> None:
        """Queue an event."""
        self._put(event)

    def _put(self, event: Event | None) -> None:
        """Queue an event, or None to have the service look again whether it is idle."""
        if self._loop is None or threading.get_ident() == self._loop_thread:
            self._queue.put_nowait(event)
        else:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    # -- substitutions

    def perform_substitution(self, substitution: Substitution) -> str:
        """Return the text of a substitution."""
        return substitution.perform(self)

    @staticmethod
    def _replace(target: MutableMapping[str, Any], source: Mapping[str, Any]) -> None:
        for name in [name for name in target if name not in source]:
            del target[name]
        for name, value in source.items():
            if target.get(name) != value:
                target[name] = value
