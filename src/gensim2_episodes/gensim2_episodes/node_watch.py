"""Notices nodes that hang or have gone: heard once, and then silent.

Every node reports to `diagnostics` once a second of wall time. One whose process is stopped or dead
is dropped from the graph by the middleware after a while; one that is stuck stays in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

VIEWERS = ("web_view", "rviz")
"""Names begin so; a view that hangs costs no episode."""

BUSY = 4.0
"""How much longer a node may be silent that is still seen in the graph: the first picture of a
simulated scene compiles shaders, which keeps the whole process busy, on a slow machine for long."""


class NodeWatch:
    """When nodes were heard last. Not thread-safe."""

    def __init__(self, timeout: float, ignored: Collection[str] = ()) -> None:
        """Starts with nobody: a node is watched from its first report on.

        Args:
            timeout: Silence of a node that has left the graph [s of wall time]; `BUSY` times as
                long counts as hung for one that is seen in it.
            ignored: Names that are not watched, beside viewers.
        """
        self._timeout = timeout
        self._ignored = frozenset(ignored)
        self._heard: dict[str, float] = {}

    def heard(self, status_names: Iterable[str], now: float) -> None:
        """Takes reports.

        Args:
            status_names: Of the statuses: "<node>: <component>".
            now: Wall time [s].
        """
        for name in {status.partition(":")[0] for status in status_names}:
            if name not in self._ignored and not name.startswith(VIEWERS):
                self._heard[name] = now

    def forget(self) -> None:
        """Forgets everybody; who lives is known again with the next report."""
        self._heard.clear()

    def trouble(self, visible: Collection[str], now: float) -> str:
        """What is wrong; empty if nothing is.

        Args:
            visible: Names of the nodes in the graph.
            now: Wall time [s].
        """
        allowed = {name: self._timeout * (BUSY if name in visible else 1.0) for name in self._heard}
        silent = sorted(name for name, t in self._heard.items() if now - t > allowed[name])
        if not silent:
            return ""
        states = (
            f"{name} ({'it hangs' if name in visible else 'its process has died or is stopped'})"
            for name in silent
        )
        return (
            f"nothing heard for {min(map(allowed.__getitem__, silent)):g} s of "
            f"{', '.join(states)}; "
            "see the log, then start anew"
        )
