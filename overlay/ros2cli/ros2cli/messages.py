"""Messages from and to plain Python values and YAML text; no ROS graph needed."""

import array
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from rosidl_parser.definition import (
    AbstractNestedType,
    AbstractString,
    AbstractWString,
    Array,
    BasicType,
    BoundedSequence,
    NamespacedType,
)

from ros2cli.interfaces import load_type, type_path

# The length from which strings and arrays are shortened, as upstream does.
TRUNCATE_LENGTH = 128
_FLOATS = ("float", "double", "long double")


class FieldError(ValueError):
    """A value does not fit into a message field; the text says which and why."""


def parse_yaml(text: str) -> dict[str, Any]:
    """Field values from YAML text; empty text and `{}` give no values.

    Raises:
        FieldError: not YAML, or not a mapping.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FieldError(f"The passed value is not valid YAML: {error}") from None
    if values is None or values == "":
        return {}
    if not isinstance(values, dict):
        raise FieldError("The passed value needs to be a dictionary in YAML format")
    return values


def build(message_type: Any, values: Mapping[str, Any], *, now: Any = None, path: str = "") -> Any:
    """A message with some fields set, every value checked against its field's type.

    Args:
        message_type: the class of the message.
        values: field name to plain value, nested messages as mappings.
        now: builtin_interfaces/Time which `header: auto` and `stamp: now` stand for.
        path: where in an outer message this one is, for the error texts.

    Raises:
        FieldError: unknown field or a value that does not fit, with the path to it.
    """
    message = message_type(check_fields=True)
    slots = dict(
        zip(message_type.get_fields_and_field_types(), message_type.SLOT_TYPES, strict=True)
    )
    for name, value in values.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in slots:
            known = ", ".join(slots) or "none"
            raise FieldError(
                f"'{where}' is not a field of {type_path(message_type)} (it has: {known})"
            )
        converted = _convert(slots[name], value, now, where)
        try:
            setattr(message, name, converted)
        except (AssertionError, TypeError, OverflowError) as error:
            raise FieldError(f"'{where}': {error}") from None
    return message


def _convert(slot: Any, value: Any, now: Any, where: str) -> Any:
    if isinstance(slot, NamespacedType):
        return _convert_message(slot, value, now, where)
    if isinstance(slot, AbstractNestedType):
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise FieldError(f"'{where}' needs a list, not {value!r}")
        element = slot.value_type
        return [_convert(element, item, now, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(slot, AbstractString | AbstractWString):
        if isinstance(value, Mapping | list) or value is None:
            raise FieldError(f"'{where}' needs a text, not {value!r}")
        return str(value)
    return _convert_basic(slot, value, where)


def _convert_message(slot: NamespacedType, value: Any, now: Any, where: str) -> Any:
    nested = load_type("/".join(slot.namespaced_name()), slot.namespaced_name()[1])
    if now is not None:
        name = slot.namespaced_name()[-1]
        if value == "auto" and name == "Header":
            return nested(stamp=now)
        if value == "now" and name == "Time":
            return now
    if not isinstance(value, Mapping):
        raise FieldError(f"'{where}' needs a mapping of fields, not {value!r}")
    return build(nested, value, now=now, path=where)


def _convert_basic(slot: BasicType, value: Any, where: str) -> Any:
    if slot.typename == "boolean":
        if not isinstance(value, bool):
            raise FieldError(f"'{where}' needs true or false, not {value!r}")
        return value
    if slot.typename == "octet":
        if not isinstance(value, int) or not 0 <= value <= 255:
            raise FieldError(f"'{where}' needs a number from 0 to 255, not {value!r}")
        return bytes([value])
    if slot.typename in _FLOATS:
        # YAML 1.1 reads "1e-3" as a text, hence the attempt with strings.
        try:
            if isinstance(value, bool):
                raise ValueError
            return float(value)
        except (TypeError, ValueError):
            raise FieldError(f"'{where}' needs a number, not {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(f"'{where}' needs an integer, not {value!r}")
    return value


@dataclass(frozen=True)
class Brevity:
    """What of a message is not shown in full.

    Attributes:
        truncate: longest array or text to keep, the rest becomes `...`; None keeps all.
        no_arr: of arrays in a message only type and length.
        no_str: of texts in a message only the length.
    """

    truncate: int | None = None
    no_arr: bool = False
    no_str: bool = False


_IN_FULL = Brevity()


def to_plain(value: Any, brevity: Brevity = _IN_FULL) -> Any:
    """A message or field value as plain Python: dict, list, str, number.

    Args:
        value: a message, a field of one, or a list of them. What is asked for itself is shown
            also with `no_arr` and `no_str`, which concern the fields of a message.
        brevity: what to leave out.
    """
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        limit = brevity.truncate
        return value if limit is None or len(value) <= limit else value[:limit] + "..."
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bytes) and len(value) == 1:
        # This is how Python messages hold one field of type byte.
        return value[0]
    if isinstance(value, bytes | array.array | np.ndarray | list | tuple | set):
        return _plain_list(value, brevity)
    slots = zip(value.get_fields_and_field_types(), value.SLOT_TYPES, strict=True)
    return {name: _plain_field(slot, getattr(value, name), brevity) for name, slot in slots}


def _plain_list(value: Any, brevity: Brevity) -> list[Any]:
    # Cut before converting: a point cloud has millions of elements.
    too_long = brevity.truncate is not None and len(value) > brevity.truncate
    kept: Iterable[Any] = value[: brevity.truncate] if too_long else value
    if isinstance(kept, array.array | np.ndarray):
        kept = kept.tolist()
    plain = [to_plain(item, brevity) for item in kept]
    return [*plain, "..."] if too_long else plain


def _plain_field(slot: Any, value: Any, brevity: Brevity) -> Any:
    if brevity.no_arr and isinstance(slot, AbstractNestedType):
        return _array_summary(slot, len(value))
    if brevity.no_str and isinstance(value, str):
        return _text_summary(value)
    if brevity.no_str and isinstance(value, list) and value and isinstance(value[0], str):
        return _plain_list(list(map(_text_summary, value)), brevity)
    return to_plain(value, brevity)


def _text_summary(text: str) -> str:
    return f"<string length: <{len(text)}>>"


def _array_summary(slot: AbstractNestedType, length: int) -> str:
    element = slot.value_type
    if isinstance(element, NamespacedType):
        name = "/".join(element.namespaced_name())
    elif isinstance(element, BasicType):
        name = element.typename
    else:
        name = "wstring" if isinstance(element, AbstractWString) else "string"
    if isinstance(slot, Array):
        return f"<array type: {name}[{slot.size}]>"
    if isinstance(slot, BoundedSequence):
        name += f"[{slot.maximum_size}]"
    return f"<sequence type: {name}, length: {length}>"


class _Dumper(yaml.SafeDumper):
    """Writes texts with unusual line breaks such that they can be read back."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    unusual = any(character in text for character in "\x85\u2028\u2029")
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if unusual else None)


