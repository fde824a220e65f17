"""MCAP files with messages of ROS 2: serialised messages in and out, no message classes."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import zstandard
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from gensim2_episodes.errors import StoreError
from gensim2_episodes.message_definitions import message_definition

if TYPE_CHECKING:
    from typing_extensions import Self

_LIBRARY = "gensim2_episodes"
_QOS = """\
- history: keep_last
  depth: 10
  reliability: reliable
  durability: {durability}
  deadline:
    sec: 9223372036
    nsec: 854775807
  lifespan:
    sec: 9223372036
    nsec: 854775807
  liveliness: automatic
  liveliness_lease_duration:
    sec: 9223372036
    nsec: 854775807
  avoid_ros_namespace_conventions: false
"""


@dataclass(frozen=True)
class Topic:
    """A topic of a file.

    Attributes:
        name: For example "/joint_states".
        kind: Type of its messages, for example "sensor_msgs/msg/JointState".
        latched: Late subscribers get the last message when the file is played.
    """

    name: str
    kind: str
    latched: bool = False


@dataclass(frozen=True)
class Sample:
    """A message.

    Attributes:
        topic: Where.
        stamp_ns: When [ns].
        data: Serialised (CDR).
    """

    topic: Topic
    stamp_ns: int
    data: bytes


class McapWriter:
    """Writes one file, compressed with zstd; `with` ends it."""

    def __init__(self, path: Path) -> None:
        """Opens a new file.

        Raises:
            OSError: It exists, or cannot be written.
        """
        self._file = path.open("xb")
        self._writer = Writer(self._file, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library=_LIBRARY)
        self._schemas: dict[str, int] = {}
        self._channels: dict[Topic, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.closing(self._file):
            if error is None:
                self._writer.finish()  # type: ignore[no-untyped-call]

    def attach(self, name: str, media_type: str, data: bytes, stamp_ns: int) -> None:
        """Adds a file to the file."""
        self._writer.add_attachment(stamp_ns, stamp_ns, name, media_type, data)

    def write(self, sample: Sample) -> None:
        """Adds a message."""
        if sample.topic not in self._channels:
            self._channels[sample.topic] = self._register(sample.topic)
        self._writer.add_message(
            self._channels[sample.topic], sample.stamp_ns, sample.data, sample.stamp_ns
        )

    def _register(self, topic: Topic) -> int:
        if topic.kind not in self._schemas:
            text = message_definition(topic.kind)
            self._schemas[topic.kind] = self._writer.register_schema(
                topic.kind, "ros2msg", text.encode()
            )
        durability = "transient_local" if topic.latched else "volatile"
        return self._writer.register_channel(
            topic.name,
            "cdr",
            self._schemas[topic.kind],
            {"offered_qos_profiles": _QOS.format(durability=durability)},
        )


def read_attachment(path: Path, name: str) -> bytes | None:
    """A file in the file; None where it has none of that name.

    Raises:
        StoreError: The file cannot be read, or is no MCAP file.
    """
    with _damage(path), path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        return next((a.data for a in reader.iter_attachments() if a.name == name), None)


def read_samples(path: Path) -> Iterator[Sample]:
    """All messages, in the order of their time.

    Raises:
        StoreError: The file cannot be read, or is damaged.
    """
    with _damage(path), path.open("rb") as file:
        topics: dict[int, Topic] = {}
        for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
            kind = schema.name if schema else ""
            topic = topics.setdefault(channel.id, Topic(channel.topic, kind))
            yield Sample(topic, message.log_time, message.data)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Says that a file cannot be read, and why."""
    try:
        yield
    except (McapError, OSError, ValueError, struct.error, zstandard.ZstdError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(
            f"{path} cannot be read, or is damaged: {reason[:200]}. Get the file again"
        ) from error
