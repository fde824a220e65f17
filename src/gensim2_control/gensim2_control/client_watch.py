"""Tells whether a client says that it is alive, and which of them has fallen silent."""

from __future__ import annotations

import math


class ClientWatch:
    """The newest beat of every client. Not thread-safe.

    Only a client heard in the life of the present goal counts: who fell silent before is not
    missed, and who has left cleanly is forgotten while nothing runs.
    """

    def __init__(self, timeout: float, absence: float) -> None:
        """Start with no client.

        Args:
            timeout: silence during a goal that counts as hung, s.
            absence: silence before a goal after which a client does not belong to it, s.
        """
        self._timeout = timeout
        self._absence = absence
        self._beats: dict[str, float] = {}
        self._newest = -math.inf

    def beat(self, client: str, now: float) -> None:
        """Note a beat of a client at `now` s."""
        self._beats[client] = self._newest = now

    def forget(self) -> None:
        """Forget all clients; those that live are known again with their next beat."""
        self._beats.clear()
        self._newest = -math.inf

    def heard(self, now: float) -> bool:
        """Tell whether a client has beaten lately, so that a goal has somebody who answers for it.

        As patient as with one that hangs: a beat that comes late is no reason to refuse a goal.
        """
        return now - self._newest <= max(self._timeout, self._absence)

    def hung(self, now: float, running: bool) -> list[str]:
        """Return the clients that have fallen silent while a goal runs; they are forgotten then.

        Args:
            now: time on the clock of the beats, s.
            running: a goal or stream runs.
        """
        longest = self._timeout if running else min(self._absence, self._timeout)
        silent = sorted(client for client, beat in self._beats.items() if now - beat > longest)
        for client in silent:
            del self._beats[client]
        return silent if running else []
