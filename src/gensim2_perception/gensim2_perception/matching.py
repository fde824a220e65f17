"""Finds the frames of several cameras that belong to the same instant."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrival(Enum):
    """What became of an item given to `StampMatcher.add`."""

    ACCEPTED = "accepted"
    LATE = "late"  # its instant was already emitted, or it came twice: dropped
    JUMPED_BACK = "jumped back"  # the clock was set back: all else was flushed, the item kept


@dataclass(frozen=True)
class MatchedSet(Generic[T]):
    """Items of one instant.

    Attributes:
        items: By source, in the order of the sources of the matcher; absent ones are left out.
        stamps_ns: Their stamps [ns], same keys.
        missing: Sources that have no item in this set.
    """

    items: Mapping[str, T]
    stamps_ns: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def stamp_ns(self) -> int:
        """The oldest stamp of the set [ns]: an age computed from it never flatters."""
        return min(self.stamps_ns.values())

    @property
    def spread_ns(self) -> int:
        """Newest minus oldest stamp [ns]."""
        return max(self.stamps_ns.values()) - self.stamp_ns


@dataclass
class MatcherCounts:
    """How many items and sets met which fate since the start."""

    sets: int = 0
    partial_sets: int = 0
    late: int = 0
    superseded: int = 0
    overflow: int = 0
    jumps: int = 0


@dataclass(frozen=True)
class _Entry(Generic[T]):
    stamp_ns: int
    item: T
    arrived_s: float


@dataclass
class _Queue(Generic[T]):
    entries: deque[_Entry[T]] = field(default_factory=deque)
    newest_ns: int | None = None
    silent: bool = False


class StampMatcher(Generic[T]):
    """Approximate matching by stamp, in order, with bounded queues.

    The oldest waiting item opens a set; every other source contributes the item that lies within
    ``max_spread`` of it. If several do, the newest that is not after the others is taken. Where all
    sources carry identical stamps, each instant gives exactly one set and none is lost.

    A source is absent from a set when its own next item is already too new (nothing can come any
    more), or when the set has waited ``deadline`` for it. Then the set is emitted without it, and
    until the source delivers again later sets do not wait for it.

    Sets come out with strictly increasing stamps. An item that belongs to an instant already
    emitted is dropped. An item much older than its predecessor means that the clock was set back:
    everything is flushed and matching starts afresh.

    Two clocks are involved and never mixed: stamps [ns] come from the messages; ``steady_s`` is a
    monotonic clock [s] of the caller, which also runs when simulated time stands still.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        max_spread_ns: int,
        deadline_s: float,
        queue_depth: int = 16,
        jump_back_ns: int = 500_000_000,
    ) -> None:
        """Creates an empty matcher.

        Args:
            sources: Names; their order is the order within a set.
            max_spread_ns: Largest difference of stamps within a set [ns].
            deadline_s: How long a set waits for a source, from the arrival of its first item [s].
            queue_depth: Items kept per source; when it is full the oldest is dropped.
            jump_back_ns: A stamp this far behind its predecessor is a jump of the clock [ns].

        Raises:
            ValueError: no or repeated sources, or a limit that is not positive.
        """
        if not sources or len(set(sources)) != len(sources):
            raise ValueError(f"matcher: sources must be named once each, got {list(sources)}")
        if max_spread_ns < 0 or deadline_s <= 0 or queue_depth < 1 or jump_back_ns <= 0:
            raise ValueError(
                "matcher: max_spread must be >= 0, deadline, queue depth and jump_back positive; "
                f"got {max_spread_ns}, {deadline_s}, {queue_depth}, {jump_back_ns}"
            )
        self.counts = MatcherCounts()
        self._max_spread_ns = max_spread_ns
        self._deadline_s = deadline_s
        self._depth = queue_depth
        self._jump_back_ns = jump_back_ns
        self._queues: dict[str, _Queue[T]] = {name: _Queue() for name in sources}
        self._floor_ns: int | None = None

    @property
    def silent(self) -> tuple[str, ...]:
        """Sources that missed a deadline and have not delivered since."""
        return tuple(name for name, queue in self._queues.items() if queue.silent)

    def flush(self) -> None:
        """Forgets all items and stamps; keeps the counts and who is silent."""
        self._floor_ns = None
        for queue in self._queues.values():
            queue.entries.clear()
            queue.newest_ns = None

    def add(self, source: str, stamp_ns: int, item: T, steady_s: float) -> Arrival:
        """Takes one item; call `pop` afterwards until it returns None.

        Raises:
            KeyError: the source is not one of this matcher.
        """
        queue = self._queues[source]
        queue.silent = False
        arrival = Arrival.ACCEPTED
        if queue.newest_ns is not None and stamp_ns < queue.newest_ns - self._jump_back_ns:
            self.flush()
            self.counts.jumps += 1
            arrival = Arrival.JUMPED_BACK
        floor = self._floor_ns
        # One source sends in order, so an older or equal stamp is a repetition.
        if (queue.newest_ns is not None and stamp_ns <= queue.newest_ns) or (
            floor is not None and stamp_ns <= floor
        ):
            self.counts.late += 1
            return Arrival.LATE
        if len(queue.entries) == self._depth:
            queue.entries.popleft()
            self.counts.overflow += 1
        queue.entries.append(_Entry(stamp_ns, item, steady_s))
        queue.newest_ns = stamp_ns
        return arrival

    def pop(self, steady_s: float) -> MatchedSet[T] | None:
        """The next set that is complete, or as complete as it will get; None if there is none."""
        heads = [queue.entries[0] for queue in self._queues.values() if queue.entries]
        if not heads:
            return None
        opening = min(heads, key=lambda entry: entry.stamp_ns)
        window_end = opening.stamp_ns + self._max_spread_ns
        present: list[str] = []
        for name, queue in self._queues.items():
            if queue.entries:
                if queue.entries[0].stamp_ns <= window_end:
                    present.append(name)
            elif not queue.silent:
                # The opening item came first or waited longest, so its patience decides.
                if steady_s - opening.arrived_s < self._deadline_s:
                    return None
                queue.silent = True
        return self._take(present)

    def _take(self, present: Sequence[str]) -> MatchedSet[T]:
        pivot = max(self._queues[name].entries[0].stamp_ns for name in present)
        chosen: dict[str, _Entry[T]] = {}
        for name in present:
            entries = self._queues[name].entries
            while len(entries) > 1 and entries[1].stamp_ns <= pivot:
                entries.popleft()
                self.counts.superseded += 1
            chosen[name] = entries.popleft()
        self._floor_ns = pivot
        missing = tuple(name for name in self._queues if name not in chosen)
        self.counts.sets += 1
        self.counts.partial_sets += bool(missing)
        return MatchedSet(
            items={name: entry.item for name, entry in chosen.items()},
            stamps_ns={name: entry.stamp_ns for name, entry in chosen.items()},
            missing=missing,
        )
