"""Writes one episode: frames into a hidden folder, which becomes visible in one step."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from gensim2_episodes.errors import StoreError, write_error
from gensim2_episodes.files import FolderLock, sync_folder, sync_tree
from gensim2_episodes.frame import ArraySpec, Frame, FrameError, frame_arrays
from gensim2_episodes.manifest import ArrayRecord, EpisodeRecord, Manifest

if TYPE_CHECKING:
    from typing_extensions import Self

DATA_FOLDER = "data.zarr"
MANIFEST_FILE = "manifest.json"
PARTIAL_PREFIX = ".partial-"
STAMP = "stamp_ns"
TIME = "time"

_CHUNK_BYTES = 2 << 20
_MAX_CHUNK_FRAMES = 256
_STAMP_SPEC = ArraySpec(STAMP, "stamp_ns", "int64", (), "ns", "ROS time of the frame")
_TIME_SPEC = ArraySpec(TIME, "stamp_ns", "float64", (), "s", "since the first frame")


class EpisodeWriter:
    """Collects the frames of one episode; nobody sees it before `commit`.

    Frames go to the disk in chunks along time, so memory stays bounded however long the episode
    is. Leaving the `with` block without `commit` discards everything. Not thread safe.
    """

    def __init__(self, folder: Path, episode_id: str, created_ns: int) -> None:
        """Opens the hidden folder. Use `EpisodeStore.writer`.

        Args:
            folder: The folder the episode will appear in.
            episode_id: Its name there.
            created_ns: Wall clock, UTC [ns].

        Raises:
            DatasetWriteError: The folder cannot be written.
        """
        self.episode_id = episode_id
        self._final = folder / episode_id
        self._hidden = folder / f"{PARTIAL_PREFIX}{episode_id}"
        self._created_ns = created_ns
        self._columns: dict[str, _Column] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._first_ns = 0
        self._last_ns = 0
        self._frames = 0
        try:
            self._lock: FolderLock | None = FolderLock.on_new(self._hidden)
        except OSError as error:
            raise write_error(folder, error) from error
        try:
            self._root = zarr.open_group(self._hidden / DATA_FOLDER, mode="w-", zarr_format=3)
        except OSError as error:
            self._drop(self._hidden)
            raise write_error(folder, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def __len__(self) -> int:
        return self._frames

    @property
    def open(self) -> bool:
        """False after `commit` and `discard`."""
        return self._lock is not None

    def label(self, axis: str, names: tuple[str, ...]) -> None:
        """Names the entries of an axis.

        Args:
            axis: "objects" or "keypoints".
            names: One per entry, in order.
        """
        self._labels[axis] = names

    def append(self, frame: Frame) -> None:
        """Adds a frame.

        Raises:
            FrameError: It does not fit (shape, not finite, not later than the one before, other
                arrays than the first frame). The episode is unchanged and can go on.
            DatasetWriteError: The disk is full. The episode is discarded.
        """
        if not self.open:
            raise StoreError(f"episode {self.episode_id} has ended: open another writer")
        if self._frames and frame.stamp_ns <= self._last_ns:
            raise FrameError(
                f"frame at {frame.stamp_ns} ns is not later than the one before ({self._last_ns})"
            )
        arrays = frame_arrays(frame)
        first_ns = self._first_ns if self._frames else frame.stamp_ns
        arrays[STAMP] = (_STAMP_SPEC, np.asarray(frame.stamp_ns, dtype=np.int64))
        arrays[TIME] = (_TIME_SPEC, np.asarray((frame.stamp_ns - first_ns) * 1e-9))
        self._check_layout(arrays)
        try:
            for path, (spec, value) in arrays.items():
                if path not in self._columns:
                    self._columns[path] = _Column(self._root, spec, value)
                self._columns[path].append(value)
        except OSError as error:
            self.discard()
            raise write_error(self._final.parent, error) from error
        self._first_ns, self._last_ns = first_ns, frame.stamp_ns
        self._frames += 1

    def _check_layout(self, arrays: dict[str, tuple[ArraySpec, NDArray[np.generic]]]) -> None:
        if not self._frames:
            return
        if arrays.keys() != self._columns.keys():
            changed = sorted(arrays.keys() ^ self._columns.keys())
            raise FrameError(f"not in every frame of the episode: {', '.join(changed)}")
        for path, (_, value) in arrays.items():
            if value.shape != self._columns[path].shape:
                raise FrameError(
                    f"{path} has shape {value.shape}, in the frames before it had "
                    f"{self._columns[path].shape}"
                )

    def commit(self, record: EpisodeRecord) -> Manifest:
        """Makes the episode visible, completely and durably.

        Args:
            record: What is known about the episode.

        Raises:
            StoreError: It has no frames or has ended; nothing is stored.
            DatasetWriteError: The disk is full; nothing is stored.
        """
        if not self.open:
            raise StoreError(f"episode {self.episode_id} has ended: open another writer")
        if not self._frames:
            self.discard()
            raise StoreError(f"episode {self.episode_id} has no frames and is not stored")
        created = datetime.fromtimestamp(self._created_ns / 1e9, tz=timezone.utc)
        manifest = Manifest(
            **dict(record),
            episode_id=self.episode_id,
            created=created.isoformat(timespec="milliseconds"),
            frames=self._frames,
            arrays={path: self._array_record(column) for path, column in self._columns.items()},
        )
        try:
            for column in self._columns.values():
                column.flush()
            text = manifest.model_dump_json(indent=1)
            (self._hidden / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
            sync_tree(self._hidden)
            self._hidden.rename(self._final)
        except OSError as error:
            self.discard()
            raise write_error(self._final.parent, error) from error
        try:
            sync_folder(self._final.parent)
        except OSError as error:
            self._drop(self._final)
            raise write_error(self._final.parent, error) from error
        self._release()
        return manifest

    def discard(self) -> None:
        """Drops the episode and its files; does nothing after `commit` or `discard`."""
        if self.open:
            self._drop(self._hidden)

    def _drop(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._lock = None
        self._columns = {}

    def _array_record(self, column: _Column) -> ArrayRecord:
        spec = column.spec
        return ArrayRecord(
            dtype=spec.dtype,
            shape=column.shape,
            unit=spec.unit,
            description=spec.description,
            labels=self._labels.get(spec.labels, ()),
        )


class _Column:
    """One array that grows along time, a chunk at a time."""

    def __init__(self, root: zarr.Group, spec: ArraySpec, value: NDArray[np.generic]) -> None:
        self.spec = spec
        self.shape = value.shape
        frames = int(np.clip(_CHUNK_BYTES // max(value.nbytes, 1), 1, _MAX_CHUNK_FRAMES))
        self._buffer = np.empty((frames, *value.shape), dtype=spec.dtype)
        self._filled = 0
        self._array = root.create_array(
            spec.path,
            shape=(0, *value.shape),
            chunks=self._buffer.shape,
            dtype=spec.dtype,
            compressors=[
                BloscCodec(
                    cname="zstd", clevel=3, shuffle="bitshuffle", typesize=self._buffer.itemsize
                ),
                Crc32cCodec(),
            ],
            # Otherwise a chunk of zeros and a lost chunk look the same.
            config={"write_empty_chunks": True},
            dimension_names=["frame", *(None for _ in value.shape)],
        )

    def append(self, value: NDArray[np.generic]) -> None:
        self._buffer[self._filled] = value
        self._filled += 1
        if self._filled == len(self._buffer):
            self.flush()

    def flush(self) -> None:
        if self._filled:
            # Writing before growing is not possible; a crash in between leaves a hidden folder,
            # which nobody reads.
            length = self._array.shape[0]
            self._array.resize((length + self._filled, *self.shape))
            self._array[length:] = self._buffer[: self._filled]
            self._filled = 0
