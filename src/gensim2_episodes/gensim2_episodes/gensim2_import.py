"""Makes episodes of a data set of the public GenSim2; see `gensim2_source` for its layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import IMAGE_GROUP, Array, FrameError, frame_of
from gensim2_episodes.gensim2_source import ACTION, COLOURS, IMAGES, POINTS, STATE, GenSim2Source
from gensim2_episodes.inverse_kinematics import joints_at
from gensim2_episodes.provenance import software_record
from gensim2_episodes.reconstruct import Motion, imported_record, motion_arrays, poses
from gensim2_episodes.store import EpisodeStore
from gensim2_episodes.writer import EpisodeWriter

PERIOD_NS = 800_000_000
"""Nominal time between two frames [ns]; the real one is not in the data."""

IN_BASE = "recorded hand poses were in base, not in the world: taken as of a real robot"
_PHYSICS = 100.0  # Hz
_T_WORLD_BASE = np.array([-0.615, 0.0, 0.0])
_HAND, _TCP = "fr3_hand", "fr3_hand_tcp"
_OPEN = 0.04  # m, position of a finger
_WIDEST = 0.1  # m; above it a gripper column is a switch, not a length
_BLOCK = 16  # frames; clouds of GenSim2 have 10240 points
_FAR = 2e-3  # m and rad together
_LONGEST_TEXT = 100


def import_gensim2(
    source: Path,
    folder: Path,
    kinematics: Fr3Kinematics,
    progress: Callable[[int], None] = lambda index: None,
) -> int:
    """Makes a data set of one of GenSim2.

    Args:
        source: Folder with data/ and meta/.
        folder: A missing or empty folder.
        kinematics: Of the robot: the FR3 has the link lengths of the Panda.
        progress: Called after each episode.

    Returns:
        The number of episodes.

    Raises:
        StoreError: It is no data set of GenSim2, or is damaged.
        OSError: The disk is full.
    """
    data = GenSim2Source(source)
    store = EpisodeStore(folder, create=True, software=software_record())
    for index in range(len(data)):
        _import_episode(data, index, store, kinematics)
        progress(index)
    return len(data)


def _import_episode(
    data: GenSim2Source, index: int, store: EpisodeStore, kinematics: Fr3Kinematics
) -> None:
    part = data.frames(index)
    state = data.read(STATE, part).astype(np.float64)
    action = data.read(ACTION, part).astype(np.float64)
    motion, notes = _motion(state, action, kinematics)
    robot = motion_arrays(motion, kinematics)
    text = data.descriptions[index]
    if len(text) == _LONGEST_TEXT:
        notes.append("the instruction may have been cut at 100 letters")
    record = imported_record(
        text,
        index,
        1e9 / PERIOD_NS,
        "; ".join([*_general(data), *notes]),
        software_record(),
        task=data.names[index],
        physics=None if IN_BASE in notes else _PHYSICS,
        parameters={"source": {"format": "gensim2", "folder": data.folder.name, "episode": index}},
    )
    with store.writer(record.task) as writer:
        for first in range(part.start, part.stop, _BLOCK):
            some = slice(first, min(first + _BLOCK, part.stop))
            inside = slice(some.start - part.start, some.stop - part.start)
            arrays = {path: values[inside] for path, values in robot.items()}
            _append(writer, motion.stamp_ns[inside], arrays | _seen(data, some), data)
        writer.commit(record)


def _general(data: GenSim2Source) -> list[str]:
    """What no data set of GenSim2 says."""
    return [
        f"imported from the GenSim2 data set {data.folder.name}",
        "stamps are nominal (0.8 s per step)",
        "velocities are differences of positions, poses follow from joints",
        "seed, objects, camera parameters and predicates are unknown",
        "success is assumed: GenSim2 keeps nothing else",
        *([] if data.has_cloud else ["no clouds"]),
        *([] if data.cameras else ["no images"]),
    ]


def _seen(data: GenSim2Source, part: slice) -> dict[str, NDArray[Any]]:
    """Clouds and images of some frames."""
    seen = {
        f"{IMAGE_GROUP}/{camera}_camera": data.read(f"{IMAGES}/{camera}", part)[..., :3]
        for camera in data.cameras
    }
    if data.has_cloud:
        seen["cloud/xyz"] = data.read(POINTS, part)
        seen["cloud/rgb"] = data.read(COLOURS, part)
    return seen


def _append(
    writer: EpisodeWriter,
    stamps: NDArray[np.int64],
    arrays: dict[str, NDArray[Any]],
    data: GenSim2Source,
) -> None:
    try:
        for i, stamp_ns in enumerate(stamps):
            frame = frame_of(int(stamp_ns), {path: values[i] for path, values in arrays.items()})
            writer.append(frame)
    except FrameError as error:
        raise StoreError(f"{data.folder}: {error}; get the data set again") from error


def _motion(state: Array, action: Array, kinematics: Fr3Kinematics) -> tuple[Motion, list[str]]:
    """The robot of an episode, and what should be known of it."""
    q, finger = state[:, 7:14], np.clip(state[:, 14], 0.0, _OPEN)
    notes = _state_notes(state, kinematics)
    T_base_hand = np.tile(np.eye(4), (len(action), 1, 1))
    T_base_hand[:, :3, 3] = action[:, :3]
    T_base_hand[:, :3, :3] = Rotation.from_euler("xyz", action[:, 3:6]).as_matrix()
    # The arm has nearly got there by the next frame.
    guesses = np.concatenate([q[1:], q[-1:]])
    pairs = zip(T_base_hand, guesses, strict=True)
    found = [joints_at(kinematics, T, guess, _HAND) for T, guess in pairs]
    if far := sum(error > _FAR for _, error in found):
        notes.append(f"{far} of {len(found)} commanded poses are out of reach: nearest joints")
    T_hand_tcp = np.linalg.inv(kinematics.fk(q[0], _HAND)) @ kinematics.fk(q[0], _TCP)
    switch = action[:, 6]
    if np.abs(switch).max() > _WIDEST or not switch.any():
        finger_ref = np.where(switch > 0.5, _OPEN, 0.0)
    else:
        finger_ref = np.clip(switch, 0.0, _OPEN)
        notes.append("the commanded gripper was taken as a finger position [m]")
    motion = Motion(
        stamp_ns=np.arange(len(state), dtype=np.int64) * PERIOD_NS,
        q=q,
        finger=finger,
        q_ref=np.array([joints for joints, _ in found]),
        finger_ref=finger_ref,
        tcp_ref=poses(T_base_hand @ T_hand_tcp),
    )
    return motion, notes


def _state_notes(state: Array, kinematics: Fr3Kinematics) -> list[str]:
    """Whether the hand is where the joints say: real data of GenSim2 have another frame."""
    hand = kinematics.fk(state[:, 7:14], _HAND)[:, :3, 3]
    off = float(np.linalg.norm(hand + _T_WORLD_BASE - state[:, :3], axis=1).max())
    in_base = float(np.linalg.norm(hand - state[:, :3], axis=1).max())
    if off < _FAR:
        return []
    if in_base < _FAR:
        return [IN_BASE]
    return [f"recorded hand poses are up to {min(off, in_base):.3f} m off those of the joints"]
