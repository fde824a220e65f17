"""Puts frames together from streams that arrive separately, by their stamps.

A frame belongs to a tick: a multiple of the observation period on the ROS clock. Every stream that
is needed must have a sample *of that tick*; nothing older is ever filled in. Samples within a
stream arrive in order, so a tick is given up once every stream that lacks it has moved on, and
what was missing is counted.

That is for bodies that measure at the ticks, as a simulation does; `paced` is for the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.assembly import Assembler, RecorderConfig
from gensim2_episodes.frame import Frame
from gensim2_episodes.manifest import RecordingReport


class FrameAssembler(Assembler):
    """Frames at the multiples of the period, of samples that were taken there."""

    def __init__(self, config: RecorderConfig, kinematics: Fr3Kinematics, start_ns: int) -> None:
        """Begins an episode; see `Assembler`."""
        super().__init__(config, kinematics, start_ns)
        self._next = -(-start_ns // config.period_ns)
        self._newest = dict.fromkeys(config.streams, start_ns - 1)
        self._pending: dict[int, dict[str, Any]] = {}
        self._given_up: set[int] = set()

    @property
    def done_ns(self) -> int:
        """Every tick up to this stamp [ns] has become a frame, or was given up."""
        return (self._next - 1) * self._config.period_ns

    def tick_ns(self, stamp_ns: int) -> int:
        """The last tick [ns] that is not later than a stamp."""
        period = self._config.period_ns
        return (stamp_ns + self._config.tolerance_ns) // period * period

    def last_ns(self, end_ns: int) -> int:
        """The last tick [ns] of an episode: a moment after it something still happened.

        Where time stands still at its end, on a tick, that tick is the next episode's to observe.
        """
        return self.tick_ns(end_ns - 2 * self._config.tolerance_ns - 1)

    def lacking(self) -> list[str]:
        """Streams the next frame waits for."""
        samples = self._pending.get(self._next, {})
        return [stream for stream in self._config.streams if stream not in samples]

    def take(self) -> Iterator[Frame]:
        """Gives out the frames that have become complete, oldest first.

        Raises:
            ValueError: A stream says something that cannot be used, such as a missing joint.
        """
        while True:
            lacking = self.lacking()
            if not lacking:
                stamp_ns = self._next * self._config.period_ns
                frame = self._frame(stamp_ns, self._pending.pop(self._next))
                self._next += 1
                yield frame
            elif self._moved_on(lacking) or len(self._pending) > self._config.max_pending:
                self._give_up(lacking)
            else:
                return

    def report(self, end_ns: int) -> RecordingReport:
        """What was missed.

        Args:
            end_ns: End of the episode [ns]; ticks before it that have not come are missing.
        """
        trailing = max(0, self.last_ns(end_ns) - self.done_ns) // self._config.period_ns
        if self._frames:
            trailing += self._gap
        missing = self._missing + Counter(dict.fromkeys(self.lacking() if trailing else (), 1))
        return RecordingReport(
            leading=self._leading if self._frames else self._gap,
            dropped=self._dropped,
            trailing=trailing,
            late=self._late,
            missing=dict(sorted(missing.items())),
        )

    def _add(self, stream: str, stamp_ns: int, sample: object) -> bool:
        tick = self._tick_of(stream, stamp_ns)
        if tick is None:
            return False
        self._pending.setdefault(tick, {})[stream] = sample
        return True

    def _pass(self, stream: str, stamp_ns: int) -> None:
        self._tick_of(stream, stamp_ns)

    def _tick_of(self, stream: str, stamp_ns: int) -> int | None:
        """Notes how far a stream is; returns the tick of the sample, None if it is of no use."""
        if stamp_ns < self._start_ns or stream not in self._newest:
            return None
        self._newest[stream] = max(self._newest[stream], stamp_ns)
        period = self._config.period_ns
        tick = (stamp_ns + period // 2) // period
        if abs(stamp_ns - tick * period) > self._config.tolerance_ns:
            return None
        if tick < self._next:
            # Repeats of a stored sample are normal: where time stands still, messages repeat.
            self._late += tick in self._given_up
            return None
        return tick

    def _moved_on(self, streams: list[str]) -> bool:
        end = self._next * self._config.period_ns + self._config.tolerance_ns
        return all(self._newest[stream] > end for stream in streams)

    def _give_up(self, lacking: list[str]) -> None:
        count = 1
        if self._next not in self._pending:
            # Nobody knows of this tick: go on at the first one that somebody knows of.
            behind = min(self.tick_ns(stamp) for stamp in self._newest.values())
            known = [behind // self._config.period_ns, *self._pending]
            count = max(1, min(known) - self._next)
        self._given_up.add(self._next)
        self._missing.update(dict.fromkeys(lacking, count))
        self._gap += count
        self._pending.pop(self._next, None)
        self._next += count
