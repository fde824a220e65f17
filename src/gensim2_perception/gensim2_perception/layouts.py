"""Byte layouts of images and point clouds on the wire, without any message class."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Buffer: TypeAlias = "bytes | bytearray | memoryview | array[Any] | NDArray[np.uint8]"

# encoding -> (channels, which of them are red, green, blue)
_COLOUR_ENCODINGS: dict[str, tuple[int, tuple[int, int, int]]] = {
    "rgb8": (3, (0, 1, 2)),
    "bgr8": (3, (2, 1, 0)),
    "rgba8": (4, (0, 1, 2)),
    "bgra8": (4, (2, 1, 0)),
    "mono8": (1, (0, 0, 0)),
}
_DEPTH_ENCODINGS = {"16UC1": "u2", "mono16": "u2", "32FC1": "f4"}


class LayoutError(ValueError):
    """The bytes are not what their description says, or not of a kind that is understood."""


@dataclass(frozen=True)
class PointField:
    """One field of a point, with the names and numbers of sensor_msgs/PointField."""

    name: str
    offset: int
    datatype: int
    count: int


class PointFieldLike(Protocol):
    """What is read of a field; the message class of sensor_msgs fits."""

    @property
    def name(self) -> str:
        """Name."""

    @property
    def offset(self) -> int:
        """Bytes from the start of the point."""

    @property
    def datatype(self) -> int:
        """Number of the type."""


FLOAT32 = 7
# `rgb` holds 0x00RRGGBB in the bits of a float, which RViz, PCL and Open3D's readers expect.
XYZRGB_FIELDS = (
    PointField("x", 0, FLOAT32, 1),
    PointField("y", 4, FLOAT32, 1),
    PointField("z", 8, FLOAT32, 1),
    PointField("rgb", 12, FLOAT32, 1),
)
XYZRGB_STEP = 16


def colour_image(
    data: Buffer,
    height: int,
    width: int,
    step: int,
    encoding: str,
) -> NDArray[np.uint8]:
    """View of a colour image as (H, W, 3) uint8, red first, without copying the pixels.

    Args:
        data: Rows of ``step`` bytes; anything with the buffer protocol.
        height: Rows.
        width: Columns.
        step: Bytes per row, padding included.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.

    Raises:
        LayoutError: unknown encoding, or too few bytes.
    """
    if encoding not in _COLOUR_ENCODINGS:
        raise LayoutError(
            f"colour image: encoding {encoding!r} is not one of {', '.join(_COLOUR_ENCODINGS)}"
        )
    channels, order = _COLOUR_ENCODINGS[encoding]
    rows = _rows(data, height, step, width * channels, "colour image")
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    if order == (0, 1, 2):
        return pixels[..., :3]
    if order == (2, 1, 0):
        return pixels[..., 2::-1]
    return np.broadcast_to(pixels, (height, width, 3))


def depth_image(
    data: Buffer,
    height: int,
    width: int,
    step: int,
    encoding: str,
    is_bigendian: bool,
) -> NDArray[np.uint16] | NDArray[np.float32]:
    """View of a depth image as (H, W): uint16 [mm] for 16UC1, float32 [m] for 32FC1.

    Args:
        data: Rows of ``step`` bytes; anything with the buffer protocol.
        height: Rows.
        width: Columns.
        step: Bytes per row, padding included.
        encoding: 16UC1, mono16 or 32FC1.
        is_bigendian: Byte order; the other order than this machine's is copied.

    Raises:
        LayoutError: unknown encoding, or too few bytes.
    """
    if encoding not in _DEPTH_ENCODINGS:
        raise LayoutError(
            f"depth image: encoding {encoding!r} is not one of {', '.join(_DEPTH_ENCODINGS)}"
        )
    kind = np.dtype((">" if is_bigendian else "<") + _DEPTH_ENCODINGS[encoding])
    rows = _rows(data, height, step, width * kind.itemsize, "depth image")
    # A view over the whole rows fails if the padding is odd, hence the copy in that rare case.
    used = rows[:, : width * kind.itemsize]
    pixels = np.ascontiguousarray(used).view(kind)
    return pixels if kind.isnative else pixels.astype(kind.newbyteorder("="))


def _rows(
    data: Buffer,
    height: int,
    step: int,
    needed: int,
    what: str,
) -> NDArray[np.uint8]:
    flat = np.frombuffer(data, np.uint8)
    if height <= 0 or needed <= 0 or step < needed or flat.size < height * step:
        raise LayoutError(
            f"{what}: {flat.size} bytes do not hold {height} rows of {step} bytes, of which "
            f"{needed} are pixels"
        )
    rows: NDArray[np.uint8] = flat[: height * step].reshape(height, step)
    return rows


def pack_xyzrgb(xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> bytes:
    """Bytes of a cloud with `XYZRGB_FIELDS`, little endian, `XYZRGB_STEP` bytes per point.

    Args:
        xyz: (N, 3) [m].
        rgb: (N, 3) uint8.

    Raises:
        ValueError: the sizes differ.
    """
    if xyz.shape != rgb.shape or xyz.ndim != 2 or xyz.shape[1] != 3:
        raise ValueError(f"cloud: (N, 3) points and colours expected, got {xyz.shape}, {rgb.shape}")
    packed = np.empty((len(xyz), 4), "<f4")
    packed[:, :3] = xyz
    colour = rgb.astype(np.uint32)
    # Written as integers: a float on its way through the processor may lose such small numbers.
    packed.view("<u4")[:, 3] = colour[:, 0] << 16 | colour[:, 1] << 8 | colour[:, 2]
    return packed.tobytes()


def unpack_xyzrgb(
    data: Buffer,
    count: int,
    point_step: int,
    fields: Sequence[PointFieldLike],
    is_bigendian: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Points and colours of a cloud with float32 x, y, z and a packed rgb or rgba field.

    Args:
        data: Points of ``point_step`` bytes, without padding between rows.
        count: Points, that is height times width.
        point_step: Bytes per point.
        fields: As in sensor_msgs/PointField, whose objects may be given as they are.
        is_bigendian: Byte order of the data.

    Returns:
        xyz (count, 3) float32 [m] and rgb (count, 3) uint8; colours are 0 if there is no such
        field.

    Raises:
        LayoutError: x, y or z is absent or not float32, or there are too few bytes.
    """
    order = ">" if is_bigendian else "<"
    by_name = {field.name: (field.offset, field.datatype) for field in fields}
    for axis in "xyz":
        if by_name.get(axis, (0, 0))[1] != FLOAT32:
            raise LayoutError(f"cloud: field {axis!r} is absent or not float32: {sorted(by_name)}")
    colour_field = next((n for n in ("rgb", "rgba") if n in by_name), None)
    names = ["x", "y", "z"] + ([colour_field] if colour_field else [])
    kinds = [order + "f4"] * 3 + ([order + "u4"] if colour_field else [])
    try:
        kind = np.dtype(
            {
                "names": names,
                "formats": kinds,
                "offsets": [by_name[n][0] for n in names],
                "itemsize": point_step,
            }
        )
        points = np.frombuffer(data, kind, count=count)
    except ValueError as error:
        raise LayoutError(f"cloud: {count} points of {point_step} bytes: {error}") from error
    xyz = np.stack([points["x"], points["y"], points["z"]], axis=1).astype(np.float32)
    rgb = np.zeros((count, 3), np.uint8)
    if colour_field:
        packed = points[colour_field]
        for channel, shift in enumerate((16, 8, 0)):
            rgb[:, channel] = (packed >> shift) & 0xFF
    return xyz, rgb
