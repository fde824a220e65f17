"""Takes frames from a camera that may fall silent, be unplugged and come back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from .realsense_settings import CaptureSettings
from .rgbd_frame import RgbdFrame, TimeDomain
from .stamp_clock import StampClock

RATE_WINDOW_S = 2.0
_NS = 1_000_000_000


class SourceError(RuntimeError):
    """A camera cannot be opened or is lost; the text says what to do. It is tried again."""


class RecordingEnded(Exception):  # noqa: N818 - it is no error
    """A recording that is not repeated has been played to its end."""


@dataclass(frozen=True)
class SourceInfo:
    """What delivers the frames.

    Attributes:
        name: Model.
        serial: Serial number.
        firmware: Version of the firmware.
        usb: Type of the USB connection, for example 3.2; empty where there is none.
        fps: Frames per second it shall deliver; 0 = not known.
    """

    name: str
    serial: str = ""
    firmware: str = ""
    usb: str = ""
    fps: int = 0


class FrameSource(Protocol):
    """An open camera."""

    @property
    def info(self) -> SourceInfo:
        """What it is."""

    def wait(self, timeout_s: float) -> RgbdFrame | None:
        """The next frame, stamped by the camera; None where none came in time.

        Raises:
            SourceError: it is gone.
            RecordingEnded: there are no more frames.
        """

    def reset(self) -> None:
        """Restart the hardware, where there is any, and close."""

    def close(self) -> None:
        """Let go of it; may be called again."""


class CaptureState(Enum):
    """Where the capture stands."""

    OPENING = "opening"
    STREAMING = "streaming"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class CaptureStatus:
    """The capture at one instant.

    Attributes:
        state: Where it stands.
        info: The camera, once opened.
        domain: Clock of its stamps, once there was a frame.
        frames: Frames passed on.
        rate: Frames per second of the last seconds.
        streaming_s: Time since the first frame after it was opened [s].
        age_s: Time since the last frame passed on arrived [s]; None = there was none.
        timeouts: Frames that did not come in time.
        silent: Of those, the last ones without a frame between them.
        reconnects: Times it was opened again.
        resets: Times the hardware was reset.
        stale: Frames not passed on because their stamp was too far from now.
        problem: What went wrong last; empty while frames come.
    """

    state: CaptureState = CaptureState.OPENING
    info: SourceInfo | None = None
    domain: TimeDomain | None = None
    frames: int = 0
    rate: float = 0.0
    streaming_s: float = 0.0
    age_s: float | None = None
    timeouts: int = 0
    silent: int = 0
    reconnects: int = 0
    resets: int = 0
    stale: int = 0
    problem: str = ""


class Capture:
    """Opens a camera, passes its frames on, and never gives up but at the end of a recording.

    Only `status` may be called from another thread than the one that runs it.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        settings: CaptureSettings,
        on_frame: Callable[[RgbdFrame], None],
        *,
        now_ns: Callable[[], int],
        steady_s: Callable[[], float],
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            open_source: opens the camera; raises SourceError where it cannot.
            settings: when it counts as silent.
            on_frame: gets every frame, stamped in the time of `now_ns`.
            now_ns: time of day [ns], which cameras stamp with.
            steady_s: time that never jumps [s].
        """
        self._open_source = open_source
        self._settings = settings
        self._on_frame = on_frame
        self._now_ns = now_ns
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._status = CaptureStatus()
        self._arrivals: deque[float] = deque()
        self._last_arrival: float | None = None
        self._first_arrival: float | None = None
        self._source: FrameSource | None = None
        self._stamps = StampClock(settings.rebase)

    @property
    def status(self) -> CaptureStatus:
        """How it is now."""
        with self._lock:
            now = self._steady_s()
            while self._arrivals and now - self._arrivals[0] > RATE_WINDOW_S:
                self._arrivals.popleft()
            return replace(
                self._status,
                rate=len(self._arrivals) / RATE_WINDOW_S,
                streaming_s=0.0 if self._first_arrival is None else now - self._first_arrival,
                age_s=None if self._last_arrival is None else now - self._last_arrival,
            )

    def run(self, stop: threading.Event) -> None:
        """Capture until told to stop, or until a recording ends."""
        try:
            while not stop.is_set() and self._status.state is not CaptureState.ENDED:
                rest_s = self.step()
                if rest_s > 0.0:
                    stop.wait(rest_s)
        finally:
            self._close()

    def step(self) -> float:
        """Open the camera, or take one frame; return how long to rest before the next step [s]."""
        if self._source is None:
            return self._open()
        try:
            frame = self._source.wait(self._settings.frame_timeout_s)
        except RecordingEnded:
            self._close()
            self._note(state=CaptureState.ENDED, problem="")
            return 0.0
        except SourceError as error:
            return self._lose(str(error))
        if frame is None:
            return self._miss(self._source)
        self._take(frame)
        return 0.0

    def _open(self) -> float:
        first = self._status.state is CaptureState.OPENING
        try:
            source = self._open_source()
        except SourceError as error:
            self._note(problem=str(error))
            return self._settings.retry_s
        self._source = source
        self._stamps = StampClock(self._settings.rebase)
        reconnects = self._status.reconnects + (0 if first else 1)
        self._note(state=CaptureState.STREAMING, info=source.info, reconnects=reconnects, silent=0)
        return 0.0

    def _take(self, frame: RgbdFrame) -> None:
        now_ns = self._now_ns()
        stamp_ns = self._stamps.stamp(frame.stamp_ns, frame.domain, now_ns)
        if stamp_ns is None:
            return
        if abs(now_ns - stamp_ns) > self._settings.frame_timeout_s * _NS:
            side = "old" if stamp_ns < now_ns else "in the future"
            self._note(
                stale=self._status.stale + 1,
                silent=0,
                domain=frame.domain,
                problem=f"frames come with stamps that are too {side} ({frame.domain.value}); is "
                "the computer too slow for this profile, or was its clock changed?",
            )
            return
        arrival = self._steady_s()
        with self._lock:
            self._arrivals.append(arrival)
            self._last_arrival = arrival
            if self._first_arrival is None:
                self._first_arrival = arrival
        self._note(frames=self._status.frames + 1, silent=0, domain=frame.domain, problem="")
        self._on_frame(replace(frame, stamp_ns=stamp_ns))

    def _miss(self, source: FrameSource) -> float:
        silent = self._status.silent + 1
        self._note(
            timeouts=self._status.timeouts + 1,
            silent=silent,
            problem=f"no frame within {self._settings.frame_timeout_s:g} s; is the cable loose or "
            "the USB controller overloaded?",
        )
        if silent < self._settings.reset_after:
            return 0.0
        self._note(resets=self._status.resets + 1)
        try:
            source.reset()
        except SourceError as error:
            return self._lose(str(error))
        return self._lose(f"reset after {silent} frames in a row did not come")

    def _lose(self, problem: str) -> float:
        self._close()
        self._note(state=CaptureState.LOST, problem=problem)
        return self._settings.retry_s

    def _close(self) -> None:
        source, self._source = self._source, None
        with self._lock:
            self._first_arrival = None
        if source is not None:
            source.close()

    def _note(self, **changes: object) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)  # type: ignore[arg-type]
