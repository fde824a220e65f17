"""Interface definitions in the ament index: which there are, their text, their classes."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ament_index_python import PackageNotFoundError, get_resource, get_resources
from ament_index_python.packages import get_package_share_directory

from ros2cli.command import CliError

KINDS = ("msg", "srv", "action")
_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_PRIMITIVES = frozenset(
    ("bool", "byte", "char", "float32", "float64", "string", "wstring", *_INTEGERS)
)
_FIELD = re.compile(r"^(?P<type>[A-Za-z][\w/]*)(?P<bounds>[^\s]*)\s+(?P<name>[A-Za-z]\w*)")
_CONSTANT = re.compile(r"^\S+\s+[A-Za-z]\w*\s*=")


def interface_packages() -> list[str]:
    """The names of all packages that define interfaces, sorted."""
    return sorted(get_resources("rosidl_interfaces"))


def interfaces_of(package: str) -> dict[str, list[str]]:
    """The interface names of a package by kind (`msg`, `srv`, `action`), sorted.

    Raises:
        CliError: the package does not exist or defines none.
    """
    try:
        content, _ = get_resource("rosidl_interfaces", package)
    except LookupError:
        raise CliError(f"Unknown package '{package}'") from None
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in content.splitlines():
        path = Path(line.strip())
        if path.parent.name in found and path.suffix == f".{path.parent.name}":
            found[path.parent.name].add(path.stem)
    return {kind: sorted(names) for kind, names in found.items()}


def split_name(name: str, kind: str | None = None) -> tuple[str, str, str]:
    """Split `package/kind/Name`, or with a default kind also `package/Name`.

    Raises:
        ValueError: neither of the two, or of another kind than the wanted one.
    """
    parts = name.split("/")
    if len(parts) == 2 and kind is not None:
        parts = [parts[0], kind, parts[1]]
    if len(parts) != 3 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"'{name}' is not of the form package/{kind or 'msg'}/Name")
    if parts[1] != (kind or parts[1]) or parts[1] not in KINDS:
        raise ValueError(f"'{name}' is not a {kind or 'msg, srv or action'} type")
    return parts[0], parts[1], parts[2]


_CALLED = {"msg": "message", "srv": "service", "action": "action"}


def load_type(name: str, kind: str) -> Any:
    """The Python class of an interface.

    Args:
        name: `package/kind/Name` or `package/Name`.
        kind: `msg`, `srv` or `action`.

    Raises:
        CliError: the name is malformed, or no such interface is installed.
    """
    called = f"The passed {_CALLED[kind]} type is invalid"
    try:
        package, _, type_name = split_name(name, kind)
    except ValueError as error:
        raise CliError(f"{called}: {error}") from None
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), type_name)
    except ModuleNotFoundError:
        raise CliError(f"{called}: there is no package '{package}' with {kind} types") from None
    except AttributeError:
        raise CliError(f"{called}: '{package}' has no {kind} '{type_name}'") from None


def type_path(interface: type) -> str:
    """`package/kind/Name` of the Python class of a message, service or action."""
    parts = interface.__module__.split(".")
    return "/".join([*parts[:2], interface.__name__])


def definition_path(name: str) -> Path:
    """The file that defines an interface.

    Raises:
        CliError: the name is malformed or unknown.
    """
    try:
        package, kind, type_name = split_name(name)
    except ValueError as error:
        raise CliError(f"Invalid name: {error}") from None
    try:
        path = Path(get_package_share_directory(package)) / kind / f"{type_name}.{kind}"
    except (PackageNotFoundError, ValueError):
        raise CliError(f"Unknown package '{package}'") from None
    if not path.is_file():
        raise CliError(f"Could not find the interface '{name}': there is no file {path}")
    return path


def show(name: str, *, comments: bool = True, nested_comments: bool = False) -> Iterator[str]:
    """The lines of a definition, nested types expanded below their field by one tab more.

    Args:
        name: `package/kind/Name`.
        comments: keep comments and empty lines of the outer definition.
        nested_comments: keep them in the nested ones, too.

    Raises:
        CliError: the interface, or one nested in it, is unknown.
    """
    package = name.split("/")[0]
    for line in definition_path(name).read_text(encoding="utf-8").splitlines():
        line = line.rstrip()
        # A '#' inside of a string constant is text; everywhere else it starts a comment.
        code = line if _CONSTANT.match(line) and "string" in line else line.split("#")[0].rstrip()
        shown = line if comments else code
        if shown or comments:
            yield shown
        nested = _nested_type(code, package)
        if nested is not None:
            inner = show(nested, comments=nested_comments, nested_comments=nested_comments)
            yield from (f"\t{text}" if text else "" for text in inner)


def _nested_type(code: str, package: str) -> str | None:
    match = _FIELD.match(code)
    if match is None or _CONSTANT.match(code) or match["type"] in _PRIMITIVES:
        return None
    parts = match["type"].split("/")
    return "/".join([parts[0] if len(parts) > 1 else package, "msg", parts[-1]])
