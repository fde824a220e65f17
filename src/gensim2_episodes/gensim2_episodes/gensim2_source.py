"""Reads a data set of the public GenSim2: one zarr v2 folder with all episodes in a row.

data/obs/state (T, 15)                  hand in the world: x y z [m], qw qx qy qz; 7 joints
                                        [rad]; one finger [m]
data/obs/pointcloud/pos, colors         (T, N, 3) in base [m]; bytes
data/obs/image/<camera>                 (T, H, W, 4) RGBA
data/action (T, 7)                      wanted hand in base: x y z [m], roll pitch yaw about
                                        fixed axes [rad]; gripper, 1 = open
meta/episode_ends (E,)                  where each episode ends
meta/episode_descriptions, env_names    (E,) texts
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from gensim2_episodes.errors import SchemaError, StoreError

STATE, ACTION = "data/obs/state", "data/action"
POINTS, COLOURS = "data/obs/pointcloud/pos", "data/obs/pointcloud/colors"
IMAGES = "data/obs/image"
ENDS, DESCRIPTIONS, NAMES = (
    "meta/episode_ends",
    "meta/episode_descriptions",
    "meta/env_names",
)
_BLOSC_HEAD = 16  # bytes
_WIDTHS = {STATE: (15,), ACTION: (7,)}


class GenSim2Source:
    """A data set of GenSim2 on disk."""

    def __init__(self, folder: Path) -> None:
        """Opens it and looks whether its parts fit together.

        Raises:
            SchemaError: It is none.
            StoreError: It is damaged.
        """
        self.folder = folder
        try:
            self._root = zarr.open_group(folder, mode="r", zarr_format=2)
        except (OSError, ValueError, KeyError) as error:
            raise SchemaError(
                f"{folder} is no data set of GenSim2: it cannot be opened as zarr v2. Name the "
                "folder that holds data/ and meta/"
            ) from error
        ends = self._whole(ENDS)
        if ends.ndim != 1 or not len(ends) or (np.diff(ends, prepend=0) <= 0).any():
            raise StoreError(f"{folder}/{ENDS} does not increase; get the data set again")
        self._ends = ends.astype(np.int64)
        self.descriptions = [str(text) for text in self._whole(DESCRIPTIONS)]
        names = self._whole(NAMES) if NAMES in self._root else self._whole(DESCRIPTIONS)
        self.names = [str(text) for text in names]
        self.cameras = self._cameras()
        self.has_cloud = POINTS in self._root
        self._check()

    def __len__(self) -> int:
        return len(self._ends)

    def frames(self, episode: int) -> slice:
        """Where an episode lies in the arrays."""
        return slice(int(self._ends[episode - 1]) if episode else 0, int(self._ends[episode]))

    def read(self, path: str, part: slice) -> NDArray[Any]:
        """Some frames of an array.

        Raises:
            StoreError: They cannot be read, or are not finite.
        """
        try:
            values = np.asarray(self._array(path)[part])
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(
                f"{self.folder}/{path} cannot be read: {error}; get the data set again"
            ) from error
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise StoreError(
                f"{self.folder}/{path} is not finite in frames {part.start} to {part.stop - 1}; "
                "leave that episode out"
            )
        return values

    def _cameras(self) -> list[str]:
        if IMAGES not in self._root:
            return []
        group = self._root[IMAGES]
        return sorted(group.array_keys()) if isinstance(group, zarr.Group) else []

    def _array(self, path: str) -> zarr.Array[Any]:
        array = self._root.get(path)
        if not isinstance(array, zarr.Array):
            raise SchemaError(
                f"{self.folder} is no data set of GenSim2: it has no {path}. Name the folder that "
                "holds data/ and meta/"
            )
        return array

    def _whole(self, path: str) -> NDArray[Any]:
        return self.read(path, slice(None))

    def _check(self) -> None:
        total = int(self._ends[-1])
        paths = [STATE, ACTION, *(f"{IMAGES}/{camera}" for camera in self.cameras)]
        paths += [POINTS, COLOURS] if self.has_cloud else []
        for path in paths:
            array = self._array(path)
            width = _WIDTHS.get(path)
            if array.shape[0] != total or (width and array.shape[1:] != width):
                wanted = f"({total}, {', '.join(map(str, width or ('...',)))})"
                raise StoreError(
                    f"{self.folder}/{path} has the shape {array.shape}, not {wanted}; get the "
                    "data set again"
                )
            if lost := array.nchunks - array.nchunks_initialized:
                raise StoreError(
                    f"{self.folder}/{path}: {lost} of {array.nchunks} chunks are missing; get the "
                    "data set again"
                )
            self._check_chunks(path)
        if not len(self.descriptions) == len(self.names) == len(self):
            raise StoreError(
                f"{self.folder}: {len(self)} episodes, {len(self.descriptions)} descriptions and "
                f"{len(self.names)} names; get the data set again"
            )

    def _check_chunks(self, path: str) -> None:
        """Looks whether chunks are whole: Blosc itself does not, and would read what comes after.

        Raises:
            StoreError: One is not.
        """
        folder = self.folder / path
        about = json.loads((folder / ".zarray").read_text(encoding="utf-8"))
        if (about["compressor"] or {}).get("id") != "blosc":
            return
        for chunk in (c for c in folder.rglob("*") if c.is_file() and c.name[0] != "."):
            with chunk.open("rb") as file:
                head = file.read(_BLOSC_HEAD)
            # The last four bytes of the head are the size of the chunk.
            if len(head) < _BLOSC_HEAD or head[-4:] != chunk.stat().st_size.to_bytes(4, "little"):
                raise StoreError(f"{chunk} is not whole; get the data set again")
