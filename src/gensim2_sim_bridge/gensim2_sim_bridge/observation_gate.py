"""Keeps a simulator from running away from a recorder.

While somebody records, a simulation that is faster than real time must not be more than one
observation ahead of what has been stored. The recorder says what it has; the gate waits.
"""

from __future__ import annotations

import threading


class ObservationGate:
    """Waits for acknowledgements.

    Args:
        timeout: Longest wait, s of wall time; a recorder that is silent for longer is given up.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._changed = threading.Condition()
        self._acknowledged_ns: int | None = None
        self._open = False

    def acknowledge(self, stamp_ns: int, recording: bool) -> None:
        """Everything up to ``stamp_ns`` is stored; ``recording`` = more will follow."""
        with self._changed:
            self._acknowledged_ns = stamp_ns if recording else None
            self._changed.notify_all()

    def wait(self, stamp_ns: int) -> bool:
        """Waits until ``stamp_ns`` is stored; returns False where the recorder was given up.

        Returns at once while nobody records.
        """
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: (
                    self._open or self._acknowledged_ns is None or self._acknowledged_ns >= stamp_ns
                ),
                self._timeout,
            )
            if not arrived:
                self._acknowledged_ns = None
            return arrived

    def release(self) -> None:
        """Lets everyone pass from now on; for the end of the node."""
        with self._changed:
            self._open = True
            self._changed.notify_all()
