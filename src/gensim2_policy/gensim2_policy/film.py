"""Films of episodes: what several cameras saw, side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from gensim2_episodes.video_file import BROWSER_CODEC, VideoWriter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
MOST = 3000
"""Moments that are kept; of longer films the beginning is lost."""
USUAL_PERIOD_NS = 100_000_000


class Film:
    """Keeps pictures, made small, until it is known which of them an episode has. Thread safe.

    Args:
        cameras: From left to right; they see at the same moments and have one height.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = tuple(cameras)
        self._lock = threading.Lock()
        self._kept: dict[int, dict[str, NDArray[np.uint8]]] = {}

    def take(self, stamp_ns: int, camera: str, picture: Picture) -> None:
        """Takes a picture (H, W, 3), RGB."""
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        with self._lock:
            self._kept.setdefault(stamp_ns, {})[camera] = jpeg
            while len(self._kept) > MOST:
                self._kept.pop(min(self._kept))

    def save(self, file: Path, first_ns: int = 0, last_ns: int = 2**63 - 1) -> bool:
        """Writes what was seen between two stamps (ns), and forgets it and what was before.

        Returns:
            Whether there is anything to see.

        Raises:
            StoreError: It cannot be written.
        """
        with self._lock:
            past = [stamp_ns for stamp_ns in sorted(self._kept) if stamp_ns <= last_ns]
            moments = {stamp_ns: self._kept.pop(stamp_ns) for stamp_ns in past}
        whole = {
            stamp_ns: pictures
            for stamp_ns, pictures in moments.items()
            if stamp_ns >= first_ns and len(pictures) == len(self._cameras)
        }
        if not whole:
            return False
        writer: VideoWriter | None = None
        for pictures in whole.values():
            frame = np.hstack([_opened(pictures[camera]) for camera in self._cameras])
            writer = writer or VideoWriter(file, _rate(list(whole)), frame.shape, BROWSER_CODEC)
            writer.write(frame[None])
        assert writer is not None
        writer.close()
        return True


def _opened(jpeg: NDArray[np.uint8]) -> Picture:
    picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _rate(stamps_ns: Sequence[int]) -> int:
    """Frames per second."""
    period = float(np.median(np.diff(stamps_ns))) if len(stamps_ns) > 1 else USUAL_PERIOD_NS
    return max(1, round(1e9 / period))
