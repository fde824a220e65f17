"""Turns what a launch file gives as parameter values into values with the right type."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, SomeSubstitutionsType, Substitution

ParameterScalar = bool | int | float | str
EvaluatedValue = ParameterScalar | list[Any]

_SCALARS: tuple[type[bool], type[int], type[float], type[str]] = (bool, int, float, str)
_PARTS = (str, Path, Substitution)
"""What a text is put together from."""


class ParameterValue:
    """A parameter value of a given type.

    Args:
        value: as of `evaluate_parameter_value`.
        value_type: bool, int, float, str or List of one of them. With str the text stays as it
            is; None: text from substitutions is read as YAML, as it is without this class.
    """

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        if value_type is not None and _element_type(value_type) is None:
            raise TypeError(
                f"value_type is {value_type!r}, expected bool, int, float, str or List[...] of one"
            )
        self._value = value
        self._value_type = value_type

    @property
    def value(self) -> Any:
        """The value as given."""
        return self._value

    @property
    def value_type(self) -> Any:
        """The type, None if it is not forced."""
        return self._value_type

    def evaluate(self, context: LaunchContext) -> EvaluatedValue:
        """Return the value; ValueError if it is not of the type."""
        if self._value_type is None:
            return evaluate_parameter_value(context, self._value)
        return _coerce(_plain(context, self._value), self._value_type)


def evaluate_parameter_value(context: LaunchContext, value: Any) -> EvaluatedValue:
    """Return a parameter value.

    bool, int, float and str are kept. A substitution is performed and read as YAML ("42" is an
    int). A list that contains a substitution is one text, as everywhere in launch. A list of
    which an item is such a list gives one element per item. Other lists keep their elements.
    The elements must be of one type; int among float becomes float.

    Raises:
        ValueError: the text cannot be read, or the value has no parameter type.
    """
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if _is_list_of_texts(value):
        return check_value(_read_items(context, value), value)
    if _is_text(value):
        return check_value(_read(_perform(context, value)), _perform(context, value))
    return check_value(list(value) if _is_sequence(value) else value, value)


def evaluate_parameter_dict(
    context: LaunchContext, parameters: Mapping[Any, Any], prefix: str = ""
) -> dict[str, EvaluatedValue]:
    """Return the values by full name: nested dictionaries give names with dots.

    `prefix` comes before every name.

    Raises:
        ValueError: a value cannot be used; the text names the parameter.
    """
    evaluated: dict[str, EvaluatedValue] = {}
    for given_name, value in parameters.items():
        name = prefix + _perform(context, given_name)
        if isinstance(value, Mapping):
            evaluated.update(evaluate_parameter_dict(context, value, f"{name}."))
            continue
        try:
            evaluated[name] = evaluate_parameter_value(context, value)
        except ValueError as error:
            raise ValueError(f"parameter '{name}': {error}") from error
    return evaluated


def check_value(value: Any, given: Any) -> EvaluatedValue:
    """Return the value if it can be a parameter; `given` is named in the error."""
    for scalar in _SCALARS:  # bool before int: it is one, too
        if isinstance(value, scalar):
            return scalar(value)  # without sub-types such as those of numpy and enum
    if not isinstance(value, list):
        raise ValueError(
            f"{_short(given)} gives {type(value).__name__}, which cannot be a parameter; allowed "
            "are bool, int, float, str and lists of one of them. If it is meant as text, wrap "
            "it: launch_ros.parameter_descriptions.ParameterValue(value, value_type=str)"
        )
    kinds = {type(item) for item in value}
    if kinds == {int, float}:
        return [float(item) for item in value]
    if len(kinds) != 1 or not kinds <= set(_SCALARS):
        reason = "is empty" if not value else "mixes types or holds what cannot be a parameter"
        raise ValueError(
            f"the list {_short(given)} {reason}; expected one or more elements of one of the "
            "types bool, int, float, str"
        )
    return value


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_text(value: Any) -> bool:
    """Return whether the value is evaluated: a substitution, or a list with one."""
    if isinstance(value, Substitution):
        return True
    return _is_sequence(value) and any(isinstance(part, Substitution) for part in value)


def _is_list_of_parts(value: Any) -> bool:
    return _is_sequence(value) and all(isinstance(part, _PARTS) for part in value)


def _is_list_of_texts(value: Any) -> bool:
    """Return whether the value is a list, of which an item is given by its parts."""
    return _is_sequence(value) and any(map(_is_list_of_parts, value))


def _perform_items(context: LaunchContext, items: Sequence[Any]) -> list[Any]:
    """Return one text per item; what is no text stays as it is."""
    return [
        _perform(context, item) if isinstance(item, _PARTS) or _is_list_of_parts(item) else item
        for item in items
    ]


def _read_items(context: LaunchContext, items: Sequence[Any]) -> list[Any]:
    """Return the elements of a list of texts, read as YAML.

    Items that are just text ("1") are read only if they stand among what is no text: by itself
    such an item means text.
    """
    plain = [isinstance(item, str) for item in items]
    values = [
        _read(text) if isinstance(text, str) and not is_plain else text
        for text, is_plain in zip(_perform_items(context, items), plain, strict=True)
    ]
    if all(isinstance(value, str) for value in values):
        return values
    return [
        _read(value) if is_plain else value for value, is_plain in zip(values, plain, strict=True)
    ]


def _perform(context: LaunchContext, text: SomeSubstitutionsType) -> str:
    return perform_substitutions(context, normalize_to_list_of_substitutions(text))


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(
            f"cannot read {_short(text)} as YAML: {error}. If it is meant as text, wrap it: "
            "launch_ros.parameter_descriptions.ParameterValue(value, value_type=str)"
        ) from error


def _plain(context: LaunchContext, value: Any) -> Any:
    """Return the value without substitutions; text is not read yet."""
    if _is_list_of_texts(value):
        return _perform_items(context, value)
    if _is_text(value):
        return _perform(context, value)
    return list(value) if _is_sequence(value) else value


def _element_type(value_type: Any) -> tuple[type, bool] | None:
    """Return the scalar type and whether a list of it is meant; None if it is neither."""
    if value_type in _SCALARS:
        return value_type, False
    arguments = typing.get_args(value_type)
    if typing.get_origin(value_type) is list and len(arguments) == 1 and arguments[0] in _SCALARS:
        return arguments[0], True
    return None


def _coerce(value: Any, value_type: Any) -> EvaluatedValue:
    """Turn a plain value into the type: text is read as YAML unless text is wanted."""
    found = _element_type(value_type)
    assert found is not None
    scalar, is_list = found
    if not is_list:
        return _coerce_scalar(value, scalar)
    items = _read(value) if isinstance(value, str) else value
    if not isinstance(items, list) or not items:
        raise ValueError(f"{_short(value)} is not a list with elements")
    return [_coerce_scalar(item, scalar) for item in items]


def _coerce_scalar(value: Any, scalar: type) -> ParameterScalar:
    if scalar is str:
        return value if isinstance(value, str) else str(value)
    read = _read(value) if isinstance(value, str) else value
    if scalar is float and isinstance(read, int) and not isinstance(read, bool):
        return float(read)
    if not isinstance(read, _SCALARS) or type(read) is not scalar:
        raise ValueError(f"{_short(value)} is not of type {scalar.__name__}")
    return read


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
