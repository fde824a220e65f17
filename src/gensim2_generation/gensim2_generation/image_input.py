"""A picture, or a frame of a video, from the user: read with care, and made small.

What is sent is encoded anew, so that nothing but pixels leaves the machine: no place where the
picture was taken, no name.
"""

from __future__ import annotations

import stat
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST = 200_000_000  # bytes of a file
MOST_PIXELS = 80_000_000  # of a picture
EDGE = 1024  # pixels of the longer side of what is sent
Image = NDArray[np.uint8]


class ImageError(ValueError):
    """A file is no picture and no video that can be read; says why."""


def read_image(path: Path) -> bytes:
    """Reads a picture (JPEG, PNG, BMP), or the frame in the middle of a video.

    Args:
        path: The file.

    Returns:
        A PNG file whose longer side has at most `EDGE` pixels.

    Raises:
        ImageError: Missing, no ordinary file, too large, or not to be decoded.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"image {str(path)!r}: it is no ordinary file")
        if found.st_size > LARGEST:
            raise ImageError(f"image {str(path)!r}: {found.st_size} bytes, more than {LARGEST}")
        with path.open("rb") as file:
            head = file.read(32)
        data = None if _is_video(head) else path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"image {str(path)!r}: cannot be read: {error}") from None
    if data is None:
        return _sent(_frame(path))
    size = picture_size(data)
    if size is None:
        raise ImageError(
            f"image {str(path)!r}: neither a picture (JPEG, PNG, BMP) nor a video (MP4, AVI, MKV)"
        )
    if not 0 < size[0] * size[1] <= MOST_PIXELS:
        raise ImageError(
            f"image {str(path)!r}: {size[0]} x {size[1]} pixels, more than {MOST_PIXELS}"
        )
    return _sent(_picture(data, path))


def _is_video(head: bytes) -> bool:
    """By what a file begins with, whatever its name: a list of other files is no video."""
    return (
        head[4:8] == b"ftyp"
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or head[:4] == b"\x1a\x45\xdf\xa3"
    )


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a picture says it has; None = it is none that is read.

    Known before anything is decoded: a small file may hold more pixels than there is memory for.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", data[16:24])
            return width, height
        if data.startswith(b"BM"):
            width, height = struct.unpack("<ii", data[18:26])
            return abs(width), abs(height)
        return _jpeg_size(data) if data.startswith(b"\xff\xd8\xff") else None
    except struct.error:
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None


def _picture(data: bytes, path: Path) -> Image:
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None or picture.size == 0:
        raise ImageError(f"image {str(path)!r}: it cannot be decoded; is the file complete?")
    return np.asarray(picture, np.uint8)


def _frame(path: Path) -> Image:
    try:
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        try:
            count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
            if count > 2:
                video.set(cv2.CAP_PROP_POS_FRAMES, count // 2)
            good, frame = video.read()
        finally:
            video.release()
    except cv2.error:
        good, frame = False, None
    if not good or frame is None or frame.size == 0:
        raise ImageError(f"image {str(path)!r}: no frame of this video can be decoded")
    return np.asarray(frame, np.uint8)


def _sent(picture: Image) -> bytes:
    height, width = picture.shape[:2]
    scale = EDGE / max(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encoded(picture)


def encoded(bgr: Image) -> bytes:
    """A picture (H, W, 3), blue first, as a PNG file."""
    good, data = cv2.imencode(".png", bgr)
    assert good, "a picture in memory can always be encoded"
    return bytes(data)
