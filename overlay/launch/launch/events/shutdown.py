"""The launch is to end."""

from __future__ import annotations

from ..event import Event


class Shutdown(Event):
    """Asks for everything to be ended."""

    name = "launch.events.Shutdown"

    def __init__(self, *, reason: str = "reason not given", due_to_sigint: bool = False) -> None:
        self._reason = reason
        self._due_to_sigint = due_to_sigint

    @property
    def reason(self) -> str:
        """Why, in words."""
        return self._reason

    @property
    def due_to_sigint(self) -> bool:
        """Whether Ctrl-C was pressed, so that children at a terminal know it already."""
        return self._due_to_sigint
