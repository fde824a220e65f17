"""Joins the colour image, the depth image and the camera model of one camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frames import CameraFrame, PinholeIntrinsics


@dataclass
class _Halves:
    frame_id: str = ""
    rgb: NDArray[np.uint8] | None = None
    depth: NDArray[np.uint16] | NDArray[np.float32] | None = None


class FrameAssembler:
    """Pairs colour and depth of identical stamp and adds the newest camera model.

    A driver stamps colour and aligned depth alike, so anything else is not the same instant.
    Pairs wait (bounded) for the first camera model, so that the very first frame is not lost.
    """

    def __init__(self, camera: str, depth: int = 16) -> None:
        """Creates an empty assembler.

        Args:
            camera: Name given to the frames.
            depth: How many stamps may wait for their other half; then the first come is dropped.
        """
        self.camera = camera
        self.colours = 0
        self.depths = 0
        self.unpaired = 0
        self.last_error = ""
        self._depth = depth
        self._waiting: dict[int, _Halves] = {}
        self._intrinsics: PinholeIntrinsics | None = None

    @property
    def has_intrinsics(self) -> bool:
        """Whether a camera model has arrived."""
        return self._intrinsics is not None

    def flush(self) -> None:
        """Forgets unpaired images; keeps the camera model."""
        self._waiting.clear()

    def set_intrinsics(self, intrinsics: PinholeIntrinsics) -> list[CameraFrame]:
        """Takes the camera model; returns the frames that waited for it, oldest first."""
        self._intrinsics = intrinsics
        complete = [
            stamp for stamp, h in self._waiting.items() if h.rgb is not None and h.depth is not None
        ]
        frames = [self._frame(stamp, self._waiting.pop(stamp)) for stamp in sorted(complete)]
        return [frame for frame in frames if frame is not None]

    def add_colour(
        self, stamp_ns: int, frame_id: str, rgb: NDArray[np.uint8]
    ) -> CameraFrame | None:
        """Takes a colour image (H, W, 3); returns the frame if that completes it."""
        self.colours += 1
        halves = self._halves(stamp_ns)
        halves.frame_id, halves.rgb = frame_id, rgb
        return self._complete(stamp_ns, halves)

    def add_depth(
        self, stamp_ns: int, depth: NDArray[np.uint16] | NDArray[np.float32]
    ) -> CameraFrame | None:
        """Takes an aligned depth image (H, W); returns the frame if that completes it."""
        self.depths += 1
        halves = self._halves(stamp_ns)
        halves.depth = depth
        return self._complete(stamp_ns, halves)

    def _halves(self, stamp_ns: int) -> _Halves:
        if stamp_ns not in self._waiting and len(self._waiting) == self._depth:
            # Insertion order, not the smallest stamp: right also after the clock was set back.
            del self._waiting[next(iter(self._waiting))]
            self.unpaired += 1
        return self._waiting.setdefault(stamp_ns, _Halves())

    def _complete(self, stamp_ns: int, halves: _Halves) -> CameraFrame | None:
        if halves.rgb is None or halves.depth is None or self._intrinsics is None:
            return None
        # Both topics are in order, so what is older than a complete pair stays single for ever.
        for older in [stamp for stamp in self._waiting if stamp < stamp_ns]:
            del self._waiting[older]
            self.unpaired += 1
        del self._waiting[stamp_ns]
        return self._frame(stamp_ns, halves)

    def _frame(self, stamp_ns: int, halves: _Halves) -> CameraFrame | None:
        assert halves.rgb is not None and halves.depth is not None
        assert self._intrinsics is not None
        try:
            return CameraFrame(
                self.camera, stamp_ns, halves.frame_id, halves.rgb, halves.depth, self._intrinsics
            )
        except ValueError as error:
            self.unpaired += 1
            self.last_error = str(error)
            return None