_Dumper.add_representer(str, _represent_text)


def to_yaml(value: Any, brevity: Brevity = _IN_FULL, *, flow_style: bool = False) -> str:
    """A message or field value as YAML text, with a newline at its end."""
    plain = to_plain(value, brevity)
    if not isinstance(plain, dict | list):
        return f"{plain}\n"
    text: str = yaml.dump(
        plain,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
        default_flow_style=flow_style,
    )
    return text


def to_csv(value: Any, brevity: Brevity = _IN_FULL) -> str:
    """All leaf values of a message in one comma separated line."""
    plain = to_plain(value, brevity)

    def leaves(item: Any) -> list[str]:
        if isinstance(item, dict):
            item = list(item.values())
        if isinstance(item, list):
            return [leaf for part in item for leaf in leaves(part)]
        return [str(item)]

    return ",".join(leaves(plain))


def pick(message: Any, path: str) -> Any:
    """A field of a message by its path, as `pose.position.x` or `transforms[0].header`.

    Raises:
        FieldError: there is no such field or element.
    """
    value = message
    done = ""
    for name, index in re.findall(r"([A-Za-z_]\w*)|\[(-?\d+)\]", path):
        try:
            if name:
                if name not in value.get_fields_and_field_types():
                    raise AttributeError
                value = getattr(value, name)
            else:
                value = value[int(index)]
        except (AttributeError, TypeError, IndexError):
            raise FieldError(f"invalid field '{path}': no '{name or index}' in '{done}'") from None
        done += f".{name}" if name else f"[{index}]"
    if done.lstrip(".") != path.lstrip("."):
        raise FieldError(f"invalid field '{path}': write it as 'a.b' or 'a[0].b'")
    return value
