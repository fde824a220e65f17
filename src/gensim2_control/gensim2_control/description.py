"""The robot description: where its text comes from, and its mesh files as plain paths."""

from __future__ import annotations

import re
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

DESCRIPTION_PACKAGE = "gensim2"
_URI = re.compile(r"package://([A-Za-z0-9_-]+)/([^\"'<>\s]*)")


class DescriptionError(RuntimeError):
    """The robot description cannot be found; the message says how to mend it."""


def robot_description_path() -> Path:
    """Return the installed URDF file of the robot.

    Raises:
        DescriptionError: the package `gensim2` or its file is not installed.
    """
    path = _share(DESCRIPTION_PACKAGE) / "urdf" / "fr3.urdf"
    if not path.is_file():
        raise DescriptionError(f"{path} is missing: build the package {DESCRIPTION_PACKAGE} again")
    return path


def robot_description(path: str | Path | None = None) -> str:
    """Return the URDF text, with its `package://` addresses.

    Args:
        path: a URDF file to use in place of the installed one.

    Raises:
        DescriptionError: the file cannot be read.
    """
    file = Path(path) if path is not None else robot_description_path()
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise DescriptionError(f"cannot read the robot description {file}: {error}") from error


def resolve_packages(text: str, shares: dict[str, Path] | None = None) -> str:
    """Replace every `package://NAME/...` in a text by the absolute path of the file.

    Args:
        text: URDF text.
        shares: share folders by package name; others are looked up among the installed ones.

    Raises:
        DescriptionError: a package is not installed.
    """
    known = shares or {}

    def path_of(match: re.Match[str]) -> str:
        package, rest = match.groups()
        return str((known.get(package) or _share(package)) / rest)

    return _URI.sub(path_of, text)


def _share(package: str) -> Path:
    try:
        return Path(get_package_share_directory(package))
    except (PackageNotFoundError, OSError) as error:
        raise DescriptionError(
            f"package {package} is not installed: build the workspace and source it"
        ) from error
