"""Colour video files: MPEG-4 or VP9 in MP4, written through OpenCV. The encoding loses detail.

OpenCV reads its own files, H.264 and VP9. For AV1, which LeRobot writes, the wheel `av` is used
where somebody has installed it; the project does not bring it along.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

# What goes wrong is said in one line by who uses this, not by FFmpeg.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import Bytes

CODEC = "mp4v"
BROWSER_CODEC = "vp09"
"""What browsers show; takes twenty times as long to write."""


class VideoWriter:
    """Writes one file. Frame i is shown at i / fps."""

    def __init__(self, path: Path, fps: int, shape: tuple[int, ...], codec: str = CODEC) -> None:
        """Opens the file.

        Args:
            path: The file.
            fps: Frames per second.
            shape: Of one image: (H, W, 3).
            codec: Four letters.

        Raises:
            StoreError: OpenCV cannot write such a file here.
        """
        self._path = path
        self.frames = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        code = cv2.VideoWriter.fourcc(*codec)
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, shape[1::-1])
        if not self._writer.isOpened():
            raise StoreError(f"{path}: OpenCV cannot write {codec} video here")

    def write(self, images: Bytes) -> None:
        """Adds images (T, H, W, 3) RGB."""
        for image in images:
            self._writer.write(np.ascontiguousarray(image[..., ::-1]))
        self.frames += len(images)

    @property
    def size_bytes(self) -> int:
        """Of what has reached the file so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    def close(self) -> None:
        """Ends the file.

        Raises:
            StoreError: It is not complete: most likely the disk is full.
        """
        self._writer.release()
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        written = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if written != self.frames:
            raise StoreError(
                f"{self._path} holds {written} of {self.frames} frames: is the disk full?"
            )


class VideoReader:
    """Reads frames of one file; going forward is fast."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            StoreError: It is missing, or cannot be decoded here.
        """
        self._path = path
        self._next = 0
        self._images = _decoded(path)

    def read(self, start: int, count: int) -> Bytes:
        """Images (count, H, W, 3) RGB from frame `start` on.

        Raises:
            StoreError: The file ends before.
        """
        if start < self._next:
            self._next, self._images = 0, _decoded(self._path)
        images = []
        while self._next < start + count:
            image = next(self._images, None)
            if image is None:
                raise StoreError(
                    f"{self._path} ends at frame {self._next}, not {start + count}; get the data "
                    "set again"
                )
            if self._next >= start:
                images.append(image)
            self._next += 1
        return np.stack(images)


def _decoded(path: Path) -> Iterator[Bytes]:
    """The images (H, W, 3) RGB of a file.

    Raises:
        StoreError: It is missing, or cannot be decoded here.
    """
    if not path.is_file():
        raise StoreError(f"{path} is missing; get the data set again")
    for decoder in (_by_opencv, _by_av):
        images = decoder(path)
        first = next(images, None)
        if first is not None:
            return chain([first], images)
    raise StoreError(
        f"{path} is damaged, or of a kind that cannot be decoded here. AV1, which LeRobot writes, "
        "needs the wheel av: ./ws python -m pip install av"
    )


def _by_opencv(path: Path) -> Iterator[Bytes]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        while True:
            good, image = capture.read()
            if not good:
                return
            yield np.asarray(image[..., ::-1], dtype=np.uint8)
    finally:
        capture.release()


def _by_av(path: Path) -> Iterator[Bytes]:
    try:
        av = importlib.import_module("av")
    except ImportError:
        return
    try:
        with av.open(str(path)) as container:
            for image in container.decode(video=0):
                yield image.to_ndarray(format="rgb24")
    except (av.FFmpegError, IndexError):
        return
