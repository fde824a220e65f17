"""Keeps a simulator from running away from whoever follows it.

While somebody records, or acts on what is observed, a simulation that is faster than real time must
not be more than one observation ahead of them. They say what they have dealt with; the gate waits.
"""

from __future__ import annotations

import threading


class ObservationGate:
    """Waits for acknowledgements.

    Args:
        timeout: Longest wait, s of wall time; a follower that is silent for longer is given up.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._changed = threading.Condition()
        self._acknowledged_ns: dict[str, int] = {}
        self._open = False

    def acknowledge(self, follower: str, stamp_ns: int, following: bool) -> None:
        """Everything up to ``stamp_ns`` is dealt with; ``following`` = more will be."""
        with self._changed:
            if following:
                self._acknowledged_ns[follower] = stamp_ns
            else:
                self._acknowledged_ns.pop(follower, None)
            self._changed.notify_all()

    def wait(self, stamp_ns: int) -> list[str]:
        """Waits until all have dealt with ``stamp_ns``; returns whom it has given up.

        Returns at once while nobody follows.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._open or not self._late(stamp_ns), self._timeout)
            late = [] if self._open else self._late(stamp_ns)
            for follower in late:
                del self._acknowledged_ns[follower]
            return late

    def release(self) -> None:
        """Lets everyone pass from now on; for the end of the node."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def _late(self, stamp_ns: int) -> list[str]:
        return [name for name, done in self._acknowledged_ns.items() if done < stamp_ns]
