"""The data set on disk: a folder of episodes, each of which is there completely or not at all.

    <data set>/dataset.json                     schema name and version
    <data set>/episodes/<id>/manifest.json      see manifest.py
    <data set>/episodes/<id>/data.zarr/         arrays, see frame.py
    <data set>/episodes/.partial-<id>/          being written, or left by a crash

Any number of processes may write and read at the same time: names are unique, an episode
appears by one rename after its files have reached the disk, and nobody changes it afterwards.
Nothing here knows about ROS.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pydantic import ValidationError

from gensim2_episodes.errors import SchemaError, StoreError, write_error
from gensim2_episodes.files import create_exclusively, is_locked
from gensim2_episodes.manifest import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    DatasetRecord,
    Manifest,
    SoftwareRecord,
)
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.writer import (
    DATA_FOLDER,
    MANIFEST_FILE,
    PARTIAL_PREFIX,
    EpisodeWriter,
)

DATASET_FILE = "dataset.json"
EPISODES_FOLDER = "episodes"


@dataclass(frozen=True)
class EpisodeInfo:
    """An episode in the data set.

    Attributes:
        path: Its folder.
        manifest: Its manifest.
    """

    path: Path
    manifest: Manifest

    @property
    def episode_id(self) -> str:
        """Name of the episode."""
        return self.manifest.episode_id

    @property
    def size_bytes(self) -> int:
        """Size of its files on disk."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


@dataclass(frozen=True)
class PartialEpisode:
    """An episode that is not complete.

    Attributes:
        path: Its hidden folder.
        in_progress: Its writer lives; False = it was left by a crash and may be deleted.
    """

    path: Path
    in_progress: bool


@dataclass(frozen=True)
class BrokenEpisode:
    """A folder that should be an episode, but whose manifest cannot be read.

    Attributes:
        path: The folder.
        problem: Why.
    """

    path: Path
    problem: str


@dataclass(frozen=True)
class Scan:
    """What lies in a data set.

    Attributes:
        episodes: Complete ones, sorted by task, seed, attempt and name: the order does not depend
            on which of several writers was faster.
        partial: Incomplete ones; readers skip them.
        broken: Damaged ones; readers skip them.
    """

    episodes: tuple[EpisodeInfo, ...]
    partial: tuple[PartialEpisode, ...]
    broken: tuple[BrokenEpisode, ...]

    @property
    def abandoned(self) -> tuple[PartialEpisode, ...]:
        """The incomplete episodes whose writer is gone."""
        return tuple(episode for episode in self.partial if not episode.in_progress)


