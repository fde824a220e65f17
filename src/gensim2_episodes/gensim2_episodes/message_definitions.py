"""Texts of message definitions, as bags carry them, from the installed packages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from gensim2_episodes.errors import StoreError

_PRIMITIVES = {
    "bool",
    "byte",
    "char",
    "float32",
    "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "string",
    "wstring",
}
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9_/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]\w*")
_RULE = "=" * 80


@cache
def message_definition(name: str) -> str:
    """The definition of a message and of all that it consists of ("ros2msg").

    Args:
        name: For example "sensor_msgs/msg/Image".

    Raises:
        StoreError: The package is not installed.
    """
    package, _, kind = name.partition("/msg/")
    parts = {f"{package}/{kind}": _text(package, kind)}
    waiting = [f"{package}/{kind}"]
    while waiting:
        inside = waiting.pop(0)
        for found in _uses(parts[inside], inside.partition("/")[0]):
            if found not in parts:
                parts[found] = _text(*found.split("/"))
                waiting.append(found)
    first, *others = parts.items()
    return first[1] + "".join(f"{_RULE}\nMSG: {each}\n{text}" for each, text in others)


def _uses(text: str, package: str) -> list[str]:
    """Messages that fields of a definition are of."""
    found = []
    for line in text.splitlines():
        match = _FIELD.match(line.partition("#")[0].strip())
        if match and match[1] not in _PRIMITIVES:
            found.append(match[1] if "/" in match[1] else f"{package}/{match[1]}")
    return found


def _text(package: str, kind: str) -> str:
    try:
        path = Path(get_package_share_directory(package)) / "msg" / f"{kind}.msg"
        text = path.read_text(encoding="utf-8")
    except (PackageNotFoundError, OSError) as error:
        raise StoreError(
            f"the definition of {package}/{kind} is not installed ({error}); build the workspace"
        ) from error
    return text if text.endswith("\n") else text + "\n"
