"""Loads launch files."""

from .any_launch_description_source import AnyLaunchDescriptionSource
from .frontend_launch_description_source import FrontendLaunchDescriptionSource
from .python_launch_description_source import (
    InvalidLaunchFileError,
    InvalidPythonLaunchFileError,
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)

__all__ = [
    "AnyLaunchDescriptionSource",
    "FrontendLaunchDescriptionSource",
    "InvalidLaunchFileError",
    "InvalidPythonLaunchFileError",
    "PythonLaunchDescriptionSource",
    "get_launch_description_from_python_launch_file",
]
