"""How every node of the graph is, by its diagnostics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gensim2_view.html_text import BAD, DULL, GOOD, WARN, block, coloured, table, text

SILENT_AFTER = 5.0
"""Wall time without a report after which a node counts as silent, s."""
MAX_NODES = 60
_MAX_COMPONENTS = 40
_LEVELS = {0: ("ok", GOOD), 1: ("warning", WARN), 2: ("error", BAD), 3: ("stale", BAD)}


@dataclass(frozen=True)
class Status:
    """One component: the name is `<node>: <component>`; levels as in diagnostic_msgs."""

    name: str
    level: int
    message: str


@dataclass
class _Node:
    heard: float = 0.0
    components: dict[str, Status] = field(default_factory=dict)

    def worst(self) -> Status:
        return max(self.components.values(), key=lambda status: status.level)


@dataclass
class HealthTable:
    """The newest report of every node."""

    _nodes: dict[str, _Node] = field(default_factory=dict)

    def add(self, statuses: Iterable[Status], now: float) -> None:
        """Take the statuses of one message, heard at `now` (s of wall time)."""
        for status in statuses:
            name, _, component = status.name.partition(":")
            if name not in self._nodes and len(self._nodes) >= MAX_NODES:
                continue
            node = self._nodes.setdefault(name, _Node())
            node.heard = now
            if component in node.components or len(node.components) < _MAX_COMPONENTS:
                node.components[component] = status

    def summary(self, now: float) -> dict[str, tuple[str, str]]:
        """Condition and message of every node by name: of its worst component, or "silent"."""
        result = {}
        for name in sorted(self._nodes):
            node = self._nodes[name]
            if now - node.heard > SILENT_AFTER:
                result[name] = ("silent", f"for {now - node.heard:.0f} s")
            else:
                worst = node.worst()
                result[name] = (_LEVELS.get(worst.level, _LEVELS[3])[0], worst.message)
        return result

    def html(self, now: float) -> str:
        """Return the summary for the page."""
        if not self._nodes:
            return block(coloured("no node reports", DULL))
        colors = {words: color for words, color in _LEVELS.values()} | {"silent": BAD}
        return block(
            table(
                (text(name, 30), coloured(condition, colors[condition]), text(message, 60))
                for name, (condition, message) in self.summary(now).items()
            )
        )
