"""Makes episodes of a LeRobotDataset v3: of one that was exported from here, or of another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray
from pydantic import ValidationError

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import IMAGE_GROUP, FrameError, frame_of
from gensim2_episodes.lerobot_layout import (
    ACTION,
    CLOUD,
    MANIFESTS_FILE,
    OWN,
    STATE,
    stamp_key,
)
from gensim2_episodes.lerobot_source import Block, LeRobotSource
from gensim2_episodes.manifest import EpisodeRecord, Manifest
from gensim2_episodes.provenance import software_record
from gensim2_episodes.reconstruct import (
    Motion,
    finger_positions,
    imported_record,
    motion_arrays,
)
from gensim2_episodes.store import EpisodeStore
from gensim2_episodes.writer import STAMP, TIME, EpisodeWriter

Progress = Callable[[int], None]
Values = dict[str, NDArray[Any]]

LOSSY = "colour images come from video and are not those recorded"
_NO_SUCCESS = "success is assumed"
_JOINT = re.compile(r"joint_?(\d)$")
_GRIPPER = re.compile(r"gripper|finger")


def import_lerobot(
    source: Path,
    folder: Path,
    kinematics: Fr3Kinematics,
    progress: Progress = lambda index: None,
) -> int:
    """Makes a data set of a LeRobotDataset.

    One that was exported from here gives the same episodes, under their names; colour images that
    were encoded as video differ, and the note of the manifest says so. Of another one, the arm
    joints, the gripper and the colour images are taken.

    Args:
        source: Folder of the LeRobotDataset.
        folder: A missing or empty folder.
        kinematics: Of the robot.
        progress: Called after each episode.

    Returns:
        The number of episodes.

    Raises:
        StoreError: It is no LeRobotDataset v3, is damaged, or lacks what an episode needs.
        OSError: The disk is full.
    """
    data = LeRobotSource(source)
    store = EpisodeStore(folder, create=True, software=software_record())
    if (source / MANIFESTS_FILE).exists():
        return _import_own(data, store, progress)
    return _import_other(data, store, kinematics, progress)


def _import_own(data: LeRobotSource, store: EpisodeStore, progress: Progress) -> int:
    manifests = _read_manifests(data)
    columns = [_columns_of(m) for m in manifests]
    wanted = [*dict.fromkeys(key for each in columns for key in each.values())]
    if missing := [key for key in wanted if key not in data.info.features]:
        raise StoreError(f"{data.folder} has no column {missing[0]}; {_REMOVE}")
    imported = 0
    for index, blocks in groupby(data.blocks([*wanted]), key=lambda block: block.episode):
        manifest = manifests[index]
        with store.restore(manifest) as writer:
            for block in blocks:
                arrays = {
                    path: _cut(block.values[key], manifest.arrays[path].shape)
                    for path, key in columns[index].items()
                }
                _append(writer, block.values[stamp_key()].reshape(-1), arrays)
            _require(len(writer) == manifest.frames, data, index)
            videos = any(data.info.features[k].dtype == "video" for k in columns[index].values())
            writer.commit(_noted(manifest.record(), LOSSY if videos else ""))
        imported += 1
        progress(index)
    _require(imported == len(manifests), data, imported)
    return imported


_REMOVE = (
    f"it was changed since it was exported. Remove its {MANIFESTS_FILE} to import what is left"
)


def _require(good: bool, data: LeRobotSource, index: int) -> None:
    if not good:
        raise StoreError(f"{data.folder}: episode {index} is not as in its manifest; {_REMOVE}")


def _read_manifests(data: LeRobotSource) -> list[Manifest]:
    path = data.folder / MANIFESTS_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        manifests = [Manifest.model_validate_json(line) for line in lines]
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path} is damaged, or was written by another version. Export the data set again, or "
            "remove this file to import it as that of somebody else"
        ) from error
    _require(len(manifests) == len(data.episodes), data, len(data.episodes))
    return manifests


def _columns_of(manifest: Manifest) -> dict[str, str]:
    """The column of each array of an episode."""
    columns = {}
    for path in manifest.arrays:
        group, _, name = path.partition("/")
        if group in ("image", "depth"):
            columns[path] = f"observation.{'images' if group == 'image' else 'depth'}.{name}"
        elif path != TIME:
            columns[path] = CLOUD.get(path, OWN + path.replace("/", "."))
    return columns


def _cut(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Without what was added to make all episodes alike."""
    inner = values[(slice(None), *(slice(0, size) for size in shape or (1,)))]
    return inner.reshape(len(values), *shape)


