"""Notices that nobody renews a reference."""

from __future__ import annotations

import threading
from collections.abc import Callable


class ReferenceGuard:
    """Calls a function once where no reference has come for too long.

    The tracking motion in libfranka's loop keeps the last reference for ever, its velocity too,
    whatever happens to the control thread that sent it.
    """

    def __init__(self, age: float, hold: Callable[[], None], now: Callable[[], float]) -> None:
        """Prepare; `start` runs the thread.

        Args:
            age: longest time between two references, s.
            hold: called in the thread of the guard when that has passed.
            now: a steady clock, s.
        """
        self._age = age
        self._hold = hold
        self._now = now
        self._renewed: float | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to look, anew where it does already; nothing happens before the first `renew`."""
        self.stop()
        self._closing.clear()
        self._thread = threading.Thread(target=self._run, name="reference guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; safe to call twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def renew(self) -> None:
        """A reference has been sent just now."""
        self._renewed = self._now()

    def check(self) -> bool:
        """Call `hold` where that is due; True where it was."""
        renewed = self._renewed
        if renewed is None or self._now() - renewed <= self._age:
            return False
        self._renewed = None
        self._hold()
        return True

    def _run(self) -> None:
        while not self._closing.wait(self._age / 4):
            self.check()
