"""Parameters as a table: a frozen dataclass declares, documents and bounds them.

@dataclass(frozen=True)
class CameraParameters:
rate: float = parameter(10.0, "Frames per second.", low=0.1, high=60.0)

table = declare_parameters(node, CameraParameters)
table.value.rate
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from gensim2_control.parameter_field import allowed, parameter, violation

__all__ = ["ParameterError", "ParameterTable", "declare_parameters", "parameter"]

T = TypeVar("T")
_INT_BOUND = 2**62


class ParameterError(ValueError):
    """A parameter is unknown, of the wrong type or out of bounds; the message names it."""


class ParameterTable(Generic[T]):
    """The parameters of a node; `value` is a consistent snapshot at any time."""

    def __init__(
        self, node: Node, table: type[T], on_change: Callable[[T], None] | None = None
    ) -> None:
        """Declare every field of `table` at the node; see `declare_parameters`."""
        self._lock = threading.Lock()
        self._on_change = on_change
        self._fields = {field.name: field for field in dataclasses.fields(table)}  # type: ignore[arg-type]
        values = {}
        for name, field in self._fields.items():
            self._widen_override(node, field)
            try:
                declared = node.declare_parameter(name, _plain(field.default), _descriptor(field))
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                raise ParameterError(f"node {node.get_name()}: {error}") from error
            values[name] = _typed(field, declared.value)
        self._value: T = table(**values)
        problem = self._problem(values, self._value)
        if problem:
            raise ParameterError(f"node {node.get_name()}: {problem}")
        node.add_on_set_parameters_callback(self._on_set)
        node.add_post_set_parameters_callback(self._on_changed)

    @property
    def value(self) -> T:
        """The values now."""
        with self._lock:
            return self._value

    def _changed(self, parameters: Sequence[Parameter]) -> dict[str, Any]:
        return {
            p.name: _typed(self._fields[p.name], p.value)
            for p in parameters
            if p.name in self._fields
        }

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        changed = self._changed(parameters)
        problem = self._problem(changed, dataclasses.replace(self.value, **changed))  # type: ignore[type-var]
        return SetParametersResult(successful=not problem, reason=problem)

    def _on_changed(self, parameters: Sequence[Parameter]) -> None:
        changed = self._changed(parameters)
        with self._lock:
            self._value = dataclasses.replace(self._value, **changed)  # type: ignore[type-var]
        if changed and self._on_change is not None:
            self._on_change(self.value)

    def _problem(self, changed: dict[str, Any], whole: Any) -> str:
        """Say what is wrong with new values; empty where nothing is."""
        for name, value in changed.items():
            problem = violation(self._fields[name], value)
            if problem:
                return f"parameter {name}: {problem}"
        check = getattr(whole, "check", None)
        if check is not None:
            try:
                check()
            except ValueError as error:
                return str(error)
        return ""

    @staticmethod
    def _widen_override(node: Node, field: dataclasses.Field[Any]) -> None:
        """Accept `rate: 10` for a floating point parameter."""
        given = _overrides(node).get(field.name)
        if given is None:
            return
        default = field.default
        if isinstance(default, float) and given.type_ is Parameter.Type.INTEGER:
            widened: float | list[float] = float(given.value)
        elif (
            isinstance(default, tuple)
            and given.type_ is Parameter.Type.INTEGER_ARRAY
            and all(isinstance(entry, float) for entry in default)
        ):
            widened = [float(entry) for entry in given.value]
        else:
            return
        _overrides(node)[field.name] = Parameter(field.name, value=widened)


def declare_parameters(
    node: Node, table: type[T], on_change: Callable[[T], None] | None = None
) -> ParameterTable[T]:
    """Declare the parameters of a frozen dataclass at a node.

    A method `check(self)` of the dataclass may refuse combinations with a `ValueError`.

    Args:
        node: where to declare them.
        table: the dataclass; its fields are made by `parameter`.
        on_change: called with the new values before whoever has set them is answered.

    Raises:
        ParameterError: a value given at start is of the wrong type or out of bounds.
    """
    return ParameterTable(node, table, on_change)


def reject_unknown_parameters(node: Node) -> None:
    """Raise `ParameterError` where a parameter was given to the node that it does not declare.

    Call it after all tables are declared; `run_node` does.
    """
    known = sorted(str(name) for name in node._parameters)
    for name in sorted(_overrides(node)):
        if node.has_parameter(name) or name.startswith("qos_overrides."):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]}?" if close else "."
        raise ParameterError(
            f"node {node.get_name()}: unknown parameter {name}{hint} Known are: {', '.join(known)}"
        )


def markdown_table(table: type) -> str:
    """Return the documentation of a table as Markdown."""
    lines = ["| parameter | default | allowed | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(table):
        default, meaning = _plain(field.default), field.metadata["description"]
        lines.append(f"| `{field.name}` | `{default}` | {allowed(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _overrides(node: Node) -> dict[str, Parameter]:
    # rclpy offers no public view of the values given at start that were not declared.
    overrides: dict[str, Parameter] = node._parameter_overrides
    return overrides


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _typed(field: dataclasses.Field[Any], value: Any) -> Any:
    """Return a parameter value as the table holds it: arrays as tuples."""
    return tuple(value) if isinstance(field.default, tuple) else value


def _descriptor(field: dataclasses.Field[Any]) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=field.metadata["description"],
        read_only=field.metadata["read_only"],
        additional_constraints=allowed(field),
    )
    low, high = field.metadata["low"], field.metadata["high"]
    if (low is None and high is None) or isinstance(field.default, tuple):
        return descriptor
    if isinstance(field.default, float):
        bound = sys.float_info.max
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float(-bound if low is None else low),
                to_value=float(bound if high is None else high),
            )
        ]
    else:
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(-_INT_BOUND if low is None else low),
                to_value=int(_INT_BOUND if high is None else high),
                step=1,
            )
        ]
    return descriptor
