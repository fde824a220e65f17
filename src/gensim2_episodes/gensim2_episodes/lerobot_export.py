"""Writes episodes as a LeRobotDataset v3; see `lerobot_layout`. LeRobot itself is not needed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray

from gensim2_episodes.errors import StoreError
from gensim2_episodes.lerobot_columns import (
    Stats,
    joined,
    sampled,
    statistics,
    to_column,
    to_png_column,
)
from gensim2_episodes.lerobot_layout import (
    ACTION,
    CHUNK_FILES,
    DATA_FILE_MB,
    DATA_PATH,
    EPISODES_PATH,
    INFO_FILE,
    MANIFESTS_FILE,
    STATE,
    STATS_FILE,
    TASKS_FILE,
    VERSION,
    VIDEO_FILE_MB,
    VIDEO_PATH,
    Feature,
    Layout,
    layout_of,
    next_file,
)
from gensim2_episodes.manifest import JsonObject, Manifest
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeInfo, EpisodeStore
from gensim2_episodes.video_file import VideoWriter

Values = dict[str, NDArray[Any]]

_BLOCK = 64  # frames in memory at a time
_MB = 1 << 20
_ROBOT = "fr3"


def export_lerobot(
    store: EpisodeStore,
    episodes: Sequence[EpisodeInfo],
    folder: Path,
    kinematics: Fr3Kinematics,
    colour: str = "video",
    progress: Callable[[EpisodeInfo], None] = lambda episode: None,
) -> None:
    """Writes a data set of LeRobot.

    Args:
        store: The data set.
        episodes: Those of it to write, in this order.
        folder: An empty folder.
        kinematics: Of the robot; places the cameras that it carries.
        colour: "video" (smaller, loses detail) or "image" (PNG in the rows, lossless).
        progress: Called after each episode.

    Raises:
        StoreError: The episodes do not fit in one data set of LeRobot, or one is damaged.
        OSError: The disk is full.
    """
    layout = layout_of([e.manifest for e in episodes], colour)
    tasks = list(dict.fromkeys(_task_text(e.manifest) for e in episodes))
    rows = _RowFiles(folder)
    videos = {feature.key: _VideoFiles(folder, feature, layout.fps) for feature in layout.videos}
    table: list[dict[str, Any]] = []
    stats: dict[str, list[Stats]] = defaultdict(list)
    for index, episode in enumerate(episodes):
        reader = store.open_episode(episode.episode_id)
        start = rows.frames
        row: dict[str, Any] = {
            "episode_index": index,
            "tasks": [_task_text(episode.manifest)],
            "length": len(reader),
            **rows.begin(),
            "dataset_from_index": start,
            "dataset_to_index": start + len(reader),
        }
        for files in videos.values():
            row |= files.begin(len(reader))
        kept: dict[str, list[NDArray[Any]]] = defaultdict(list)
        task = tasks.index(_task_text(episode.manifest))
        for first, values in _blocks(reader, layout, kinematics):
            values |= _counters(first, start, index, task, layout.fps, len(values[STATE]))
            for key, files in videos.items():
                files.write(values[key])
            rows.write({k: v for k, v in values.items() if k not in videos}, layout)
            _keep(kept, values, layout, len(reader), first)
        found = {f.key: statistics(f, np.concatenate(kept[f.key])) for f in _counted(layout)}
        for key, each in found.items():
            stats[key].append(each)
            row |= {f"stats/{key}/{name}": value.tolist() for name, value in each.items()}
        row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        row |= _own_columns(episode.manifest)
        table.append(row)
        progress(episode)
    rows.close()
    for files in videos.values():
        files.close()
    _write_meta(folder, layout, tasks, table, {key: joined(parts) for key, parts in stats.items()})
    _write_manifests(folder, [e.manifest for e in episodes])


def _task_text(manifest: Manifest) -> str:
    return manifest.instruction or manifest.task


def _own_columns(manifest: Manifest) -> dict[str, Any]:
    """What users of LeRobot may want to choose episodes by."""
    return {
        "gensim2/episode_id": manifest.episode_id,
        "gensim2/task": manifest.task,
        "gensim2/outcome": str(manifest.outcome),
        "gensim2/objects": [thing.asset for thing in manifest.scene.objects],
    }


def _blocks(
    reader: EpisodeReader, layout: Layout, kinematics: Fr3Kinematics
) -> Iterator[tuple[int, Values]]:
    """The values of all features but the counters, some frames at a time."""
    for first in range(0, len(reader), _BLOCK):
        part = slice(first, min(first + _BLOCK, len(reader)))
        q = reader.read("observation/joint_position", part)
        finger = reader.read("observation/gripper", part)
        q_ref = reader.read("action/joint_position", part)
        finger_ref = reader.read("action/gripper", part)
        values: Values = {
            STATE: np.column_stack([q[:, :7], finger]).astype(np.float32),
            ACTION: np.column_stack([q_ref, finger_ref]).astype(np.float32),
        }
        for feature in layout.features:
            if feature.path:
                values[feature.key] = _padded(reader, feature, part)
        values |= _camera_values(reader.manifest, layout, kinematics, q[:, :7])
        yield first, values


def _padded(reader: EpisodeReader, feature: Feature, part: slice) -> NDArray[Any]:
    """Values of an array of the store, zeros where this episode has fewer than others."""
    frames = part.stop - part.start
    dtype = "uint8" if feature.coloured else feature.dtype
    padded = np.zeros((frames, *feature.shape), dtype=dtype)
    if feature.path in reader:
        values = reader.read(feature.path, part)
        values = values.reshape(frames, *(values.shape[1:] or (1,)))
        padded[tuple(slice(0, size) for size in values.shape)] = values
    return padded


def _camera_values(
    manifest: Manifest, layout: Layout, kinematics: Fr3Kinematics, q: NDArray[np.float64]
) -> Values:
    """Intrinsics, and the pose of each optical frame in `base`."""
    values: Values = {}
    for feature in layout.features:
        if not feature.key.startswith("camera."):
            continue
        _, name, what = feature.key.split(".")
        camera = manifest.cameras[name]
        if what == "intrinsics":
            K = np.reshape(camera.intrinsics, (3, 3))
            values[feature.key] = np.broadcast_to(K, (len(q), 3, 3)).astype(np.float32)
            continue
        assert camera.T_parent_cam is not None
        try:
            T_base_parent = kinematics.fk(q, camera.parent)
        except KeyError as error:
            raise StoreError(
                f"{manifest.episode_id}: the robot has no link {camera.parent!r}, on which {name} "
                "is mounted"
            ) from error
        T_base_cam = T_base_parent @ np.reshape(camera.T_parent_cam, (4, 4))
        values[feature.key] = T_base_cam.astype(np.float32)
    return values


def _counters(first: int, start: int, episode: int, task: int, fps: int, frames: int) -> Values:
    number = np.arange(first, first + frames, dtype=np.int64)
    return {
        "timestamp": (number / fps).astype(np.float32)[:, None],
        "frame_index": number[:, None],
        "episode_index": np.full((frames, 1), episode, dtype=np.int64),
        "index": (start + number)[:, None],
        "task_index": np.full((frames, 1), task, dtype=np.int64),
    }


_COUNTER_FEATURES = tuple(
    Feature(key, "float32" if key == "timestamp" else "int64", (1,))
    for key in _counters(0, 0, 0, 0, 1, 0)
)


def _counted(layout: Layout) -> tuple[Feature, ...]:
    return (*layout.features, *_COUNTER_FEATURES)


def _keep(
    kept: dict[str, list[NDArray[Any]]], values: Values, layout: Layout, frames: int, first: int
) -> None:
    """Collects what is counted in the statistics: of what is large, only some frames."""
    for feature in _counted(layout):
        block = values[feature.key]
        if len(feature.shape) > 1:
            chosen = sampled(frames) - first
            block = block[chosen[(chosen >= 0) & (chosen < len(block))]]
        kept[feature.key].append(block)


class _RowFiles:
    """Parquet files of rows, of about equal size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = (0, 0)
        self._bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self.frames = 0

    def begin(self) -> dict[str, Any]:
        """Begins an episode; tells in which file it is."""
        if self._bytes > DATA_FILE_MB * _MB:
            self.close()
            self._number, self._bytes = next_file(*self._number), 0
        return {"data/chunk_index": self._number[0], "data/file_index": self._number[1]}

    def write(self, values: Values, layout: Layout) -> None:
        pictures = {f.key for f in layout.columns if f.coloured}
        table = pa.table(
            {
                key: to_png_column(value) if key in pictures else to_column(value)
                for key, value in values.items()
            }
        )
        if self._writer is None:
            chunk, file = self._number
            path = self._folder / DATA_PATH.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._bytes += table.nbytes
        self.frames += len(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


class _VideoFiles:
    """Video files of one camera, of about equal size; episodes follow each other."""

    def __init__(self, folder: Path, feature: Feature, fps: int) -> None:
        self._folder = folder
        self._feature = feature
        self._fps = fps
        self._number = (0, 0)
        self._writer: VideoWriter | None = None

    def begin(self, frames: int) -> dict[str, Any]:
        """Begins an episode; tells in which file it is, and where in it."""
        if self._writer is not None and self._writer.size_bytes > VIDEO_FILE_MB * _MB:
            self.close()
            self._number = next_file(*self._number)
        chunk, file = self._number
        key = self._feature.key
        if self._writer is None:
            name = VIDEO_PATH.format(video_key=key, chunk_index=chunk, file_index=file)
            self._writer = VideoWriter(self._folder / name, self._fps, self._feature.shape)
        start = self._writer.frames
        return {
            f"videos/{key}/chunk_index": chunk,
            f"videos/{key}/file_index": file,
            f"videos/{key}/from_timestamp": start / self._fps,
            f"videos/{key}/to_timestamp": (start + frames) / self._fps,
        }

    def write(self, images: NDArray[np.uint8]) -> None:
        assert self._writer is not None
        self._writer.write(images)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _write_meta(
    folder: Path,
    layout: Layout,
    tasks: Sequence[str],
    table: Sequence[dict[str, Any]],
    stats: dict[str, Stats],
) -> None:
    frames = int(table[-1]["dataset_to_index"])
    features: JsonObject = {f.key: f.info(layout.fps) for f in _counted(layout)}
    info: JsonObject = {
        "codebase_version": VERSION,
        "robot_type": _ROBOT,
        "total_episodes": len(table),
        "total_frames": frames,
        "total_tasks": len(tasks),
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": DATA_FILE_MB,
        "video_files_size_in_mb": VIDEO_FILE_MB,
        "fps": layout.fps,
        "splits": {"train": f"0:{len(table)}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH if layout.videos else None,
        "features": features,
    }
    rows = folder / EPISODES_PATH.format(chunk_index=0, file_index=0)
    rows.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(table)), rows, compression="zstd")
    listed = {
        key: {name: value.tolist() for name, value in each.items()} for key, each in stats.items()
    }
    (folder / INFO_FILE).write_text(json.dumps(info, indent=4) + "\n", encoding="utf-8")
    (folder / STATS_FILE).write_text(json.dumps(listed, indent=4) + "\n", encoding="utf-8")
    pq.write_table(_task_table(tasks), folder / TASKS_FILE)


def _task_table(tasks: Sequence[str]) -> pa.Table:
    """Instructions as pandas would write them as the index of a table, which LeRobot reads."""
    index = "__index_level_0__"
    pandas = {
        "index_columns": [index],
        "column_indexes": [],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {
                "name": None,
                "field_name": index,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            },
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), index: list(tasks)})
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _write_manifests(folder: Path, manifests: Sequence[Manifest]) -> None:
    path = folder / MANIFESTS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for manifest in manifests:
            file.write(manifest.model_dump_json() + "\n")
