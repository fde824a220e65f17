"""An action is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..event import Event

if TYPE_CHECKING:
    from ..action import Action


class ExecutionComplete(Event):
    """Emitted, if any handler wants it, when an action has done all its work."""

    name = "launch.events.ExecutionComplete"

    def __init__(self, *, action: Action) -> None:
        self._action = action

    @property
    def action(self) -> Action:
        """The action that is over."""
        return self._action