def _append(writer: EpisodeWriter, stamps: NDArray[np.int64], arrays: Values) -> None:
    try:
        for index, stamp_ns in enumerate(stamps):
            values = {path: array[index] for path, array in arrays.items() if path != STAMP}
            writer.append(frame_of(int(stamp_ns), values))
    except FrameError as error:
        raise StoreError(f"{writer.episode_id}: {error}; get the data set again") from error


def _noted(record: EpisodeRecord, note: str) -> EpisodeRecord:
    if not note or note in record.note:
        return record
    return record.model_copy(update={"note": "; ".join(filter(None, [record.note, note]))})


def _import_other(
    data: LeRobotSource, store: EpisodeStore, kinematics: Fr3Kinematics, progress: Progress
) -> int:
    software = software_record()
    cameras = {
        f"{IMAGE_GROUP}/{re.sub(r'[^A-Za-z0-9_]', '_', key.rpartition('.')[2])}": key
        for key, feature in data.info.features.items()
        if feature.coloured
    }
    motions = _motions(data)
    lossy = any(data.info.features[key].dtype == "video" for key in cameras.values())
    note = "; ".join(
        [
            f"imported from the LeRobotDataset {data.folder.name}: seed, objects, clouds and "
            "camera parameters are unknown",
            "velocities are differences of positions, poses follow from joints",
            _NO_SUCCESS,
            *([LOSSY] if lossy else []),
        ]
    )
    imported = 0
    blocks = data.blocks(["frame_index", *cameras.values()])
    for index, parts in groupby(blocks, key=lambda block: block.episode):
        robot = motion_arrays(motions[index], kinematics)
        instruction = str((data.episodes[index].get("tasks") or [""])[0])
        record = imported_record(instruction, index, data.info.fps, note, software)
        with store.writer(record.task) as writer:
            for block in parts:
                first = len(writer)
                part = slice(first, first + len(block.values["frame_index"]))
                arrays = {path: array[part] for path, array in robot.items()}
                arrays |= {path: block.values[key] for path, key in cameras.items()}
                _append(writer, motions[index].stamp_ns[part], arrays)
            writer.commit(record)
        imported += 1
        progress(index)
    return imported


def _motions(data: LeRobotSource) -> dict[int, Motion]:
    """The robot of every episode."""
    state = _robot_columns(data, STATE)
    action = _robot_columns(data, ACTION)
    motions = {}
    for index, blocks in groupby(data.blocks([STATE, ACTION]), key=lambda block: block.episode):
        parts: list[Block] = list(blocks)
        seen = np.concatenate([p.values[STATE] for p in parts]).astype(np.float64)
        wanted = np.concatenate([p.values[ACTION] for p in parts]).astype(np.float64)
        if not (np.isfinite(seen).all() and np.isfinite(wanted).all()):
            raise StoreError(f"{data.folder}: episode {index} is not finite; leave it out")
        try:
            motions[index] = Motion(
                stamp_ns=np.round(np.arange(len(seen)) * 1e9 / data.info.fps).astype(np.int64),
                q=seen[:, state[:7]],
                finger=finger_positions(seen[:, state[7]], f"the gripper in {STATE}"),
                q_ref=wanted[:, action[:7]],
                finger_ref=finger_positions(wanted[:, action[7]], f"the gripper in {ACTION}"),
            )
        except ValueError as error:
            raise StoreError(
                f"{data.folder}: episode {index}: {error}; convert it first"
            ) from error
    return motions


def _robot_columns(data: LeRobotSource, key: str) -> list[int]:
    """Positions of the seven arm joints and the gripper in a feature, by their names."""
    names = list(_flat(data.info.features[key].names)) if key in data.info.features else []
    joints = {int(m[1]): i for i, name in enumerate(names) if (m := _JOINT.search(name))}
    gripper = [i for i, name in enumerate(names) if _GRIPPER.search(name)]
    if len(joints) != 7 or not gripper:
        listed = f"names {', '.join(names)}" if names else "has no names"
        raise StoreError(
            f"{data.folder}: {key} {listed[:200]}; need seven ending in joint1 to joint7, [rad], "
            "and one with gripper or finger, [m]. Rename them in meta/info.json"
        )
    return [*(joints[number] for number in sorted(joints)), gripper[0]]


def _flat(names: Any) -> Iterator[str]:
    """Names that may be a list, or lists below keys."""
    for name in names.values() if isinstance(names, dict) else names or ():
        if isinstance(name, str):
            yield name
        else:
            yield from _flat(name)
