"""Clouds and pictures of `sensor_msgs` as arrays. Messages are taken by their attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOAT32 = 7
"""sensor_msgs/PointField.FLOAT32."""
MAX_POINTS = 50_000
"""Points that are shown of a cloud."""
MAX_WIDTH = 320
"""Columns of a picture as it is shown, px."""


class SensorError(ValueError):
    """A message cannot be shown; the text says why."""


def cloud(message: Any) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the finite points (N, 3) in m and their colours (N, 3) of a PointCloud2.

    The fields x, y, z are float32; rgb, where there is one, are three bytes of a word. A cloud of
    more than `MAX_POINTS` is thinned evenly.

    Raises:
        SensorError: a field is missing or of another type, or there is too little data.
    """
    offsets = {field.name: field.offset for field in message.fields}
    types = {field.name: field.datatype for field in message.fields}
    missing = [name for name in "xyz" if types.get(name) != _FLOAT32]
    if missing or message.is_bigendian:
        raise SensorError("a cloud needs the little-endian float32 fields x, y and z")
    step = int(message.point_step)
    last = max(offsets[name] for name in ("x", "y", "z", *({"rgb"} & set(offsets))))
    rows = int(message.height), int(message.row_step)
    data = np.frombuffer(memoryview(message.data), dtype=np.uint8)
    if step < last + 4 or rows[1] < step * message.width or data.size < rows[0] * rows[1]:
        raise SensorError("a cloud holds less data than its size says")
    table = data[: rows[0] * rows[1]].reshape(rows)[:, : step * message.width].reshape(-1, step)
    table = table[:: max(1, -(-len(table) // MAX_POINTS))]

    def words(name: str) -> NDArray[np.uint8]:
        at = offsets[name]
        return np.ascontiguousarray(table[:, at : at + 4])

    xyz = np.stack([words(name).view("<f4")[:, 0] for name in "xyz"], axis=1)
    colors = np.full((len(xyz), 3), 160, dtype=np.uint8)
    if "rgb" in offsets:
        colors = words("rgb")[:, 2::-1]  # The word is 0x00RRGGBB, its lowest byte comes first.
    finite = np.isfinite(xyz).all(axis=1)
    return xyz[finite].astype(np.float32), np.ascontiguousarray(colors[finite])


def picture(message: Any) -> NDArray[np.uint8]:
    """Return an Image as (H, W, 3) in RGB, at most `MAX_WIDTH` wide.

    Raises:
        SensorError: the encoding is not rgb8, bgr8 or mono8, or there is too little data.
    """
    channels = {"rgb8": 3, "bgr8": 3, "mono8": 1}.get(message.encoding)
    if channels is None:
        raise SensorError(f"pictures are rgb8, bgr8 or mono8, not {str(message.encoding)[:40]!r}")
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(memoryview(message.data), dtype=np.uint8)
    if height < 1 or width < 1 or step < width * channels or data.size < height * step:
        raise SensorError("a picture holds less data than its size says")
    rows = data[: height * step].reshape(height, step)[:, : width * channels]
    every = -(-width // MAX_WIDTH)
    image = rows.reshape(height, width, channels)[::every, ::every]
    if message.encoding == "bgr8":
        image = image[..., ::-1]
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
