"""Launch files in XML."""

from launch.launch_description_sources import FrontendLaunchDescriptionSource


class XMLLaunchDescriptionSource(FrontendLaunchDescriptionSource):
    """A launch file in XML; loading it is an error that says what is missing."""
