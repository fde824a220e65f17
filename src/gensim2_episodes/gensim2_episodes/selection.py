"""Which episodes: by what their manifests say, or by a share of them that is held apart."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

from gensim2_episodes.manifest import Manifest, Outcome
from gensim2_episodes.store import EpisodeInfo


class SplitBy(str, Enum):
    """What is never torn apart by a split."""

    EPISODE = "episode"
    INSTANCE = "instance"


@dataclass(frozen=True)
class Criteria:
    """What an episode must be like; every criterion that is given must hold.

    Attributes:
        tasks: One of these tasks; patterns with * and ?.
        outcomes: One of these outcomes.
        assets: An object of it is one of these assets; patterns with * and ?.
        controllers: One of these acted; patterns with * and ?.
        arrays: All of these were recorded, for example "cloud/xyz"; patterns with * and ?.
        after: Written at or after this moment.
        before: Written before this moment.
        min_frames: Has at least so many frames.
    """

    tasks: tuple[str, ...] = ()
    outcomes: frozenset[Outcome] = frozenset(Outcome)
    assets: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    min_frames: int = 0

    def match(self, manifest: Manifest) -> bool:
        """Whether an episode is like that."""
        created = datetime.fromisoformat(manifest.created)
        return (
            _any([manifest.task], self.tasks)
            and manifest.outcome in self.outcomes
            and _any([thing.asset for thing in manifest.scene.objects], self.assets)
            and _any([manifest.controller], self.controllers)
            and all(_any(manifest.arrays, [array]) for array in self.arrays)
            and (self.after is None or created >= _aware(self.after))
            and (self.before is None or created < _aware(self.before))
            and manifest.frames >= self.min_frames
        )


def _any(values: Iterable[str], patterns: Sequence[str]) -> bool:
    return not patterns or any(
        fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def instance_of(manifest: Manifest) -> str:
    """The objects of an episode, which tell seen and unseen ones apart; empty without objects."""
    return " ".join(thing.asset for thing in manifest.scene.objects)


def split_episodes(
    episodes: Sequence[EpisodeInfo], share: float, seed: int, by: SplitBy
) -> tuple[list[EpisodeInfo], list[EpisodeInfo]]:
    """Holds a share of every task apart.

    The choice depends on the names of the episodes (or objects) and the seed, not on their order,
    nor on what other tasks there are. Of a task with two or more of them each part gets at least
    one; of a task with only one, the first part gets it.

    Args:
        episodes: All.
        share: For the second part, 0 < share < 1.
        seed: Of the choice.
        by: EPISODE: any episode for itself. INSTANCE: all episodes of a task with the same objects
            stay together.

    Returns:
        The first part and the second, each in the given order.
    """
    held: set[str] = set()
    for task in {e.manifest.task for e in episodes}:
        groups: dict[str, list[str]] = {}
        for episode in (e for e in episodes if e.manifest.task == task):
            name = episode.episode_id
            key = instance_of(episode.manifest) if by is SplitBy.INSTANCE else name
            groups.setdefault(key, []).append(name)
        ranked = sorted(groups, key=lambda key: _rank(key, seed))
        count = min(max(round(share * len(ranked)), 1), len(ranked) - 1)
        held |= {name for key in ranked[:count] for name in groups[key]}
    return (
        [e for e in episodes if e.episode_id not in held],
        [e for e in episodes if e.episode_id in held],
    )


def _rank(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
