"""Loads launch files of any known format."""

from __future__ import annotations

from pathlib import Path

from ..launch_description import LaunchDescription
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from .python_launch_description_source import (
    InvalidLaunchFileError,
    get_launch_description_from_python_launch_file,
)


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file whose format follows from its name. Here: Python only."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path, "any launch file")

    def _get_launch_description(self, location: str) -> LaunchDescription:
        suffix = Path(location).suffix
        if suffix == ".py":
            return get_launch_description_from_python_launch_file(location)
        if suffix in (".xml", ".yaml", ".yml"):
            raise InvalidLaunchFileError(
                f"launch file '{location}': launch files in XML and YAML need a ROS 2 "
                "installation; this stand-in for the launch package reads Python only"
            )
        raise InvalidLaunchFileError(
            f"launch file '{location}': the format '{suffix}' is unknown, expected '.py'"
        )
