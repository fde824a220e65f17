"""Demonstrations for training: episodes of any number of data sets, read fast, split fairly.

States and actions are held in memory. Clouds and pictures are kept beside each other in plain
arrays in a cache, which are mapped into memory: a data set may be larger than that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fpsample
import numpy as np
from gensim2_episodes.errors import StoreError
from gensim2_episodes.manifest import Manifest
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeStore
from numpy.typing import NDArray

from .cache import cache_folder
from .settings import ObservationSettings
from .takeover import taken_over_ns

Array = NDArray[np.float64]
PERIOD_TOLERANCE = 0.02  # share of the period that stamps may be off
TREE_DEPTH = 5  # of the search for farthest points; a cloud needs 2 to that many points
SIM, REAL = "sim", "real"
STILL = 2e-3  # m or rad: less is rest


class DataError(ValueError):
    """A data set cannot be trained on; says why, and what to do."""


@dataclass(frozen=True)
class Source:
    """A data set to train on.

    Attributes:
        folder: Of the data set.
        weight: How often its samples are drawn, over those of a source of weight 1; 0 = it is left
            out altogether.
        domain: Whose stems and head it trains; empty = sim where it was simulated, else real.
    """

    folder: Path
    weight: float = 1.0
    domain: str = ""

    @staticmethod
    def parse(text: str) -> Source:
        """Reads ``FOLDER[@DOMAIN][*WEIGHT]``.

        Raises:
            DataError: The weight is no number of at least 0.
        """
        rest, _, weight = text.partition("*")
        folder, _, domain = rest.partition("@")
        try:
            number = float(weight or 1.0)
        except ValueError:
            number = -1.0
        if not (folder and 0.0 <= number < np.inf):
            raise DataError(
                f"dataset {text[:80]!r}: expected FOLDER[@DOMAIN][*WEIGHT], the weight at least 0"
            )
        return Source(Path(folder).expanduser(), number, domain)


@dataclass(frozen=True)
class Demonstration:
    """An episode; first axis of all arrays: frame. Units and frames as in `Frame`.

    Attributes:
        name: Of the data set and episode.
        task: Of the catalogue.
        instruction: In words.
        instance: Asset of the first object, which tells seen and unseen ones apart.
        domain: See `Source`.
        weight: See `Source`.
        tcp_pose: (T, 7).
        q: (T, 7).
        finger: (T,).
        tcp_ref: (T, 7), commanded.
        q_ref: (T, 7), commanded.
        finger_ref: (T,), commanded.
        cloud: (T, N, 3) in base, in the order of a farthest-point sample.
        colour: (T, N, 3), bytes.
        pictures: (T, V, H, W, 3), bytes, of the cameras in their order.
        duration: s.
        camera_poses: T_parent_cam of every camera, 16 numbers row by row.
        source: Number of the data set.
    """

    name: str
    task: str
    instruction: str
    instance: str
    domain: str
    weight: float
    tcp_pose: Array
    q: Array
    finger: Array
    tcp_ref: Array
    q_ref: Array
    finger_ref: Array
    cloud: NDArray[np.float32] | None = None
    colour: NDArray[np.uint8] | None = None
    pictures: NDArray[np.uint8] | None = None
    duration: float = 0.0
    camera_poses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    source: int = 0

    def __len__(self) -> int:
        return len(self.tcp_pose)


def load_demonstrations(
    sources: Sequence[Source],
    seen: ObservationSettings,
    *,
    tasks: Sequence[str] = (),
    cache: Path | None = None,
) -> Iterator[Demonstration]:
    """Loads the successful episodes of data sets.

    Args:
        sources: The data sets.
        seen: What of them is needed, and at which period.
        tasks: Only these; empty = all.
        cache: Folder of the arrays that are mapped.

    Raises:
        DataError: A data set is missing, follows another schema, lacks a modality, or has another
            period.
    """
    folder = cache or cache_folder("demonstrations")
    for number, source in enumerate(sources):
        if not source.weight:
            continue
        try:
            store = EpisodeStore(source.folder)
            for info in store.scan().episodes:
                manifest = info.manifest
                if manifest.success and (not tasks or manifest.task in tasks):
                    reader = store.open_episode(info.episode_id)
                    yield _load(source, number, reader, seen, folder)
        except StoreError as error:
            raise DataError(str(error)) from error


def _load(
    source: Source, number: int, reader: EpisodeReader, seen: ObservationSettings, cache: Path
) -> Demonstration:
    manifest = reader.manifest
    name = f"{source.folder.name}/{manifest.episode_id}"
    every = _stride(manifest, seen.period, name)
    q = reader.joint_position
    pick = np.arange(0, len(reader), every)
    pick = pick[
        moving(reader.action_tcp_pose[pick], reader.action_gripper[pick], q[pick], seen.rest)
    ]
    taken_over = taken_over_ns(manifest.solver_report)
    if taken_over is not None:
        # What a policy has done before is no demonstration.
        pick = pick[reader.stamp_ns[pick] >= taken_over]
    if len(pick) < 2:
        raise DataError(f"{name} has no step of an expert")
    cloud = colour = pictures = None
    if seen.cloud_steps:
        if not reader.has_cloud:
            raise DataError(
                f"{name} has no point clouds; collect with obs:=pointcloud, or train with "
                "observation.cloud_steps=0"
            )
        cloud, colour = _clouds(reader, pick, seen.points, cache, name)
    if seen.cameras:
        missing = sorted({*seen.cameras} - {*reader.cameras})
        if missing:
            raise DataError(
                f"{name} has no pictures of {', '.join(missing)}; collect with obs:=image, or "
                "train with observation.cameras=[]"
            )
        pictures = np.stack(
            [smaller(reader.images(camera), seen.picture) for camera in seen.cameras], 1
        )
    return Demonstration(
        name=name,
        task=manifest.task,
        instruction=manifest.instruction,
        instance=manifest.scene.objects[0].asset if manifest.scene.objects else "",
        domain=source.domain or (SIM if manifest.rates.physics else REAL),
        weight=source.weight,
        tcp_pose=reader.tcp_pose[pick],
        q=q[pick, :7],
        finger=reader.gripper[pick],
        tcp_ref=reader.action_tcp_pose[pick],
        q_ref=reader.action_joint_position[pick],
        finger_ref=reader.action_gripper[pick],
        cloud=cloud,
        colour=colour,
        pictures=None if pictures is None else pictures[pick],
        duration=len(reader) / manifest.rates.observation,
        camera_poses={
            name: tuple(camera.T_parent_cam)
            for name, camera in manifest.cameras.items()
            if camera.T_parent_cam is not None
        },
        source=number,
    )


def moving(tcp_ref: Array, finger_ref: Array, q: Array, rest: int) -> NDArray[np.int64]:
    """Steps (K,) that are kept: of every rest before the last motion only the first ``rest``.

    Args:
        tcp_ref: (T, 7), commanded.
        finger_ref: (T,), commanded, m.
        q: (T, 9), measured: joints, rad, and fingers, m.
        rest: Steps at rest in a row that are kept.
    """
    values = np.column_stack([tcp_ref, finger_ref, q])
    since, last = np.zeros(len(values), dtype=np.int64), 0
    for step in range(1, len(values)):
        # From where the rest began: what creeps is no rest.
        if np.abs(values[step] - values[last]).max() < STILL:
            since[step] = step - last
        else:
            last = step
    return np.flatnonzero((since <= rest) | (np.arange(len(values)) > last))


def slowest_chunk(demonstrations: Sequence[Demonstration], horizon: int) -> float:
    """Way that the arm goes in a slow chunk of demonstrations in motion, rad; 0 = there is none.

    The way of a chunk is that of the joint that goes farthest. Of all chunks that lie within a
    demonstration, one in twenty is slower.

    Args:
        demonstrations: Any.
        horizon: Steps of a chunk.
    """
    ways = [
        np.ptp(np.lib.stride_tricks.sliding_window_view(d.q_ref, horizon, 0), -1).max(-1)
        for d in demonstrations
        if len(d) >= horizon
    ]
    return float(np.quantile(np.concatenate(ways), 0.05)) if ways else 0.0


def _stride(manifest: Manifest, period: float, name: str) -> int:
    """Frames from one step of the policy to the next."""
    frames = period * manifest.rates.observation
    every = round(frames)
    if every < 1 or abs(frames - every) > PERIOD_TOLERANCE:
        raise DataError(
            f"{name} has {manifest.rates.observation:g} frames per second, which do not fit "
            f"observation.period {period:g} s; set it to a multiple of "
            f"{1.0 / manifest.rates.observation:g}"
        )
    return every


def _clouds(
    reader: EpisodeReader, pick: NDArray[np.int64], points: int, cache: Path, name: str
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Clouds (T, points, 3) and colours of the frames of an episode, mapped from the cache."""
    manifest = reader.manifest
    key = hashlib.sha256(f"{manifest.episode_id} {manifest.created} {pick.tolist()}".encode())
    files = [cache / f"{key.hexdigest()[:24]}-{points}-{part}.npy" for part in ("xyz", "rgb")]
    try:
        xyz, rgb = (np.load(file, mmap_mode="r", allow_pickle=False) for file in files)
        if xyz.shape == rgb.shape == (len(pick), points, 3):
            return xyz, rgb
    except (OSError, ValueError, EOFError):
        pass
    points_seen, colours = reader.cloud()
    xyz, rgb = sampled(points_seen[pick], colours[pick], points)
    if not np.isfinite(xyz).all():
        raise DataError(f"{name} has points that are not finite; look at it with `dataset check`")
    cache.mkdir(parents=True, exist_ok=True)
    arrays: tuple[NDArray[Any], ...] = (xyz, rgb)
    for file, array in zip(files, arrays, strict=True):
        partial = file.with_suffix(f".{os.getpid()}.partial.npy")
        np.save(partial, array)
        partial.replace(file)
    return tuple(np.load(file, mmap_mode="r") for file in files)  # type: ignore[return-value]


