"""The recording of one episode while it happens: fed by callbacks, controlled by the manager."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.assembly import Assembler, RecorderConfig
from gensim2_episodes.errors import StoreError
from gensim2_episodes.manifest import EpisodeRecord, Manifest, RecordingReport
from gensim2_episodes.paced import PacedAssembler
from gensim2_episodes.recorder import FrameAssembler
from gensim2_episodes.scene import Scene
from gensim2_episodes.writer import EpisodeWriter

if TYPE_CHECKING:
    from typing_extensions import Self

Acknowledge = Callable[[int, bool], None]
"""Called with the stamp [ns] up to which everything is stored, and whether recording goes on."""


_POLL = 0.1  # s


class Recording:
    """One episode on its way to the disk. Thread safe.

    Errors in `feed` (a full disk, a message that makes no sense) end the recording; they are kept
    and raised by `finish`, and `error` shows them before that.
    """

    def __init__(
        self,
        writer: EpisodeWriter,
        config: RecorderConfig,
        kinematics: Fr3Kinematics,
        start_ns: int,
        acknowledge: Acknowledge = lambda stamp_ns, active: None,
    ) -> None:
        """Begins; the first acknowledgement, of the start itself, is given at once.

        Args:
            writer: Takes the frames.
            config: What belongs to a frame.
            kinematics: Of the robot.
            start_ns: Samples before this stamp are ignored.
            acknowledge: See `Acknowledge`.
        """
        self._writer = writer
        kind = PacedAssembler if config.paced else FrameAssembler
        self._assembler: Assembler = kind(config, kinematics, start_ns)
        self._start_ns = start_ns
        self._acknowledge = acknowledge
        self._changed = threading.Condition()
        self._active = True
        self.error: Exception | None = None
        acknowledge(start_ns, True)

    @classmethod
    def of_scene(
        cls,
        writer: EpisodeWriter,
        config: RecorderConfig,
        kinematics: Fr3Kinematics,
        scene: Scene,
        acknowledge: Acknowledge = lambda stamp_ns, active: None,
    ) -> Self:
        """Begins with the first moment of a scene, and names its objects and keypoints."""
        writer.label("objects", tuple(thing.name for thing in scene.movable))
        writer.label("keypoints", scene.keypoint_names)
        return cls(writer, config, kinematics, scene.stamp_ns, acknowledge)

    @property
    def frames(self) -> int:
        """Frames so far."""
        return len(self._writer)

    @property
    def active(self) -> bool:
        """Whether samples are still taken."""
        return self._active and self.error is None

    def lacking(self) -> list[str]:
        """Streams the next frame waits for."""
        with self._changed:
            return self._assembler.lacking()

    def feed(self, add: Callable[[Assembler], object]) -> None:
        """Hands a sample to the assembler and stores the frames it completes.

        Args:
            add: Calls one of the assembler's `add_...` methods.
        """
        with self._changed:
            if not self.active:
                return
            before = self._assembler.done_ns
            try:
                add(self._assembler)
                for frame in self._assembler.take():
                    self._writer.append(frame)
            except (StoreError, ValueError) as error:
                self.error = error
                self._stop()
                self._changed.notify_all()
                return
            if self._assembler.done_ns != before:
                self._acknowledge(self._assembler.done_ns, True)
                self._changed.notify_all()

    def finish(
        self,
        end_ns: int,
        timeout: float,
        stopped: Callable[[], Exception | None] = lambda: None,
    ) -> RecordingReport:
        """Waits until everything before the end has arrived, and ends the recording.

        Args:
            end_ns: Stamp of the end of the episode [ns].
            timeout: Longest wait, wall clock [s]; what has not come by then is missing.
            stopped: Why to end waiting at once, if so.

        Raises:
            StoreError: The disk is full or not writable.
            ValueError: A stream said something that cannot be used.
            Exception: What `stopped` returns.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            target = self._assembler.last_ns(end_ns)
            while self.active and self._assembler.done_ns < target:
                if error := stopped():
                    raise error
                left = deadline - time.monotonic()
                if left <= 0.0:
                    break
                self._changed.wait(min(left, _POLL))
            self._stop()
            if self.error is not None:
                raise self.error
            return self._assembler.report(end_ns)

    def commit(self, record: EpisodeRecord) -> Manifest:
        """Stores the episode; call `finish` before.

        Raises:
            StoreError: There are no frames, or the disk is full.
        """
        with self._changed:
            self._stop()
            return self._writer.commit(record)

    def discard(self) -> None:
        """Drops the episode; does nothing after `commit` or `discard`."""
        with self._changed:
            self._stop()
            self._writer.discard()

    def _stop(self) -> None:
        if self._active:
            self._active = False
            self._acknowledge(max(self._start_ns, self._assembler.done_ns), False)
