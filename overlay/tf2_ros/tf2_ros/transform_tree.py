"""The tree of frames with a history of transforms per frame. No ROS, no clock, no threads."""

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.geometry import IDENTITY, Rigid, compose, interpolate, invert, normalize

# How far from 1 the length of a rotation may be before it is refused.
NORM_TOLERANCE = 0.01
# More parents than this in a row mean that the frames form a ring.
_MAX_DEPTH = 1000


@dataclass
class _Frame:
    """What is known of one frame: T_parent_frame over time, or one for all times."""

    static: bool
    authority: str
    stamps: list[int] = field(default_factory=list)
    values: list[tuple[str, Rigid]] = field(default_factory=list)

    def at(self, time_ns: int) -> tuple[str, Rigid]:
        """Parent and transform at a time; LookupError outside of the history."""
        if self.static:
            return self.values[0]
        i = bisect_left(self.stamps, time_ns)
        if i < len(self.stamps) and self.stamps[i] == time_ns:
            return self.values[i]
        if i == 0 or i == len(self.stamps):
            raise LookupError
        (parent, before), (next_parent, after) = self.values[i - 1], self.values[i]
        if parent != next_parent:
            return parent, before
        start, end = self.stamps[i - 1], self.stamps[i]
        return parent, interpolate(before, after, (time_ns - start) / (end - start))


@dataclass(frozen=True)
class FrameInfo:
    """A summary of one frame; times in ns, both 0 for a static one."""

    name: str
    parent: str
    authority: str
    oldest_ns: int
    newest_ns: int
    count: int