def sampled(
    xyz: NDArray[np.float32], rgb: NDArray[np.uint8], points: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Farthest-point samples (T, points, 3) of clouds (T, N, 3), in the order they were taken.

    Any first part of them is a sample too. Where there are fewer points all are taken, and again
    from the beginning. The first one follows from the order of the points.
    """
    least = min(points, xyz.shape[1])
    order = np.stack([_farthest(cloud, least) for cloud in xyz])
    order = np.resize(order.T, (points, len(xyz))).T
    return np.take_along_axis(xyz, order[..., None], 1), np.take_along_axis(
        rgb, order[..., None], 1
    )


def _farthest(cloud: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    depth = min(TREE_DEPTH, len(cloud).bit_length() - 1)
    if depth < 1:
        return np.zeros(count, dtype=np.int64)
    found = fpsample.bucket_fps_kdline_sampling(cloud, count, h=depth, start_idx=0)
    return found.astype(np.int64)


def smaller(pictures: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pictures (T, H, W, 3) at another size, by the mean of what falls into each pixel."""
    import torch
    from torch.nn import functional

    planes = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    small = functional.interpolate(planes, size, mode="area").round().byte()
    return small.permute(0, 2, 3, 1).numpy()


def split(
    demonstrations: Sequence[Demonstration], share: float, seed: int
) -> tuple[list[Demonstration], list[Demonstration]]:
    """Training and validation: whole episodes, and no object is in both.

    Every task gives about the share of its instances to the validation, and keeps one at least for
    the training; fewer where other tasks need the same objects. The episodes of a task that has
    one object only are split by episode, and no other task holds that object.

    Args:
        demonstrations: All.
        share: For validation, 0 to 1.
        seed: Of the choice, which depends on names only and not on their order.
    """
    if not share:
        return [*demonstrations], []
    keys: dict[str, set[str]] = {}
    instances: dict[str, set[str]] = {}
    for d in demonstrations:
        instances.setdefault(d.task, set()).add(d.instance)
    for d in demonstrations:
        keys.setdefault(d.task, set()).add(d.instance if len(instances[d.task]) > 1 else d.name)
    wanted = {t: max(1, min(round(share * len(k)), len(k) - 1)) for t, k in keys.items()}
    kept = {instance for found in instances.values() if len(found) == 1 for instance in found}
    held: set[str] = set()
    for key in sorted(set[str]().union(*keys.values()) - kept, key=lambda key: _rank(key, seed)):
        users = [task for task in keys if key in keys[task]]
        count = {task: len(keys[task] & held) for task in users}
        spare = all(count[task] + 1 < len(keys[task]) for task in users)
        if spare and any(count[task] < wanted[task] for task in users):
            held.add(key)
    training: list[Demonstration] = []
    validation: list[Demonstration] = []
    for d in demonstrations:
        key = d.instance if len(instances[d.task]) > 1 else d.name
        (validation if key in held else training).append(d)
    return training, validation


def _rank(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
