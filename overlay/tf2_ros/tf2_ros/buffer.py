"""The transform buffer with the interface of the upstream one."""

import threading
import time as wall_clock
from collections.abc import Callable
from typing import Any

import yaml
from geometry_msgs.msg import TransformStamped
from rclpy.clock import ClockType
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.task import Future
from rclpy.time import Time

from tf2_ros.buffer_interface import BufferInterface
from tf2_ros.exceptions import InvalidArgumentException, TransformException
from tf2_ros.geometry import Rigid
from tf2_ros.transform_tree import TransformTree

_CACHE_S = 10


class Buffer(BufferInterface):
    """Stores transforms and looks them up; thread safe.

    Times may be rclpy or message times; time 0 asks for the latest common one. Timeouts are in
    wall time, so that a simulation that stands still does not block for ever. Do not wait in a
    callback of a single-threaded executor: it would keep new transforms from arriving.
    """

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        """Start empty.

        Args:
            cache_time: how much history to keep; 10 s if None.
            node: accepted for compatibility.
        """
        super().__init__()
        self.cache_time = cache_time or Duration(seconds=_CACHE_S)
        self._tree = TransformTree(self.cache_time.nanoseconds)
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[tuple[Callable[[], bool], Future]] = []

    def set_transform(self, transform: TransformStamped, authority: str) -> bool:
        """Store a transform; False if it is invalid (logged), too old or already there."""
        return self._insert(transform, authority, static=False)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> bool:
        """Store a transform that holds for all times; False if it is invalid (logged)."""
        return self._insert(transform, authority, static=True)

    def _insert(self, transform: TransformStamped, authority: str, *, static: bool) -> bool:
        t, q = transform.transform.translation, transform.transform.rotation
        rigid = (float(t.x), float(t.y), float(t.z)), (float(q.x), float(q.y), float(q.z), q.w)
        with self._changed:
            try:
                stored = self._tree.insert(
                    transform.header.frame_id,
                    transform.child_frame_id,
                    _nanoseconds(transform.header.stamp),
                    rigid,
                    static=static,
                    authority=authority,
                )
            except InvalidArgumentException as error:
                get_logger("tf2").error(f"Ignoring a transform from '{authority}': {error}")
                return False
            if stored:
                self._changed.notify_all()
            ready = [future for possible, future in self._waiting if possible()]
        for future in ready:
            future.set_result(True)
        return stored

    def clear(self) -> None:
        """Forget everything but the static transforms."""
        with self._changed:
            self._tree.clear()

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Any, timeout: Duration | None = None
    ) -> TransformStamped:
        """The transform that maps coordinates in `source_frame` to `target_frame`.

        Raises:
            TransformException: one of its sub-classes: not available in time.
        """
        time_ns = _nanoseconds(time)

        def query() -> tuple[int, Rigid]:
            return self._tree.lookup(target_frame, source_frame, time_ns)

        return _message(target_frame, source_frame, *self._wait(query, timeout))

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Duration | None = None,
    ) -> TransformStamped:
        """As `lookup_transform`, between two times, by way of a frame fixed meanwhile.

        Raises:
            TransformException: one of its sub-classes: not available in time.
        """
        target_ns, source_ns = _nanoseconds(target_time), _nanoseconds(source_time)

        def query() -> tuple[int, Rigid]:
            return self._tree.lookup_full(
                target_frame, target_ns, source_frame, source_ns, fixed_frame
            )

        return _message(target_frame, source_frame, *self._wait(query, timeout))

    def can_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Any,
        timeout: Duration | None = None,
        return_debug_tuple: bool = False,
    ) -> Any:
        """Whether `lookup_transform` would succeed: a bool, or on request (bool, why not)."""
        try:
            self.lookup_transform(target_frame, source_frame, time, timeout)
        except TransformException as error:
            return (False, str(error)) if return_debug_tuple else False
        return (True, "") if return_debug_tuple else True

    def can_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Duration | None = None,
        return_debug_tuple: bool = False,
    ) -> Any:
        """Whether `lookup_transform_full` would succeed: a bool, or on request (bool, why not)."""
        try:
            self.lookup_transform_full(
                target_frame, target_time, source_frame, source_time, fixed_frame, timeout
            )
        except TransformException as error:
            return (False, str(error)) if return_debug_tuple else False
        return (True, "") if return_debug_tuple else True

    def _wait(
        self, query: Callable[[], tuple[int, Rigid]], timeout: Duration | None
    ) -> tuple[int, Rigid]:
        """The answer, as soon as there is one; the last error when the time is over."""
        deadline = wall_clock.monotonic() + (timeout.nanoseconds * 1e-9 if timeout else 0.0)
        with self._changed:
            while True:
                try:
                    return query()
                except TransformException:
                    left = deadline - wall_clock.monotonic()
                    if left <= 0:
                        raise
                self._changed.wait(left)

    def wait_for_transform_async(self, target_frame: str, source_frame: str, time: Any) -> Future:
        """A future that is done (True) as soon as the transform can be looked up."""
        return self._when(lambda: bool(self.can_transform(target_frame, source_frame, time)))

    def wait_for_transform_full_async(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
    ) -> Future:
        """A future that is done (True) as soon as the transform can be looked up."""
        return self._when(
            lambda: bool(
                self.can_transform_full(
                    target_frame, target_time, source_frame, source_time, fixed_frame
                )
            )
        )

    def _when(self, possible: Callable[[], bool]) -> Future:
        future = Future()
        with self._changed:
            if not possible():
                entry = (possible, future)
                self._waiting.append(entry)
                future.add_done_callback(lambda _: self._forget(entry))
                return future
        future.set_result(True)
        return future

    def _forget(self, entry: tuple[Callable[[], bool], Future]) -> None:
        with self._changed:
            if entry in self._waiting:
                self._waiting.remove(entry)

    async def lookup_transform_async(
        self, target_frame: str, source_frame: str, time: Any
    ) -> TransformStamped:
        """As `lookup_transform`, waiting without blocking the executor."""
        await self.wait_for_transform_async(target_frame, source_frame, time)
        return self.lookup_transform(target_frame, source_frame, time)

    async def lookup_transform_full_async(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
    ) -> TransformStamped:
        """As `lookup_transform_full`, waiting without blocking the executor."""
        await self.wait_for_transform_full_async(
            target_frame, target_time, source_frame, source_time, fixed_frame
        )
        return self.lookup_transform_full(
            target_frame, target_time, source_frame, source_time, fixed_frame
        )

    def get_latest_common_time(self, target_frame: str, source_frame: str) -> Time:
        """The newest time for which the transform is known.

        Raises:
            TransformException: a frame is unknown, or the two are not connected.
        """
        with self._changed:
            newest_ns = self._tree.latest_common_time(target_frame, source_frame)
        return Time(nanoseconds=newest_ns, clock_type=ClockType.ROS_TIME)

    def all_frames_as_yaml(self) -> str:
        """What is stored, per frame: parent, broadcaster, times [s] and rate [Hz]."""
        with self._changed:
            frames = list(self._tree.frames())
        document = {
            frame.name: {
                "parent": frame.parent,
                "broadcaster": frame.authority,
                "rate": round(
                    (frame.count - 1) / max((frame.newest_ns - frame.oldest_ns) * 1e-9, 1e-4), 3
                ),
                "most_recent_transform": round(frame.newest_ns * 1e-9, 6),
                "oldest_transform": round(frame.oldest_ns * 1e-9, 6),
                "buffer_length": round((frame.newest_ns - frame.oldest_ns) * 1e-9, 3),
            }
            for frame in frames
        }
        text: str = yaml.safe_dump(document, sort_keys=False)
        return text

    def all_frames_as_string(self) -> str:
        """One line per frame and its parent."""
        with self._changed:
            return "".join(
                f"Frame {frame.name} exists with parent {frame.parent}.\n"
                for frame in self._tree.frames()
            )


def _nanoseconds(time: Any) -> int:
    """An rclpy or message time in ns."""
    if isinstance(time, Time):
        return int(time.nanoseconds)
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)


def _message(target: str, source: str, stamp_ns: int, transform: Rigid) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp = Time(nanoseconds=stamp_ns).to_msg()
    message.header.frame_id = target
    message.child_frame_id = source
    t, q = message.transform.translation, message.transform.rotation
    (t.x, t.y, t.z), (q.x, q.y, q.z, q.w) = transform
    return message
