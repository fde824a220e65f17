"""Writes episodes as MCAP files with the messages of the graph, and reads such files back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from gensim2_control.kinematics import Fr3Kinematics
from pydantic import ValidationError

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import FrameError, frame_of
from gensim2_episodes.manifest import Manifest
from gensim2_episodes.mcap_file import McapWriter, read_attachment, read_samples
from gensim2_episodes.mcap_messages_node import (
    JOINT_STATES,
    arrays_of,
    frame_samples,
    moving_transforms,
    static_samples,
)
from gensim2_episodes.provenance import software_record
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeInfo, EpisodeStore
from gensim2_episodes.writer import MANIFEST_FILE, STAMP, TIME

SUFFIX = ".mcap"
_BLOCK = 64  # frames in memory at a time


def export_mcap(
    store: EpisodeStore,
    episodes: Sequence[EpisodeInfo],
    folder: Path,
    kinematics: Fr3Kinematics,
    description: str,
    progress: Callable[[EpisodeInfo], None] = lambda episode: None,
) -> None:
    """Writes one MCAP file per episode: `ros2 bag` plays it, Foxglove shows it.

    It has the topics that were recorded, the robot description, the transforms of links and
    cameras, and below `/episode/` the arrays that have no topic; the manifest is attached.

    Args:
        store: The data set.
        episodes: Those of it to write.
        folder: An empty folder.
        kinematics: Of the robot.
        description: Its URDF text.
        progress: Called after each episode.

    Raises:
        StoreError: An episode is damaged.
        OSError: The disk is full.
    """
    for episode in episodes:
        reader = store.open_episode(episode.episode_id)
        with McapWriter(folder / f"{episode.episode_id}{SUFFIX}") as writer:
            _write(reader, writer, kinematics, description)
        progress(episode)


def _write(
    reader: EpisodeReader, writer: McapWriter, kinematics: Fr3Kinematics, description: str
) -> None:
    manifest = reader.manifest
    stamps = reader.stamp_ns
    first_ns = int(stamps[0])
    text = manifest.model_dump_json(indent=1).encode()
    writer.attach(MANIFEST_FILE, "application/json", text, first_ns)
    for sample in static_samples(first_ns, kinematics, description, manifest.cameras):
        writer.write(sample)
    transforms = moving_transforms(kinematics, reader.joint_position[:, :7], stamps)
    for start in range(0, len(reader), _BLOCK):
        for index, frame in enumerate(reader.frames(slice(start, start + _BLOCK)), start):
            writer.write(transforms[index])
            for sample in frame_samples(frame, manifest.cameras):
                writer.write(sample)


def import_mcap(
    source: Path, folder: Path, progress: Callable[[int], None] = lambda index: None
) -> int:
    """Makes a data set of MCAP files that were exported from here.

    Args:
        source: A file, or a folder of files.
        folder: A missing or empty folder.
        progress: Called after each episode.

    Returns:
        The number of episodes.

    Raises:
        StoreError: There is no such file, or one is damaged or has no manifest.
        OSError: The disk is full.
    """
    files = sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source]
    if not files or not files[0].exists():
        raise StoreError(f"{source} holds no {SUFFIX} file; name a file, or a folder of them")
    store = EpisodeStore(folder, create=True, software=software_record())
    for index, file in enumerate(files):
        _read(file, store)
        progress(index)
    return len(files)


def _read(file: Path, store: EpisodeStore) -> None:
    manifest = _manifest(file)
    if (store.folder / "episodes" / manifest.episode_id).exists():
        raise StoreError(f"{file} is the second of episode {manifest.episode_id}; leave one out")
    recorded = manifest.arrays.keys() - {STAMP, TIME}
    with store.restore(manifest) as writer:
        try:
            for stamp_ns, group in groupby(read_samples(file), lambda sample: sample.stamp_ns):
                samples = list(group)
                if any(sample.topic.name == JOINT_STATES.name for sample in samples):
                    arrays = arrays_of(samples)
                    if missing := sorted(recorded - arrays.keys()):
                        raise FrameError(f"at {stamp_ns} ns is no {', '.join(missing)}")
                    writer.append(frame_of(stamp_ns, arrays))
        except (FrameError, ValueError) as error:
            raise StoreError(f"{file} is damaged: {error}; get it again") from error
        if len(writer) != manifest.frames:
            raise StoreError(
                f"{file} holds {len(writer)} of {manifest.frames} frames; get it again"
            )
        writer.commit(manifest.record())


def _manifest(file: Path) -> Manifest:
    text = read_attachment(file, MANIFEST_FILE)
    if text is None:
        raise StoreError(
            f"{file} has no manifest of an episode: it was not exported from here. Record "
            "episodes with `collect` to get them as a data set"
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
        raise StoreError(
            f"{file}: its manifest is damaged or of another version ({where}); export it again"
        ) from error
