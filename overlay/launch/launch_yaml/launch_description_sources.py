"""Launch files in YAML."""

from launch.launch_description_sources import FrontendLaunchDescriptionSource


class YAMLLaunchDescriptionSource(FrontendLaunchDescriptionSource):
    """A launch file in YAML; loading it is an error that says what is missing."""
