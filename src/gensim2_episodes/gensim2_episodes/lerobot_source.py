"""Reads a LeRobotDataset v3: what it says of itself, its rows and its images, in order."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from gensim2_episodes.errors import SchemaError, StoreError
from gensim2_episodes.lerobot_columns import from_column, from_png_column
from gensim2_episodes.lerobot_layout import INFO_FILE, TASKS_FILE
from gensim2_episodes.video_file import VideoReader

_BLOCK = 64  # frames


class FeatureInfo(BaseModel):
    """An entry of `features` in info.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    dtype: str
    shape: tuple[int, ...]
    names: JsonValue = None

    @property
    def coloured(self) -> bool:
        """Whether it is a colour image."""
        return self.dtype in ("video", "image")


class Info(BaseModel):
    """What matters of info.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    codebase_version: str
    fps: float = Field(gt=0)
    data_path: str
    video_path: str | None = None
    features: dict[str, FeatureInfo]


@dataclass(frozen=True)
class Block:
    """Some frames of one episode that follow each other.

    Attributes:
        episode: Index of the episode.
        values: (T, *shape) by feature.
    """

    episode: int
    values: dict[str, NDArray[Any]]


class LeRobotSource:
    """A LeRobotDataset on disk."""

    def __init__(self, folder: Path) -> None:
        """Reads what it says of itself.

        Raises:
            SchemaError: It is none, or one of another version.
            StoreError: It is damaged.
        """
        self.folder = folder
        self.info = self._read_info()
        self.episodes = self._read_episodes()
        self.tasks = self._read_tasks()
        self._videos: dict[str, tuple[Path, VideoReader]] = {}

    def _read_info(self) -> Info:
        path = self.folder / INFO_FILE
        try:
            text = json.loads(path.read_text(encoding="utf-8"))
            version = str(text["codebase_version"])
            if not version.startswith("v3."):
                raise SchemaError(
                    f"{self.folder} is a LeRobotDataset {version}; this program reads v3.0. "
                    "Convert it with LeRobot's convert_dataset_v21_to_v30"
                )
            return Info.model_validate(text)
        except OSError as error:
            raise SchemaError(
                f"{self.folder} is no LeRobotDataset: {INFO_FILE} cannot be read "
                f"({error.strerror}). Name the folder that holds meta/ and data/"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            where = error.errors()[0]["loc"] if isinstance(error, ValidationError) else error
            raise SchemaError(f"{path} is damaged: {where}. Get the data set again") from error

    def _read_episodes(self) -> list[dict[str, Any]]:
        files = sorted((self.folder / "meta" / "episodes").glob("*/*.parquet"))
        if not files:
            raise SchemaError(f"{self.folder} has no meta/episodes/*/*.parquet; get it again")
        rows: list[dict[str, Any]] = []
        for file in files:
            with _damage(file):
                names = [n for n in pq.read_schema(file).names if not n.startswith("stats/")]
                rows += pq.read_table(file, columns=names).to_pylist()
        return sorted(rows, key=lambda row: int(row["episode_index"]))

    def _read_tasks(self) -> dict[int, str]:
        file = self.folder / TASKS_FILE
        with _damage(file):
            table = pq.read_table(file)
            (name,) = (n for n in table.column_names if n != "task_index")
            numbers = table["task_index"].to_pylist()
            return dict(zip(numbers, map(str, table[name].to_pylist()), strict=True))

    def blocks(self, keys: Sequence[str]) -> Iterator[Block]:
        """Reads features of all frames in order, some frames at a time.

        Raises:
            StoreError: A file is missing or damaged.
        """
        rows = [k for k in keys if self.info.features[k].dtype != "video"]
        for file in self._data_files():
            with _damage(file):
                batches = pq.ParquetFile(file).iter_batches(
                    _BLOCK, columns=[*dict.fromkeys([*rows, "episode_index", "frame_index"])]
                )
                for batch in batches:
                    yield from self._split(batch, keys)
        self._videos.clear()

    def _data_files(self) -> list[Path]:
        numbers = {(e["data/chunk_index"], e["data/file_index"]) for e in self.episodes}
        return [
            self.folder / self.info.data_path.format(chunk_index=chunk, file_index=file)
            for chunk, file in sorted(numbers)
        ]

    def _split(self, batch: pa.RecordBatch, keys: Sequence[str]) -> Iterator[Block]:
        episode = np.asarray(batch["episode_index"])
        number = np.asarray(batch["frame_index"])
        edges = np.flatnonzero(np.diff(episode)) + 1
        for start, stop in zip([0, *edges], [*edges, len(episode)], strict=True):
            part = batch.slice(int(start), int(stop - start))
            index = int(episode[start])
            if not 0 <= index < len(self.episodes):
                raise StoreError(
                    f"{self.folder} has rows of episode {index}, which meta/episodes does not "
                    "name; get the data set again"
                )
            values = {
                key: self._images(index, key, int(number[start]), int(stop - start))
                if self.info.features[key].dtype == "video"
                else self._column(part, key)
                for key in keys
            }
            yield Block(index, values)

    def _column(self, part: pa.RecordBatch, key: str) -> NDArray[Any]:
        feature = self.info.features[key]
        if feature.dtype == "image":
            return from_png_column(part[key])
        return from_column(part[key], feature.shape)

    def _images(self, episode: int, key: str, first: int, count: int) -> NDArray[np.uint8]:
        row = self.episodes[episode]
        path = self.folder / str(self.info.video_path).format(
            video_key=key,
            chunk_index=row[f"videos/{key}/chunk_index"],
            file_index=row[f"videos/{key}/file_index"],
        )
        opened, reader = self._videos.get(key, (None, None))
        if reader is None or opened != path:
            reader = VideoReader(path)
            self._videos[key] = (path, reader)
        start = round(float(row[f"videos/{key}/from_timestamp"]) * self.info.fps)
        return reader.read(start + first, count)


@contextlib.contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Says which file cannot be read, and why."""
    try:
        yield
    except (pa.ArrowException, KeyError, ValueError, FileNotFoundError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StoreError(
            f"{file} is missing or damaged: {reason}. Get the data set again"
        ) from error