class EpisodeStore:
    """A data set."""

    def __init__(
        self,
        folder: Path | str,
        *,
        create: bool = False,
        software: SoftwareRecord | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        token: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        """Opens a data set.

        Args:
            folder: Its folder.
            create: Make it if the folder is missing or empty; otherwise it must exist.
            software: Noted in a new data set.
            clock_ns: Wall clock, UTC [ns]; orders the names of new episodes.
            token: Random text; makes the names of new episodes unique among processes.

        Raises:
            SchemaError: Not a data set, or one of another schema.
            DatasetWriteError: It cannot be created.
        """
        self.folder = Path(folder).expanduser()
        self._clock_ns = clock_ns
        self._token = token
        if create:
            self._create(software or SoftwareRecord())
        self.record = self._read_record()
        self._episodes = self.folder / EPISODES_FOLDER

    def _create(self, software: SoftwareRecord) -> None:
        """Makes the data set unless it is there."""
        made: list[Path] = []
        created = datetime.fromtimestamp(self._clock_ns() / 1e9, tz=timezone.utc)
        record = DatasetRecord(
            schema_name=SCHEMA_NAME,
            schema_version=SCHEMA_VERSION,
            created=created.isoformat(timespec="milliseconds"),
            software=software,
        )
        try:
            if (self.folder / DATASET_FILE).exists():
                return
            missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
            for path in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    path.mkdir()
                    made.append(path)
            strangers = [p for p in self.folder.iterdir() if not p.name.startswith(".")]
            if strangers and not (self.folder / DATASET_FILE).exists():
                raise SchemaError(
                    f"{self.folder} is not a data set and not empty (it holds "
                    f"{strangers[0].name!r}). Name a new or empty folder"
                )
            text = record.model_dump_json(indent=1) + "\n"
            create_exclusively(self.folder / DATASET_FILE, text, self._token())
            (self.folder / EPISODES_FOLDER).mkdir(exist_ok=True)
        except OSError as error:
            for path in reversed(made):
                with contextlib.suppress(OSError):
                    path.rmdir()
            raise write_error(self.folder, error) from error

    def _read_record(self) -> DatasetRecord:
        path = self.folder / DATASET_FILE
        try:
            record = DatasetRecord.model_validate_json(path.read_bytes())
        except OSError as error:
            raise SchemaError(
                f"{self.folder} is not a data set: {DATASET_FILE} cannot be read "
                f"({error.strerror}). Name the folder that was given as data set when collecting"
            ) from error
        except ValidationError as error:
            raise SchemaError(f"{path} is damaged: {_first_problem(error)}") from error
        if (record.schema_name, record.schema_version) != (SCHEMA_NAME, SCHEMA_VERSION):
            raise SchemaError(
                f"{self.folder} follows the schema {record.schema_name} version "
                f"{record.schema_version}; this program reads and writes {SCHEMA_NAME} version "
                f"{SCHEMA_VERSION}. Use another folder, or the version that wrote it"
            )
        return record

    def writer(self, task: str) -> EpisodeWriter:
        """Begins an episode.

        Args:
            task: Task name; begins the name of the episode.

        Raises:
            DatasetWriteError: The folder cannot be written.
        """
        now = self._clock_ns()
        moment = datetime.fromtimestamp(now // 10**9, tz=timezone.utc).strftime("%Y%m%dT%H%M%S")
        prefix = re.sub(r"[^A-Za-z0-9_]+", "_", task) or "episode"
        name = f"{prefix}-{moment}-{now // 1000 % 10**6:06d}-{self._token()}"
        try:
            self._episodes.mkdir(exist_ok=True)
        except OSError as error:
            raise write_error(self.folder, error) from error
        return EpisodeWriter(self._episodes, name, now)

    def restore(self, manifest: Manifest) -> EpisodeWriter:
        """Begins an episode under the name that it has elsewhere.

        Args:
            manifest: Of that episode; its axes are named alike.

        Raises:
            StoreError: The name is no name of an episode.
            DatasetWriteError: The folder cannot be written.
        """
        name = manifest.episode_id
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise StoreError(f"{name!r} is no name of an episode; it should be letters and digits")
        try:
            self._episodes.mkdir(exist_ok=True)
            created = datetime.fromisoformat(manifest.created)
        except OSError as error:
            raise write_error(self.folder, error) from error
        except ValueError as error:
            raise StoreError(f"episode {name}: {manifest.created!r} is no date") from error
        writer = EpisodeWriter(self._episodes, name, round(created.timestamp() * 1e3) * 10**6)
        for axis, path in (("objects", "truth/openness"), ("keypoints", "truth/keypoints")):
            if path in manifest.arrays:
                writer.label(axis, manifest.arrays[path].labels)
        return writer

    def scan(self) -> Scan:
        """Looks at everything in the data set; reads manifests, no arrays."""
        episodes: list[EpisodeInfo] = []
        partial: list[PartialEpisode] = []
        broken: list[BrokenEpisode] = []
        folders = sorted(self._episodes.iterdir()) if self._episodes.is_dir() else []
        for path in (folder for folder in folders if folder.is_dir()):
            if path.name.startswith(PARTIAL_PREFIX):
                # It may have been finished or discarded since the listing.
                with contextlib.suppress(FileNotFoundError):
                    partial.append(PartialEpisode(path, is_locked(path)))
            elif not path.name.startswith("."):
                try:
                    episodes.append(EpisodeInfo(path, _read_manifest(path)))
                except StoreError as error:
                    broken.append(BrokenEpisode(path, str(error)))
        episodes.sort(key=_order)
        return Scan(tuple(episodes), tuple(partial), tuple(broken))

    def episodes(self) -> list[EpisodeInfo]:
        """The complete episodes, sorted by task, seed, attempt and name."""
        return list(self.scan().episodes)

    def open_episode(self, episode_id: str) -> EpisodeReader:
        """Opens an episode for reading.

        Raises:
            StoreError: There is no such episode, or it is damaged.
        """
        path = self._episodes / episode_id
        if episode_id.startswith(".") or not path.is_dir():
            raise StoreError(f"{self.folder} has no episode {episode_id!r}")
        return EpisodeReader(path / DATA_FOLDER, _read_manifest(path))


def _order(info: EpisodeInfo) -> tuple[str, int, int, str]:
    manifest = info.manifest
    return manifest.task, manifest.seed, manifest.attempt, manifest.episode_id


def _read_manifest(path: Path) -> Manifest:
    file = path / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise StoreError(f"{file} is not valid: {_first_problem(error)}") from error
    if manifest.episode_id != path.name:
        raise StoreError(f"{file} belongs to the episode {manifest.episode_id!r}")
    return manifest


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
