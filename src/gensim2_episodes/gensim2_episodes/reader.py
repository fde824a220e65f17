"""Reads one episode: typed access to the arrays, whole or in part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import (
    DEPTH_GROUP,
    GRIPPER_EFFORT,
    IMAGE_GROUP,
    Array,
    Bytes,
    Depths,
    Frame,
    Points,
    frame_of,
)
from gensim2_episodes.manifest import Manifest

_WHOLE = slice(None)


class EpisodeReader:
    """The arrays of an episode. First axis: frame. Units and frames as in `Frame`."""

    def __init__(self, data: Path, manifest: Manifest) -> None:
        """Opens the arrays. Use `EpisodeStore.open_episode`.

        Args:
            data: The zarr folder.
            manifest: The manifest of the episode.

        Raises:
            StoreError: The folder is missing or damaged.
        """
        self.manifest = manifest
        self._data = data
        try:
            self._root = zarr.open_group(data, mode="r", zarr_format=3)
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"{data} cannot be opened: {error}") from error

    def __len__(self) -> int:
        return self.manifest.frames

    def __contains__(self, path: object) -> bool:
        return path in self.manifest.arrays

    def array(self, path: str) -> zarr.Array[Any]:
        """An array as it lies on disk; slices of it are read when they are asked for.

        Args:
            path: For example "cloud/xyz"; `manifest.arrays` lists them.

        Raises:
            StoreError: The episode has no such array, or it is missing on disk.
        """
        try:
            array = self._root[path]
        except (KeyError, OSError, ValueError) as error:
            recorded = "is missing on disk" if path in self else "was not recorded"
            raise StoreError(f"{self._data}: array {path} {recorded}") from error
        if not isinstance(array, zarr.Array):
            raise StoreError(f"{self._data}: {path} is a group, not an array")
        return array

    def read(self, path: str, frames: slice | int = _WHOLE) -> NDArray[Any]:
        """Reads an array, or some frames of it, into memory.

        Raises:
            StoreError: The episode has no such array, or a part of it cannot be read.
        """
        array = self.array(path)
        try:
            return np.asarray(array[frames])
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(f"{self._data}: array {path} cannot be read: {error}") from error

    @property
    def stamp_ns(self) -> NDArray[np.int64]:
        """(T,) ROS time [ns]."""
        return self.read("stamp_ns")

    @property
    def time(self) -> Array:
        """(T,) since the first frame [s]."""
        return self.read("time")

    @property
    def joint_position(self) -> Array:
        """(T, 9) measured: 7 arm [rad], 2 fingers [m]."""
        return self.read("observation/joint_position")

    @property
    def joint_velocity(self) -> Array:
        """(T, 9) measured [rad/s, m/s]."""
        return self.read("observation/joint_velocity")

    @property
    def tcp_pose(self) -> Array:
        """(T, 7) fr3_hand_tcp in base: x y z [m], qx qy qz qw."""
        return self.read("observation/tcp_pose")

    @property
    def gripper(self) -> Array:
        """(T,) measured finger joint position [m]."""
        return self.read("observation/gripper")

    @property
    def action_joint_position(self) -> Array:
        """(T, 7) commanded [rad]."""
        return self.read("action/joint_position")

    @property
    def action_joint_velocity(self) -> Array:
        """(T, 7) commanded [rad/s]."""
        return self.read("action/joint_velocity")

    @property
    def action_tcp_pose(self) -> Array:
        """(T, 7) commanded, as `tcp_pose`."""
        return self.read("action/tcp_pose")

    @property
    def action_gripper(self) -> Array:
        """(T,) commanded finger joint position [m]."""
        return self.read("action/gripper")

    @property
    def action_gripper_effort(self) -> Array | None:
        """(T,) largest force of the gripper command [N]; None where it was not recorded."""
        return self.read(GRIPPER_EFFORT) if GRIPPER_EFFORT in self else None

    @property
    def openness(self) -> Array | None:
        """(T, M) truth of the objects; None where it was not recorded."""
        return self.read("truth/openness") if "truth/openness" in self else None

    @property
    def keypoints(self) -> Points | None:
        """(T, K, 3) truth, in base [m]; None where it was not recorded."""
        return self.read("truth/keypoints") if "truth/keypoints" in self else None

    @property
    def has_cloud(self) -> bool:
        """Whether clouds were recorded."""
        return "cloud/xyz" in self

    def cloud(self, frames: slice | int = _WHOLE) -> tuple[Points, Bytes]:
        """Points ([T,] N, 3) in base [m] and their colours ([T,] N, 3).

        Raises:
            StoreError: No clouds were recorded.
        """
        return self.read("cloud/xyz", frames), self.read("cloud/rgb", frames)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Cameras whose images were recorded."""
        return self._names(IMAGE_GROUP)

    @property
    def depth_cameras(self) -> tuple[str, ...]:
        """Cameras whose depth images were recorded."""
        return self._names(DEPTH_GROUP)

    def _names(self, group: str) -> tuple[str, ...]:
        prefix = f"{group}/"
        return tuple(p.removeprefix(prefix) for p in self.manifest.arrays if p.startswith(prefix))

    def images(self, camera: str, frames: slice | int = _WHOLE) -> Bytes:
        """([T,] H, W, 3) RGB.

        Raises:
            StoreError: No images of this camera were recorded.
        """
        return self.read(f"{IMAGE_GROUP}/{camera}", frames)

    def depths(self, camera: str, frames: slice | int = _WHOLE) -> Depths:
        """([T,] H, W) along the optical axis [mm], 0 = not measured.

        Raises:
            StoreError: No depth images of this camera were recorded.
        """
        return self.read(f"{DEPTH_GROUP}/{camera}", frames)

    def frame(self, index: int) -> Frame:
        """One frame, as it was written."""
        return next(self.frames(slice(index, index + 1)))

    def frames(self, frames: slice = _WHOLE) -> Iterator[Frame]:
        """Some frames, as they were written; all their arrays are read at once."""
        arrays = {path: self.read(path, frames) for path in self.manifest.arrays}
        for index, stamp_ns in enumerate(arrays["stamp_ns"]):
            yield frame_of(int(stamp_ns), {path: array[index] for path, array in arrays.items()})
