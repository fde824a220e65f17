"""Arrays to columns of Parquet files and back, and the statistics LeRobot keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gensim2_episodes.errors import StoreError
from gensim2_episodes.lerobot_layout import Feature

Stats = dict[str, NDArray[Any]]

MAX_FRAMES = 100
"""Frames of an episode, evenly spaced, of which images and clouds are counted in statistics."""

_MAX_VALUES = 1_000_000
_QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
_PNG_LEVEL = 3


def to_column(values: NDArray[Any]) -> pa.Array:
    """A column of numbers (T, ...), as `datasets` stores its Value, Sequence, Array2D, Array3D."""
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    shape = values.shape[1:]
    if shape == (1,):
        return column
    if len(shape) == 1:
        return pa.FixedSizeListArray.from_arrays(column, shape[0])
    for length in reversed(shape):
        offsets = np.arange(0, len(column) + 1, length, dtype=np.int32)
        column = pa.ListArray.from_arrays(pa.array(offsets), column)
    return column


def from_column(column: pa.Array, shape: Sequence[int]) -> NDArray[Any]:
    """The values (T, *shape) of a column, however its lists are stored.

    Raises:
        StoreError: It holds other shapes, or gaps.
    """
    length = len(column)
    while True:
        if isinstance(column, pa.ExtensionArray):
            column = column.storage
        elif pa.types.is_nested(column.type) and not pa.types.is_struct(column.type):
            column = column.flatten()
        else:
            break
    try:
        values: NDArray[Any] = column.to_numpy(zero_copy_only=False).reshape(length, *shape)
        return values
    except (ValueError, pa.ArrowInvalid) as error:
        raise StoreError(f"a column of {len(column)} values is not {length} x {shape}") from error


def to_png_column(images: NDArray[np.uint8]) -> pa.Array:
    """A column of colour images (T, H, W, 3), as `datasets` stores its Image."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    encoded = [cv2.imencode(".png", image[..., ::-1], options)[1].tobytes() for image in images]
    return pa.array(
        [{"bytes": data, "path": None} for data in encoded],
        type=pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )


def from_png_column(column: pa.Array) -> NDArray[np.uint8]:
    """Colour images (T, H, W, 3).

    Raises:
        StoreError: One cannot be decoded.
    """
    images = []
    for data in column.field("bytes").to_pylist():
        image = (
            cv2.imdecode(np.frombuffer(data or b"", np.uint8), cv2.IMREAD_COLOR) if data else None
        )
        if image is None:
            raise StoreError("an image in the rows is missing or cannot be decoded")
        images.append(image[..., ::-1])
    return np.stack(images)


def sampled(frames: int) -> NDArray[np.int64]:
    """Indices of up to `MAX_FRAMES` frames, evenly spaced."""
    return np.unique(np.linspace(0, frames - 1, min(frames, MAX_FRAMES)).round().astype(np.int64))


def statistics(feature: Feature, values: NDArray[Any]) -> Stats:
    """Statistics of a feature over an episode: min, max, mean, std, count and quantiles.

    Of images per channel in 0 to 1, shape (3, 1, 1); of clouds per axis (1, 3); of depth (1, 1).

    Args:
        feature: See there.
        values: (T, *shape).
    """
    count = np.array([len(values)], dtype=np.int64)
    shape: tuple[int, ...]
    if feature.coloured:
        flat, shape = values.reshape(-1, values.shape[-1]), (values.shape[-1], 1, 1)
    elif feature.path.startswith(("cloud/", "depth/")):
        channels = feature.shape[1] if feature.path.startswith("cloud/") else 1
        flat, shape = values.reshape(-1, channels), (1, channels)
    else:
        flat, shape = values.reshape(len(values), -1), feature.shape
    flat = flat[:: max(1, flat.size // _MAX_VALUES)].astype(np.float64)
    flat = flat / 255.0 if feature.coloured else flat
    found = {
        "min": flat.min(axis=0),
        "max": flat.max(axis=0),
        "mean": flat.mean(axis=0),
        "std": flat.std(axis=0),
    }
    quantiles = np.quantile(flat, _QUANTILES, axis=0)
    found |= {f"q{round(100 * q):02d}": row for q, row in zip(_QUANTILES, quantiles, strict=True)}
    return {name: value.reshape(shape) for name, value in found.items()} | {"count": count}


def joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> Stats:
    """Statistics of all episodes from those of each; quantiles as LeRobot joins them: averaged."""
    counts = np.array([part["count"][0] for part in parts], dtype=np.float64)
    share = counts / counts.sum()

    def average(values: list[NDArray[Any]]) -> NDArray[Any]:
        return np.tensordot(share, np.stack(values), axes=1)

    mean = average([part["mean"] for part in parts])
    spread = average([part["std"] ** 2 + (part["mean"] - mean) ** 2 for part in parts])
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(spread),
        **{name: average([p[name] for p in parts]) for name in parts[0] if name[0] == "q"},
        "count": np.array([int(counts.sum())]),
    }
