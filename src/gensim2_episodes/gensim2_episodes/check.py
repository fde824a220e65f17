"""Looks for damage in an episode: everything the manifest promises is verified on the arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import ARRAYS, GRIPPER_EFFORT
from gensim2_episodes.manifest import Manifest
from gensim2_episodes.paced import missed
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeInfo, EpisodeStore
from gensim2_episodes.writer import STAMP, TIME

_ALWAYS = frozenset(
    {STAMP, TIME} | {s.path for s in ARRAYS if s.path[:3] in ("obs", "act")} - {GRIPPER_EFFORT}
)
Stamps = NDArray[np.int64]

_POSES = ("observation/tcp_pose", "action/tcp_pose")
_STAMP_TOLERANCE = 1e-3
"""Of a stamp from a multiple of the period [s]; generous, for cameras with a clock of their own."""


def check_episode(store: EpisodeStore, info: EpisodeInfo) -> list[str]:
    """Reads the whole episode.

    Returns:
        One sentence per problem; empty if the episode is sound.
    """
    manifest = info.manifest
    problems = list(_manifest_problems(manifest))
    try:
        reader = store.open_episode(info.episode_id)
    except StoreError as error:
        return [*problems, str(error)]
    for path in sorted(manifest.arrays):
        try:
            problems += _array_problems(reader, path)
        except StoreError as error:
            problems.append(str(error))
    if not problems:
        problems += _time_problems(reader)
    return problems


def _manifest_problems(manifest: Manifest) -> Iterator[str]:
    missing = sorted(_ALWAYS - manifest.arrays.keys())
    if missing:
        yield f"the manifest lists no {', '.join(missing)}"
    if manifest.success == bool(manifest.reason):
        yield f"outcome {manifest.outcome} with the reason {manifest.reason!r}"


def _array_problems(reader: EpisodeReader, path: str) -> Iterator[str]:
    record = reader.manifest.arrays[path]
    array = reader.array(path)
    expected = (reader.manifest.frames, *record.shape)
    if array.shape != expected or array.dtype != np.dtype(record.dtype):
        yield f"{path} is {array.dtype} {array.shape}, expected {record.dtype} {expected}"
        return
    lost = array.nchunks - array.nchunks_initialized
    if lost:
        yield f"{path}: {lost} of {array.nchunks} chunks are missing"
        return
    for part in _parts(array):
        values = reader.read(path, part)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            yield f"{path} is not finite in frames {part.start} to {part.stop - 1}"
            return
        if path in _POSES and np.abs(np.linalg.norm(values[:, 3:], axis=1) - 1).max() > 1e-3:
            yield f"{path}: a quaternion in frames {part.start} to {part.stop - 1} has no length 1"
            return


def _parts(array: zarr.Array[Any]) -> Iterator[slice]:
    frames = array.shape[0]
    step = array.chunks[0]
    return (slice(start, min(start + step, frames)) for start in range(0, frames, step))


def _time_problems(reader: EpisodeReader) -> Iterator[str]:
    stamps, rates = reader.stamp_ns, reader.manifest.rates
    steps = np.diff(stamps)
    if (steps <= 0).any():
        yield f"stamps do not increase at frame {int(np.argmax(steps <= 0)) + 1}"
        return
    if not np.allclose(reader.time, (stamps - stamps[0]) * 1e-9, rtol=0, atol=1e-6):
        yield "time does not agree with stamp_ns"
    if reader.manifest.recording.paced_by:
        gaps = sum(missed(int(step), round(1e9 / rates.observation)) for step in steps)
        yield from _gap_problems(reader, gaps, steps)
        return
    ticks = stamps * 1e-9 * rates.observation
    off = np.abs(ticks - np.round(ticks)) / rates.observation
    if off.max() > _STAMP_TOLERANCE:
        yield (
            f"frame {int(off.argmax())} is {1e3 * off.max():.1f} ms off a multiple of the period "
            f"of {rates.observation:g} Hz"
        )
        return
    gaps = int(np.round(ticks[-1]) - np.round(ticks[0])) + 1 - len(stamps)
    yield from _gap_problems(reader, gaps, steps)


def _gap_problems(reader: EpisodeReader, gaps: int, steps: Stamps) -> Iterator[str]:
    rates = reader.manifest.rates
    if gaps != reader.manifest.recording.dropped:
        stated = reader.manifest.recording.dropped
        at = int(steps.argmax()) + 1 if len(steps) else 0
        yield (
            f"{gaps} frames are missing at {rates.observation:g} Hz, {stated} according to the "
            f"manifest (longest gap before frame {at}: {1e-9 * steps.max(initial=0):.2f} s)"
        )
