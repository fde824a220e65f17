"""Replaces `$(name argument)` in text, as in parameter files with `allow_substs`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    ThisLaunchFile,
    ThisLaunchFileDir,
)

from launch import LaunchContext, Substitution

from .substitutions import FindPackagePrefix, FindPackageShare

_BEGIN = re.compile(r"\$\([a-z]")


def _variable(name: str, default: str | None = None) -> Substitution:
    return LaunchConfiguration(name, default=default)


def _environment(name: str, default: str | None = None) -> Substitution:
    return EnvironmentVariable(name, default_value=default)


_KNOWN: dict[str, Callable[..., Substitution]] = {
    "var": _variable,
    "env": _environment,
    "find-pkg-share": FindPackageShare,
    "find-pkg-prefix": FindPackagePrefix,
    "dirname": ThisLaunchFileDir,
    "filename": ThisLaunchFile,
}


def replace_substitutions(context: LaunchContext, text: str) -> str:
    """Return the text with everything of the form `$(name argument)` replaced, inner ones first.

    Raises:
        ValueError: an unknown name, wrong arguments, or a missing `)`.
    """
    parts, position = [], 0
    while match := _BEGIN.search(text, position):
        end = _find_end(text, match.start())
        inner = replace_substitutions(context, text[match.start() + 2 : end])
        parts += [text[position : match.start()], _one(context, inner)]
        position = end + 1
    return "".join([*parts, text[position:]])


def _find_end(text: str, begin: int) -> int:
    """Return the place of the `)` that belongs to the `$(` at `begin`."""
    depth = 0
    for place in range(begin + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"')' is missing after '{text[begin : begin + 30]}'")


def _one(context: LaunchContext, inner: str) -> str:
    name, *arguments = shlex.split(inner)
    if name not in _KNOWN:
        raise ValueError(f"the substitution '$({inner})' is unknown, expected one of {[*_KNOWN]}")
    try:
        return _KNOWN[name](*arguments).perform(context)
    except TypeError:
        raise ValueError(f"the substitution '$({inner})' has wrong arguments") from None