class TransformTree:
    """Stores transforms and answers questions about them. Times are in ns; 0 asks for the latest.

    A result T_target_source maps coordinates in the source frame to the target frame.
    """

    def __init__(self, cache_time_ns: int) -> None:
        """Start empty.

        Args:
            cache_time_ns: how much history to keep per frame, from its newest entry back.
        """
        self._cache_time_ns = cache_time_ns
        self._frames: dict[str, _Frame] = {}
        self._roots: set[str] = set()

    def insert(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        transform: Rigid,
        *,
        static: bool = False,
        authority: str = "default_authority",
    ) -> bool:
        """Store T_parent_child; False if it is too old or already there.

        Raises:
            InvalidArgumentException: names or numbers that cannot be right.
        """
        parent, child = parent.lstrip("/"), child.lstrip("/")
        transform = _checked(parent, child, transform)
        frame = self._frames.get(child)
        if frame is None or frame.static != static:
            frame = self._frames[child] = _Frame(static, authority)
        self._roots.add(parent)
        frame.authority = authority
        if static:
            frame.stamps, frame.values = [0], [(parent, transform)]
            return True
        if frame.stamps and stamp_ns < frame.stamps[-1] - self._cache_time_ns:
            return False
        i = bisect_left(frame.stamps, stamp_ns)
        if i < len(frame.stamps) and frame.stamps[i] == stamp_ns:
            return False
        frame.stamps.insert(i, stamp_ns)
        frame.values.insert(i, (parent, transform))
        outdated = bisect_left(frame.stamps, frame.stamps[-1] - self._cache_time_ns)
        del frame.stamps[:outdated], frame.values[:outdated]
        return True

    def clear(self) -> None:
        """Forget everything but the static transforms."""
        for frame in self._frames.values():
            if not frame.static:
                frame.stamps.clear()
                frame.values.clear()

    def frames(self) -> Iterator[FrameInfo]:
        """All frames that have a parent now, sorted by name."""
        for name, frame in sorted(self._frames.items()):
            if frame.values:
                yield FrameInfo(
                    name,
                    frame.values[-1][0],
                    frame.authority,
                    frame.stamps[0],
                    frame.stamps[-1],
                    len(frame.stamps),
                )

    def knows(self, frame: str) -> bool:
        """Whether a frame has ever been named, as a child or as a parent."""
        return frame in self._frames or frame in self._roots

    def lookup(self, target: str, source: str, time_ns: int) -> tuple[int, Rigid]:
        """T_target_source at a time, with the time it holds for.

        Raises:
            TransformException: one of its sub-classes, which says what is missing.
        """
        self._check_name(target, "target_frame")
        self._check_name(source, "source_frame")
        if time_ns == 0:
            time_ns = self.latest_common_time(target, source)
        if target == source:
            return time_ns, IDENTITY
        up_source, source_error = self._climb(source, time_ns, stop=target)
        if source_error is None and up_source and up_source[-1][0] == target:
            return time_ns, up_source[-1][1]
        up_target, target_error = self._climb(target, time_ns, stop=source)
        from_source = {source: IDENTITY, **dict(up_source)}
        for ancestor, to_ancestor in [(target, IDENTITY), *up_target]:
            if ancestor in from_source:
                return time_ns, compose(invert(to_ancestor), from_source[ancestor])
        missing = source_error or target_error
        if missing is None:
            raise _unconnected(target, source)
        raise self._extrapolation(missing, time_ns, target, source)

    def lookup_full(
        self, target: str, target_ns: int, source: str, source_ns: int, fixed: str
    ) -> tuple[int, Rigid]:
        """T_target_source between two times, by way of a frame that does not move meanwhile.

        Raises:
            TransformException: one of its sub-classes, which says what is missing.
        """
        self._check_name(fixed, "fixed_frame")
        _, fixed_source = self.lookup(fixed, source, source_ns)
        stamp, target_fixed = self.lookup(target, fixed, target_ns)
        return stamp, compose(target_fixed, fixed_source)

    def latest_common_time(self, target: str, source: str) -> int:
        """The newest time for which T_target_source is known; 0 if all of it is static.

        Raises:
            TransformException: a frame is unknown, or the two are not connected.
        """
        self._check_name(target, "target_frame")
        self._check_name(source, "source_frame")
        if target == source:
            newest = self._frames.get(target)
            return newest.stamps[-1] if newest is not None and newest.stamps else 0
        source_path, target_path = self._ancestors(source), self._ancestors(target)
        common = next((name for name in source_path if name in target_path), None)
        if common is None:
            raise _unconnected(target, source)
        times = [
            self._frames[name].stamps[-1]
            for path in (source_path, target_path)
            for name in path[: path.index(common)]
            if not self._frames[name].static
        ]
        return min(times, default=0)

    def _ancestors(self, name: str) -> list[str]:
        """The frame and its newest known ancestors up to the root."""
        path = [name]
        while len(path) < _MAX_DEPTH:
            frame = self._frames.get(path[-1])
            if frame is None or not frame.values:
                return path
            path.append(frame.values[-1][0])
        raise InvalidArgumentException(f'The frames above "{name}" form a loop')

    def _climb(
        self, name: str, time_ns: int, stop: str
    ) -> tuple[list[tuple[str, Rigid]], str | None]:
        """T_ancestor_name for all ancestors up to `stop`, and the frame where time ran out."""
        path: list[tuple[str, Rigid]] = []
        current, transform = name, IDENTITY
        while current != stop:
            frame = self._frames.get(current)
            if frame is None:
                return path, None
            try:
                parent, step = frame.at(time_ns)
            except LookupError:
                return path, current
            current, transform = parent, compose(step, transform)
            path.append((current, transform))
            if len(path) > _MAX_DEPTH:
                raise InvalidArgumentException(f'The frames above "{name}" form a loop')
        return path, None

    def _check_name(self, frame: str, argument: str) -> None:
        prefix = f'Invalid argument "{frame}" passed to lookupTransform argument {argument}'
        if not frame:
            raise InvalidArgumentException(f"{prefix} in tf2 frame_ids cannot be empty")
        if frame.startswith("/"):
            raise InvalidArgumentException(f"{prefix} in tf2 frame_ids cannot start with a '/'")
        if not self.knows(frame):
            raise LookupException(
                f'"{frame}" passed to lookupTransform argument {argument} does not exist.'
            )

    def _extrapolation(
        self, frame_name: str, time_ns: int, target: str, source: str
    ) -> TransformException:
        stamps = self._frames[frame_name].stamps
        where = f"when looking up transform from frame [{source}] to frame [{target}]"
        asked = f"Requested time {time_ns * 1e-9:.6f}"
        if not stamps:
            return ExtrapolationException(f'No data for frame "{frame_name}", {where}')
        if len(stamps) == 1:
            return ExtrapolationException(
                f"Lookup would require extrapolation at time {time_ns * 1e-9:.6f}, but only time "
                f"{stamps[0] * 1e-9:.6f} is in the buffer, {where}"
            )
        past = time_ns < stamps[0]
        return ExtrapolationException(
            f"Lookup would require extrapolation into the {'past' if past else 'future'}.  {asked} "
            f"but the {'earliest' if past else 'latest'} data is at time "
            f"{stamps[0 if past else -1] * 1e-9:.6f}, {where}"
        )


def _unconnected(target: str, source: str) -> ConnectivityException:
    return ConnectivityException(
        f"Could not find a connection between '{target}' and '{source}' because they are not "
        "part of the same tree.Tf has two or more unconnected trees."
    )


def _checked(parent: str, child: str, transform: Rigid) -> Rigid:
    """The transform with a rotation of length 1."""
    if not parent or not child:
        raise InvalidArgumentException(
            f'a transform needs two frame names, not "{parent}" and "{child}"'
        )
    if parent == child:
        raise InvalidArgumentException(f'the frame "{child}" cannot be its own parent')
    translation, rotation = transform
    if not all(math.isfinite(number) for number in (*translation, *rotation)):
        raise InvalidArgumentException(
            f'the transform of "{child}" to "{parent}" has a number that is not finite'
        )
    if abs(math.hypot(*rotation) - 1.0) > NORM_TOLERANCE:
        raise InvalidArgumentException(
            f'the rotation of "{child}" to "{parent}" is not a unit quaternion: {rotation}'
        )
    return translation, normalize(rotation)
