"""Transforming stamped objects of any registered type, independent of the kind of buffer."""

from collections.abc import Callable
from typing import Any, ClassVar

from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.time import Time


class TypeException(Exception):  # noqa: N818 (upstream name)
    """No function is registered for a type."""


class NotImplementedException(Exception):  # noqa: N818 (upstream name)
    """The buffer cannot do this."""

    def __init__(self) -> None:
        super().__init__("not implemented")


class BufferInterface:
    """What a buffer offers beyond looking up: `transform` of stamped objects.

    Objects need a `header`, and a function registered for their type in `TransformRegistration`
    (importing tf2_geometry_msgs registers those of geometry_msgs).
    """

    def __init__(self) -> None:
        self.registration = TransformRegistration()

    def transform(
        self,
        object_stamped: Any,
        target_frame: str,
        timeout: Duration | None = None,
        new_type: Any = None,
    ) -> Any:
        """The object in another frame, at its own time.

        Args:
            object_stamped: what to transform; it is not changed.
            target_frame: the frame wanted.
            timeout: how long to wait for the transform (wall time).
            new_type: type to convert the result to.

        Raises:
            TypeException: no function is registered for its type.
            TransformException: the transform is not available.
        """
        do_transform = self.registration.get(type(object_stamped))
        header = object_stamped.header
        transform = self.lookup_transform(target_frame, header.frame_id, header.stamp, timeout)
        return _converted(do_transform(object_stamped, transform), new_type)

    def transform_full(
        self,
        object_stamped: Any,
        target_frame: str,
        target_time: Time,
        fixed_frame: str,
        timeout: Duration | None = None,
        new_type: Any = None,
    ) -> Any:
        """The object in another frame at another time, by way of a frame fixed meanwhile.

        Raises:
            TypeException: no function is registered for its type.
            TransformException: the transform is not available.
        """
        do_transform = self.registration.get(type(object_stamped))
        header = object_stamped.header
        transform = self.lookup_transform_full(
            target_frame, target_time, header.frame_id, header.stamp, fixed_frame, timeout
        )
        return _converted(do_transform(object_stamped, transform), new_type)

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Any, timeout: Duration | None = None
    ) -> TransformStamped:
        """See `Buffer.lookup_transform`."""
        raise NotImplementedException

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Duration | None = None,
    ) -> TransformStamped:
        """See `Buffer.lookup_transform_full`."""
        raise NotImplementedException


class TransformRegistration:
    """Which function transforms which type: `f(object, TransformStamped) -> object`."""

    _functions: ClassVar[dict[type, Callable[[Any, TransformStamped], Any]]] = {}

    def add(self, key: type, callback: Callable[[Any, TransformStamped], Any]) -> None:
        """Register a function for a type."""
        self._functions[key] = callback

    def get(self, key: type) -> Callable[[Any, TransformStamped], Any]:
        """The function for a type.

        Raises:
            TypeException: there is none.
        """
        if key not in self._functions:
            raise TypeException(
                f"Type {key} is not loaded or supported; `import tf2_geometry_msgs` adds the "
                "types of geometry_msgs"
            )
        return self._functions[key]


class ConvertRegistration:
    """Which functions convert a type to and from messages."""

    _to_msg: ClassVar[dict[type, Callable[[Any], Any]]] = {}
    _from_msg: ClassVar[dict[type, Callable[[Any], Any]]] = {}
    _convert: ClassVar[dict[tuple[type, type], Callable[[Any], Any]]] = {}

    def add_from_msg(self, key: type, callback: Callable[[Any], Any]) -> None:
        """Register how to make a `key` from a message."""
        self._from_msg[key] = callback

    def add_to_msg(self, key: type, callback: Callable[[Any], Any]) -> None:
        """Register how to make a message from a `key`."""
        self._to_msg[key] = callback

    def add_convert(self, key: tuple[type, type], callback: Callable[[Any], Any]) -> None:
        """Register a direct conversion (from, to)."""
        self._convert[key] = callback

    def convert(self, thing: Any, new_type: type) -> Any:
        """The thing as another type, directly or through its message.

        Raises:
            TypeException: no way is registered.
        """
        direct = self._convert.get((type(thing), new_type))
        if direct is not None:
            return direct(thing)
        if type(thing) is new_type:
            return thing
        if type(thing) not in self._to_msg or new_type not in self._from_msg:
            raise TypeException(f"no conversion from {type(thing)} to {new_type} is registered")
        return self._from_msg[new_type](self._to_msg[type(thing)](thing))


def convert(thing: Any, new_type: type) -> Any:
    """See `ConvertRegistration.convert`."""
    return ConvertRegistration().convert(thing, new_type)


def _converted(result: Any, new_type: type | None) -> Any:
    return result if new_type is None else convert(result, new_type)
