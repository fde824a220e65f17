"""Replays a data set and shows how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gensim2_control.description import resolve_packages, robot_description
from gensim2_tasks.assets import AssetError, AssetLibrary
from rich.console import Console
from rich.progress import track

from gensim2_episodes.errors import StoreError
from gensim2_episodes.provenance import software_record
from gensim2_episodes.replay import Replayer
from gensim2_episodes.replay_report import require_assets, tallies, tally_table, version_notes
from gensim2_episodes.store import EpisodeInfo, EpisodeStore


def replay_episodes(
    console: Console, store: EpisodeStore, episodes: Sequence[EpisodeInfo], asset_root: Path | None
) -> float:
    """Executes episodes again; prints each that fails, and the figures.

    Args:
        console: Where to print.
        store: The data set.
        episodes: Those of it to replay.
        asset_root: Folder of imported assets; None = generated ones.

    Returns:
        The share that succeeds again.

    Raises:
        StoreError: Assets are missing, or an episode is damaged.
    """
    try:
        library = AssetLibrary(asset_root)
    except AssetError as error:
        raise StoreError(str(error)) from None
    manifests = [episode.manifest for episode in episodes]
    require_assets(manifests, library)
    for note in version_notes(manifests, software_record()):
        console.print(f"[yellow]note[/]: {note}", soft_wrap=True)
    replayer = Replayer(resolve_packages(robot_description()), library)
    results = []
    for episode in track(episodes, "replaying", console=console):
        manifest = episode.manifest
        result = replayer.replay(manifest, store.open_episode(episode.episode_id))
        results.append((manifest.task, result.success))
        if not result.success:
            console.print(
                f"[red]failed[/]: {episode.episode_id} (seed {manifest.seed}): {result.reason}",
                soft_wrap=True,
            )
    *_, everything = counted = tallies(results)
    console.print(tally_table(counted))
    console.print(str(everything))
    return everything.share
