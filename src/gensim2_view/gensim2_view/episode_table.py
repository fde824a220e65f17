"""What became of the episodes so far, as a table with the success rate of every task."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gensim2_view.html_text import BAD, DULL, GOOD, block, coloured, table, text

ROWS = 40
"""Attempts that are listed, the newest first; the rates count all."""
_KNOWN = 2000
"""Attempts that are told apart, so that none counts twice when a publisher sends it again."""


@dataclass(frozen=True)
class Episode:
    """One attempt; see gensim2_msgs/msg/EpisodeSummary."""

    task: str
    index: int
    requested: int
    attempt: int
    seed: int
    asset: str
    success: bool
    outcome: str
    reason: str
    episode_id: str
    sim_time: float
    plan_time: float
    frames: int


@dataclass
class _Rate:
    attempts: int = 0
    successes: int = 0


@dataclass
class EpisodeTable:
    """Attempts as they arrive."""

    _newest: deque[Episode] = field(default_factory=lambda: deque(maxlen=ROWS))
    _rates: dict[str, _Rate] = field(default_factory=dict)
    _seen: deque[Episode] = field(default_factory=lambda: deque(maxlen=_KNOWN))

    def add(self, episode: Episode) -> bool:
        """Take one attempt; return whether it is new."""
        if episode in self._seen:
            return False
        self._seen.append(episode)
        self._newest.appendleft(episode)
        rate = self._rates.setdefault(episode.task, _Rate())
        rate.attempts += 1
        rate.successes += episode.success
        return True

    def rates(self) -> dict[str, tuple[int, int]]:
        """Successes and attempts of every task, sorted by name."""
        return {
            task: (self._rates[task].successes, self._rates[task].attempts)
            for task in sorted(self._rates)
        }

    def html(self) -> str:
        """Return rates and newest attempts for the page."""
        if not self._rates:
            return block(coloured("no episode yet", DULL))
        rates = table(
            [
                (text(task), text(f"{good} of {tried}"), text(f"{100 * good / tried:.0f} %"))
                for task, (good, tried) in self.rates().items()
            ],
            ("task", "success", "rate"),
        )
        rows = [
            (
                text(e.task, 24),
                text(f"{e.index}/{e.requested}"),
                _outcome(e),
                text(f"{e.sim_time:.1f}"),
                text(f"{1000 * e.plan_time:.0f}"),
                text(e.asset.rpartition("/")[2] or e.asset, 14),
            )
            for e in self._newest
        ]
        listed = table(rows, ("task", "no.", "outcome", "s", "plan ms", "asset"))
        return block(f"{rates}<hr style='border:0;border-top:1px solid #ddd'>{listed}")


def _outcome(episode: Episode) -> str:
    if episode.success:
        return coloured("success", GOOD)
    reason = f"<br>{text(episode.reason, 80)}" if episode.reason else ""
    return coloured(episode.outcome or "failure", BAD, 40) + reason
