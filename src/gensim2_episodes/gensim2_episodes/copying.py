"""Data sets made of episodes of others, without a second copy of their files where possible."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from gensim2_episodes.errors import StoreError
from gensim2_episodes.provenance import software_record
from gensim2_episodes.store import EPISODES_FOLDER, EpisodeInfo, EpisodeStore

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}
"""Another file system, one without hard links, too many links, or files of somebody else."""

Progress = Callable[[EpisodeInfo], None]


def unique_episodes(stores: Iterable[Iterable[EpisodeInfo]]) -> tuple[list[EpisodeInfo], int]:
    """Joins the episodes of several data sets.

    Returns:
        Every episode once, and how many were there more than once.

    Raises:
        StoreError: Two different episodes have the same name.
    """
    found: dict[str, EpisodeInfo] = {}
    repeated = 0
    for episodes in stores:
        for episode in episodes:
            other = found.setdefault(episode.episode_id, episode)
            if other is episode:
                continue
            if other.manifest != episode.manifest:
                raise StoreError(
                    f"{other.path} and {episode.path} are different episodes of the same name; "
                    "leave one of the data sets out"
                )
            repeated += 1
    return list(found.values()), repeated


def copy_episodes(
    episodes: Iterable[EpisodeInfo], folder: Path, progress: Progress = lambda episode: None
) -> None:
    """Makes a data set of episodes, which keep their names.

    Files are shared by hard links where the file system allows it: nobody changes an episode once
    it is written, and removing one data set does not hurt the other.

    Args:
        episodes: Complete episodes of any data sets.
        folder: A missing or empty folder.
        progress: Called after each episode.

    Raises:
        DatasetWriteError: The data set cannot be created.
        StoreError: A file has gone.
        OSError: A file cannot be read, or the disk is full.
    """
    EpisodeStore(folder, create=True, software=software_record())
    for episode in episodes:
        target = folder / EPISODES_FOLDER / episode.episode_id
        target.mkdir()
        for source in sorted(episode.path.rglob("*")):
            copy = target / source.relative_to(episode.path)
            if source.is_dir():
                copy.mkdir()
            else:
                link_or_copy(source, copy)
        progress(episode)


def link_or_copy(source: Path, target: Path) -> None:
    """Makes a hard link to a file, or a copy where there can be none.

    Raises:
        StoreError: The file has gone.
        OSError: It cannot be read, or the target cannot be written.
    """
    try:
        target.hardlink_to(source)
    except FileNotFoundError as error:
        raise StoreError(f"{source} has gone while it was copied; try again") from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
