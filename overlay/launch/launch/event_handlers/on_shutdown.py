"""Reacts to the beginning of shutting down."""

from __future__ import annotations

from ..event_handler import EventHandler
from ..events import Shutdown
from .on_action_event_base import Reaction


class OnShutdown(EventHandler):
    """Reacts when the launch is to end."""

    def __init__(self, *, on_shutdown: Reaction, handle_once: bool = False) -> None:
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown),
            entities=on_shutdown,
            handle_once=handle_once,
        )
