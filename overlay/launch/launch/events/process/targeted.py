"""Events that are to have an effect on processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...event import Event

if TYPE_CHECKING:
    from ...actions import ExecuteLocal


class ProcessTargetedEvent(Event):
    """Concerns the processes that its matcher chooses."""

    name = "launch.events.process.ProcessTargetedEvent"

    def __init__(self, *, process_matcher: Callable[[ExecuteLocal], bool]) -> None:
        self._process_matcher = process_matcher

    @property
    def process_matcher(self) -> Callable[[ExecuteLocal], bool]:
        """Chooses the processes by their actions."""
        return self._process_matcher


class SignalProcess(ProcessTargetedEvent):
    """Sends a signal."""

    name = "launch.events.process.SignalProcess"

    def __init__(
        self,
        *,
        signal_number: str | int | signal.Signals,
        process_matcher: Callable[[ExecuteLocal], bool],
    ) -> None:
        super().__init__(process_matcher=process_matcher)
        self._signal = (
            signal.Signals[signal_number]
            if isinstance(signal_number, str)
            else signal.Signals(signal_number)
        )

    @property
    def signal(self) -> signal.Signals:
        """The signal."""
        return self._signal

    @property
    def signal_name(self) -> str:
        """The name of the signal, such as SIGINT."""
        return self._signal.name


class ShutdownProcess(ProcessTargetedEvent):
    """Ends processes: SIGINT, then SIGTERM, then SIGKILL."""

    name = "launch.events.process.ShutdownProcess"
