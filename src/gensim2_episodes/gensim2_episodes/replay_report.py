"""What is said of the replay of a data set: before it, what is in its way; after it, figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gensim2_tasks.assets import AssetError, AssetLibrary, AssetRef
from rich.table import Table
from scipy.stats import binomtest

from gensim2_episodes.errors import StoreError
from gensim2_episodes.manifest import Manifest, SoftwareRecord

SIMULATION = ("sapien", "numpy", "gensim2_sim_bridge")
"""Distributions on which the motion of a scene depends."""
_ALL = "all"


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Tally:
    """How many of the episodes of a task have succeeded again."""

    task: str
    again: int
    episodes: int

    @property
    def share(self) -> float:
        """The share, 0 to 1; 0 of no episodes is 0."""
        return self.again / self.episodes if self.episodes else 0.0

    def __str__(self) -> str:
        if not self.episodes:
            return f"{self.task}: no episodes"
        low, high = wilson(self.again, self.episodes)
        return (
            f"{self.again} of {self.episodes} successful episodes succeed again "
            f"({100 * self.share:.1f} %, Wilson 95 %: {100 * low:.1f} to {100 * high:.1f} %)"
        )


def tallies(results: Sequence[tuple[str, bool]]) -> list[Tally]:
    """Counts by task, in order of names, and at last over all tasks.

    Args:
        results: Task, and whether it succeeded again, of every episode.
    """
    total = Counter(task for task, _ in results)
    again = Counter(task for task, success in results if success)
    counted = [Tally(task, again[task], total[task]) for task in sorted(total)]
    return [*counted, Tally(_ALL, again.total(), len(results))]


def tally_table(counted: Iterable[Tally]) -> Table:
    """The figures as a table."""
    table = Table("task", "succeed again", "share", "Wilson 95 %", title="replayed")
    for tally in counted:
        if tally.task == _ALL:
            table.add_section()
        low, high = wilson(tally.again, tally.episodes) if tally.episodes else (0.0, 1.0)
        table.add_row(
            tally.task,
            f"{tally.again}/{tally.episodes}",
            f"{100 * tally.share:.1f} %",
            f"{100 * low:.1f} to {100 * high:.1f} %",
        )
    return table


def require_assets(manifests: Iterable[Manifest], library: AssetLibrary) -> None:
    """Checks that every asset of a data set is there, before the first episode is replayed.

    Raises:
        StoreError: Names an asset that is missing, and how many episodes have such ones.
    """
    problems: Counter[str] = Counter()
    known: dict[str, str] = {}
    for manifest in manifests:
        for thing in manifest.scene.objects:
            if thing.asset not in known:
                known[thing.asset] = _asset_problem(thing.asset, library)
            if known[thing.asset]:
                problems[thing.asset] += 1
    if problems:
        asset, _ = problems.most_common(1)[0]
        raise StoreError(
            f"{problems.total()} episodes cannot be replayed, their assets are not here: {asset}: "
            f"{known[asset]}. Name the folder they were collected from with --asset-root"
        )


def _asset_problem(asset: str, library: AssetLibrary) -> str:
    try:
        library.load(AssetRef.parse(asset))
    except (AssetError, ValueError) as error:
        return str(error)
    return ""


def version_notes(manifests: Iterable[Manifest], present: SoftwareRecord) -> list[str]:
    """Warnings: episodes that another version of the simulation has made may move differently."""
    seen: Counter[tuple[str, str]] = Counter()
    for manifest in manifests:
        seen.update(_other(manifest.software.versions, present.versions))
    return [
        f"{count} episodes were collected with {name} {version}, here is "
        f"{name} {present.versions.get(name, '(none)')}: they may move differently"
        for (name, version), count in sorted(seen.items())
    ]


def _other(recorded: Mapping[str, str], present: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (name, recorded[name])
        for name in SIMULATION
        if name in recorded and recorded[name] != present.get(name)
    ]
