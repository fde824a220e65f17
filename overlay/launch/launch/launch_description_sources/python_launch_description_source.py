"""Loads launch files that are written in Python."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

from ..launch_description import LaunchDescription
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType


class InvalidLaunchFileError(Exception):
    """A launch file cannot be used; the text says which and why."""


class InvalidPythonLaunchFileError(InvalidLaunchFileError):
    """A launch file written in Python cannot be used."""


def get_launch_description_from_python_launch_file(path: str) -> LaunchDescription:
    """Execute a launch file and return what its generate_launch_description() returns.

    Raises:
        InvalidPythonLaunchFileError: the file is missing, fails, or has no such function.
    """
    if not Path(path).is_file():
        raise InvalidPythonLaunchFileError(f"launch file '{path}' does not exist")
    loader = SourceFileLoader("launch_file", path)
    spec = importlib.util.spec_from_file_location("launch_file", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    try:
        loader.exec_module(module)
        generate = getattr(module, "generate_launch_description", None)
        if generate is None:
            raise InvalidPythonLaunchFileError(
                f"launch file '{path}' has no function generate_launch_description()"
            )
        description = generate()
    except InvalidPythonLaunchFileError:
        raise
    except Exception as error:
        raise InvalidPythonLaunchFileError(
            f"launch file '{path}' failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(
            f"generate_launch_description() of launch file '{path}' returned {description!r} "
            "instead of a LaunchDescription"
        )
    return description


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file written in Python."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path, "interpreted python launch file")

    def _get_launch_description(self, location: str) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(location)
