"""Ctrl-C and SIGTERM as something to look at, not as an exception in the middle of anything.

An exception that a signal raises may come within a library, which swallows it or is left half
set up: a node that is interrupted while it starts then runs on for ever, or crashes.
"""

from __future__ import annotations

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndRequest:
    """Whether the operator wants the process to end. Only the first signal counts.

    While the process starts, which may hang, a second signal raises `KeyboardInterrupt`.
    """

    def __init__(self) -> None:
        """Take over the signals of the process; to be called in the main thread."""
        self.made = False
        self._starting = True
        # Said outright, since a shell starts background processes with SIGINT ignored.
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def started(self) -> None:
        """From now on signals are looked at often, and none raises anything."""
        self._starting = False

    def close(self) -> None:
        """The process ends: signals are ignored from now on, also while the interpreter ends.

        It would give up a handler of its own before it is done, and the next signal would kill it.
        """
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self.made = self.made, True
        if again and self._starting:
            self._starting = False
            raise KeyboardInterrupt
