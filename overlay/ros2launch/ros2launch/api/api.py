"""Finds, shows and launches launch files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_share_directory,
    get_search_paths,
)
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import (
    AnyLaunchDescriptionSource,
    InvalidLaunchFileError,
)
from launch.utilities import describe_substitutions

from launch import LaunchContext, LaunchDescription, LaunchIntrospector, LaunchService


class LaunchCommandError(Exception):
    """The command cannot be carried out; the text says why."""


class MultipleLaunchFilesError(LaunchCommandError):
    """A package has several launch files of the given name."""


def require_package(name: str) -> str:
    """Return the share folder of a package.

    Raises:
        LaunchCommandError: no such package.
    """
    try:
        share: str = get_package_share_directory(name)
    except (PackageNotFoundError, ValueError):
        raise LaunchCommandError(
            f"Package '{name}' not found: searching {get_search_paths()}"
        ) from None
    return share


def get_share_file_path_from_package(*, package_name: str, file_name: str) -> str:
    """Return the path of a file that lies anywhere below the share folder of a package.

    Raises:
        LaunchCommandError: no such package, or no such file in it.
        MultipleLaunchFilesError: more than one such file.
    """
    share = require_package(package_name)
    paths = sorted(
        str(Path(folder) / file_name)
        for folder, _, files in os.walk(share, followlinks=True)
        if file_name in files
    )
    if not paths:
        raise LaunchCommandError(
            f"file '{file_name}' was not found in the share directory of package "
            f"'{package_name}' which is at '{share}'"
        )
    if len(paths) > 1:
        raise MultipleLaunchFilesError(
            f"file '{file_name}' was found more than once inside the share directory of package "
            f"'{package_name}': {paths}"
        )
    return paths[0]


def parse_launch_arguments(launch_arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs for arguments of the form `name:=value`; the last of each name wins.

    Raises:
        LaunchCommandError: an argument has another form.
    """
    parsed: dict[str, str] = {}
    for argument in launch_arguments:
        name, separator, value = argument.partition(":=")
        if not separator or not name:
            raise LaunchCommandError(
                f"malformed launch argument '{argument}', expected format '<name>:=<value>'"
            )
        parsed[name] = value
    return list(parsed.items())


def load_launch_file(path: str) -> LaunchDescription:
    """Return the description in a launch file.

    Raises:
        LaunchCommandError: the file cannot be used.
    """
    try:
        return AnyLaunchDescriptionSource(path).get_launch_description(LaunchContext())
    except InvalidLaunchFileError as error:
        raise LaunchCommandError(str(error)) from error


def format_arguments(description: LaunchDescription) -> str:
    """Return the list of launch arguments as text; each name once."""
    found = description.find_launch_arguments()
    always = {entry.argument.name for entry in found if not entry.conditional}
    by_name = {entry.argument.name: entry.argument for entry in reversed(found)}
    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    for name in dict.fromkeys(entry.argument.name for entry in found):
        argument = by_name[name]
        lines += ["", f"    '{name}':{'' if name in always else '*'}"]
        lines.append(f"        {argument.description}")
        if argument.default_value is not None:
            lines.append(f"        (default: {describe_substitutions(argument.default_value)})")
    if not found:
        lines += ["", "  No arguments."]
    if len(always) < len(by_name):
        lines += ["", "* argument(s) which are only used if specific conditions occur"]
    return "\n".join(lines)


def print_arguments_of_launch_file(*, launch_file_path: str) -> None:
    """Print the launch arguments of a file."""
    print(format_arguments(load_launch_file(launch_file_path)))


def print_a_launch_file(*, launch_file_path: str) -> None:
    """Print what a launch file would launch."""
    description = load_launch_file(launch_file_path)
    print(LaunchIntrospector().format_launch_description(description))


def launch_a_launch_file(
    *,
    launch_file_path: str,
    launch_file_arguments: Sequence[str] = (),
    noninteractive: bool = False,
    debug: bool = False,
    extra_arguments: Iterable[tuple[str, str]] = (),
) -> int:
    """Launch a file and return the exit code.

    `extra_arguments` are set besides those of the command line, which have the form `name:=value`.
    """
    arguments = [*extra_arguments, *parse_launch_arguments(launch_file_arguments)]
    service = LaunchService(argv=launch_file_arguments, noninteractive=noninteractive, debug=debug)
    include = IncludeLaunchDescription(
        AnyLaunchDescriptionSource(launch_file_path), launch_arguments=arguments
    )
    service.include_launch_description(LaunchDescription([include]))
    return service.run()
