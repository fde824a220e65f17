"""What `ros2 launch` does, for use from Python."""

from .api import (
    LaunchCommandError,
    MultipleLaunchFilesError,
    format_arguments,
    get_share_file_path_from_package,
    launch_a_launch_file,
    load_launch_file,
    parse_launch_arguments,
    print_a_launch_file,
    print_arguments_of_launch_file,
    require_package,
)

__all__ = [
    "LaunchCommandError",
    "MultipleLaunchFilesError",
    "format_arguments",
    "get_share_file_path_from_package",
    "launch_a_launch_file",
    "load_launch_file",
    "parse_launch_arguments",
    "print_a_launch_file",
    "print_arguments_of_launch_file",
    "require_package",
]
