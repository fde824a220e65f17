"""Puts frames together on a real robot, where every stream has times of its own.

One stream sets the pace: the fused cloud, else the first camera, else the joint states. A frame has
the stamp of its sample, about once per period; what the robot measured and was told is interpolated
to that stamp, so that picture and joints belong together to the millisecond. Of everything else the
sample nearest in time is taken, and none that is too far.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from gensim2_control.joint_history import neighbours
from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.assembly import (
    IMAGE_PREFIX,
    JOINT_STATES,
    POINTS,
    REFERENCE,
    Assembler,
    RecorderConfig,
)
from gensim2_episodes.frame import Frame
from gensim2_episodes.frame_builder import JointReading
from gensim2_episodes.manifest import RecordingReport

T = TypeVar("T")

_EARLY = 0.25
"""Share of the period by which a sample may be too early for its turn."""
_FOLLOW = 0.1
"""Share of the difference by which the pace follows the clock of a camera."""
_WIDEST_NS = 100_000_000
"""Longest time between two joint states around a frame, and between the frame and anything else in
it [ns]."""
_KEPT_NS = 2_000_000_000
"""How long samples are kept [ns], for a stream that is late to find its neighbours."""


def pace_of(config: RecorderConfig) -> str:
    """The stream that sets the pace."""
    if config.cloud:
        return POINTS
    return IMAGE_PREFIX + config.cameras[0] if config.cameras else JOINT_STATES


def missed(step_ns: int, period_ns: int) -> int:
    """How many frames there could have been between two stamps that are a step [ns] apart."""
    return max(0, round(step_ns / period_ns) - 1)


class PacedAssembler(Assembler):
    """Frames at the stamps of the stream that sets the pace."""

    def __init__(self, config: RecorderConfig, kinematics: Fr3Kinematics, start_ns: int) -> None:
        """Begins an episode; see `Assembler`."""
        super().__init__(config, kinematics, start_ns)
        self._pace = pace_of(config)
        self._heard = {stream: _Heard[Any]() for stream in config.streams}
        self._waiting: deque[int] = deque()
        self._last: int | None = None
        self._due = float(start_ns)
        self._given_up = start_ns - 1
        self._newest_frame = start_ns

    @property
    def done_ns(self) -> int:
        """Everything up to this stamp [ns] has become a frame, or was given up."""
        if self._waiting:
            return self._waiting[0] - 1
        return self._heard[self._pace].newest or self._start_ns - 1

    def last_ns(self, end_ns: int) -> int:
        """What `done_ns` must be [ns] before an episode can end that ends at a stamp."""
        return end_ns

    def lacking(self) -> list[str]:
        """Streams the next frame waits for."""
        if not self._waiting:
            return [self._pace]
        return [s for s in self._config.streams if self._choose(s, self._waiting[0]) is None]

    def take(self) -> Iterator[Frame]:
        """Gives out the frames that have become complete, oldest first.

        Raises:
            ValueError: A stream says something that cannot be used, such as a missing joint.
        """
        while self._waiting:
            at = self._waiting[0]
            samples = {stream: self._choose(stream, at) for stream in self._config.streams}
            lacking = [stream for stream, sample in samples.items() if sample is None]
            if lacking and not self._overdue(lacking, at):
                return
            self._waiting.popleft()
            if lacking:
                self._missing.update(lacking)
                self._given_up = at
                continue
            self._gap = missed(at - self._newest_frame, self._config.period_ns)
            frame = self._frame(at, samples)
            self._newest_frame = at
            yield frame

    def report(self, end_ns: int) -> RecordingReport:
        """What was missed.

        Args:
            end_ns: End of the episode [ns]; what was due before it and has not come is missing.
        """
        unheard = [] if self.done_ns >= end_ns else self.lacking()
        silent = missed(end_ns - self._newest_frame, self._config.period_ns)
        return RecordingReport(
            leading=self._leading if self._frames else silent,
            dropped=self._dropped,
            trailing=silent if self._frames else 0,
            late=self._late,
            missing=dict(sorted((self._missing + Counter(unheard)).items())),
            paced_by=self._pace,
        )

    def _add(self, stream: str, stamp_ns: int, sample: object) -> bool:
        if stamp_ns < self._start_ns or stream not in self._heard:
            return False
        if not self._heard[stream].add(stamp_ns, sample):
            return False
        self._late += stamp_ns <= self._given_up
        if stream == self._pace:
            self._take_turn(stamp_ns)
        return True

    def _pass(self, stream: str, stamp_ns: int) -> None:
        """A cloud of no use: there is no frame without it, which the next one will count."""

    def _take_turn(self, stamp_ns: int) -> None:
        """Decides whether a frame is made of a sample of the stream that sets the pace."""
        period = self._config.period_ns
        if self._last is None:
            self._due = stamp_ns
        elif stamp_ns < self._due - _EARLY * period:
            return
        late = max(0, round((stamp_ns - self._due) / period))
        self._due += late * period
        self._due += _FOLLOW * (stamp_ns - self._due) + period
        lost = missed(stamp_ns - (self._start_ns if self._last is None else self._last), period)
        if lost:
            self._missing[self._pace] += lost
        self._last = stamp_ns
        self._waiting.append(stamp_ns)

    def _choose(self, stream: str, at: int) -> Any:
        """The sample of a stream for a frame; None if it has not come, or is too far away."""
        heard = self._heard[stream]
        if stream == self._pace:
            return heard.nearest(at, 0)
        if stream in (JOINT_STATES, REFERENCE):
            return _between(heard, at)
        return heard.nearest(at, _WIDEST_NS)

    def _overdue(self, lacking: list[str], at: int) -> bool:
        """Whether waiting is of no use: what is lacking has moved on, or too much else waits."""
        late = at + _WIDEST_NS
        moved_on = all((self._heard[stream].newest or 0) > late for stream in lacking)
        return moved_on or len(self._waiting) > self._config.max_pending


class _Heard(Generic[T]):
    """The newest samples of a stream, by stamp."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.samples: list[T] = []

    @property
    def newest(self) -> int | None:
        """The newest stamp [ns]."""
        return self.stamps[-1] if self.stamps else None

    def add(self, stamp_ns: int, sample: T) -> bool:
        """Takes a sample that is newer than all others; tells whether it is."""
        if self.stamps and stamp_ns <= self.stamps[-1]:
            return False
        self.stamps.append(stamp_ns)
        self.samples.append(sample)
        old = bisect_left(self.stamps, stamp_ns - _KEPT_NS)
        del self.stamps[:old], self.samples[:old]
        return True

    def nearest(self, at: int, widest: int) -> T | None:
        """The sample nearest to a stamp; None until a later one has come, or beyond `widest`."""
        if not self.stamps or self.stamps[-1] < at:
            return None
        after = bisect_left(self.stamps, at)
        best = min(range(max(0, after - 1), after + 1), key=lambda i: abs(self.stamps[i] - at))
        return self.samples[best] if abs(self.stamps[best] - at) <= widest else None


def _between(heard: _Heard[JointReading], at: int) -> JointReading | None:
    """The joints at a stamp, on the straight line between the samples on both sides of it."""
    try:
        before, after, share = neighbours(heard.stamps, at, _WIDEST_NS)
    except LookupError:
        return None
    early, late = heard.samples[before], heard.samples[after]
    if before == after:
        return late
    if tuple(early.names) != tuple(late.names):
        raise ValueError("the joints change their order from one message to the next")

    def mix(first: Sequence[float], second: Sequence[float]) -> list[float]:
        if len(first) != len(second):
            raise ValueError(f"{len(first)} values in one message, {len(second)} in the next")
        return [a + share * (b - a) for a, b in zip(first, second, strict=True)]

    return JointReading(
        late.names, mix(early.position, late.position), mix(early.velocity, late.velocity)
    )
