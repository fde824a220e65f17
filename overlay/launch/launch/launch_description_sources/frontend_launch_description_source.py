"""Launch files in XML and YAML."""

from __future__ import annotations

from ..launch_description import LaunchDescription
from .any_launch_description_source import AnyLaunchDescriptionSource
from .python_launch_description_source import InvalidLaunchFileError


class FrontendLaunchDescriptionSource(AnyLaunchDescriptionSource):
    """A launch file in XML or YAML; loading it is an error that says what is missing."""

    def _get_launch_description(self, location: str) -> LaunchDescription:
        raise InvalidLaunchFileError(
            f"launch file '{location}': launch files in XML and YAML need a ROS 2 installation"
        )
