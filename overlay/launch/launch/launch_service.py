"""Runs launch descriptions."""

from __future__ import annotations

import asyncio
import contextlib
import logging as python_logging
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator

from . import logging
from .event import Event
from .event_handler import as_entities
from .event_handlers import OnIncludeLaunchDescription
from .events import IncludeLaunchDescription, Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity


class LaunchService:
    """Visits the entities of launch descriptions and handles events until nothing is left."""

    def __init__(
        self,
        *,
        argv: Iterable[str] | None = None,
        noninteractive: bool = False,
        debug: bool = False,
    ) -> None:
        if debug:
            logging.launch_config.level = python_logging.DEBUG
        self._debug = debug
        self._logger = logging.get_logger("launch")
        self._context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._context.register_event_handler(OnIncludeLaunchDescription())
        self._pending: set[asyncio.Future[None]] = set()
        self._running = False
        self._return_code = 0

    @property
    def context(self) -> LaunchContext:
        """The state of the launch."""
        return self._context

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the running service."""
        return self._context.asyncio_loop

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Have a launch description visited, now or when the service runs."""
        self.emit_event(IncludeLaunchDescription(launch_description))

    def emit_event(self, event: Event) -> None:
        """Queue an event; may be called from any thread."""
        self._context.emit_event_sync(event)

    def shutdown(self) -> None:
        """End the launch; may be called from any thread."""
        self.emit_event(Shutdown(reason="LaunchService.shutdown() called"))

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended; return 0, or 1 if the launch itself failed."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("LaunchService.run() works only in the main thread")
        loop = asyncio.new_event_loop()
        loop.set_debug(self._debug)
        try:
            asyncio.set_event_loop(loop)
            return loop.run_until_complete(self.run_async(shutdown_when_idle=shutdown_when_idle))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended; return 0, or 1 if the launch itself failed."""
        if self._running:
            raise RuntimeError("this LaunchService is running already")
        self._running = True
        loop = asyncio.get_running_loop()
        self._context._set_asyncio_loop(loop)
        self._context._set_is_shutdown(False)
        self._return_code = 0
        level = python_logging.getLevelName(logging.launch_config.level)
        self._logger.info(f"All log files can be found below {logging.launch_config.log_dir}")
        self._logger.info(f"Default logging verbosity is set to {level}")
        try:
            with self._signal_handlers(loop):
                await self._handle_events(shutdown_when_idle)
        finally:
            # Only an exception that ends the loop (SystemExit, ...) leaves something here.
            for future in list(self._pending):
                future.cancel()
            await asyncio.gather(*self._pending, return_exceptions=True)
            self._context._run_at_end()
            await asyncio.sleep(0)  # for what has been closed
            self._context._set_asyncio_loop(None)
            self._running = False
        return self._return_code

    # -- the loop

    async def _handle_events(self, shutdown_when_idle: bool) -> None:
        queue = self._context._queue
        while True:
            idle = queue.empty() and not self._pending
            if idle and self._context.is_shutdown:
                return
            if idle and shutdown_when_idle:
                self.emit_event(Shutdown(reason="idle"))
            event = await queue.get()
            if event is not None:
                self._process(event)

    def _process(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            if self._context.is_shutdown:
                return
            self._logger.debug(f"shutting down: {event.reason}")
            self._context._set_is_shutdown(True)
        for handler in self._context.event_handlers():
            # One failing handler must not keep the others from their work: the processes, for
            # instance, from being ended.
            scope = self._context._get_scope()
            try:
                # An earlier handler of this event may have unregistered this one.
                if self._context.is_registered(handler) and handler.matches(event):
                    result = handler.handle(event, self._context)
                    for entity in as_entities(result, f"the handler {handler.describe()}"):
                        self._visit(entity)
            except Exception as error:
                self._fail(error)
            finally:
                self._context._set_scope(scope)

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        """Visit an entity and all that follows from it, depth first."""
        below = entity.visit(self._context)
        future = entity.get_asyncio_future()
        if future is not None and not future.done():
            self._pending.add(future)
            future.add_done_callback(self._on_done)
        for sub_entity in below or ():
            self._visit(sub_entity)

    def _on_done(self, future: asyncio.Future[None]) -> None:
        self._pending.discard(future)
        if not future.cancelled():
            error = future.exception()
            if isinstance(error, Exception):
                self._fail(error)
        self._context._put(None)

    def _fail(self, error: Exception) -> None:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self._logger.debug(text)
        what = str(error) if isinstance(error, RuntimeError) else _with_type(error)
        message = f"Caught exception in launch (see debug for traceback): {what}"
        self._logger.error(message)
        self._return_code = 1
        self.emit_event(Shutdown(reason=message))

    # -- signals

    @contextlib.contextmanager
    def _signal_handlers(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the launch, also where SIGINT is ignored from outside.

        (Shells start background jobs of scripts with SIGINT ignored.)
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.getsignal(number) for number in numbers}
        for number in numbers:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: signal.Signals) -> None:
        by_user = number == signal.SIGINT
        what = "user interrupted with ctrl-c (SIGINT)" if by_user else f"received {number.name}"
        if self._context.is_shutdown:
            self._logger.warning(f"{what} again, ignoring...")
            return
        self._logger.warning(what)
        reason = "ctrl-c (SIGINT)" if by_user else number.name
        self.emit_event(Shutdown(reason=reason, due_to_sigint=by_user))


def _with_type(error: Exception) -> str:
    # The text of a KeyError, for instance, is the bare key.
    return f"{type(error).__name__}: {error}"
