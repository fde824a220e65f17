"""`ros2 launch`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..api import (
    LaunchCommandError,
    get_share_file_path_from_package,
    launch_a_launch_file,
    print_a_launch_file,
    print_arguments_of_launch_file,
    require_package,
)


class LaunchCommand:
    """Run a launch file."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Declare the arguments of the command."""
        parser.add_argument(
            "-n", "--noninteractive", action="store_true", help="Run without a terminal"
        )
        parser.add_argument(
            "-d", "--debug", action="store_true", help="Show more, with tracebacks of errors"
        )
        parser.add_argument(
            "-p",
            "--print",
            "--print-description",
            dest="print_description",
            action="store_true",
            help="Print what would be launched, without launching it",
        )
        parser.add_argument(
            "-s",
            "--show-args",
            "--show-arguments",
            dest="show_arguments",
            action="store_true",
            help="Show the arguments that may be given to the launch file",
        )
        parser.add_argument(
            "-a",
            "--show-all-subprocesses-output",
            action="store_true",
            help="Show the output of all processes, also of those that write to the log only",
        )
        parser.add_argument(
            "--launch-prefix",
            metavar="COMMAND",
            help="Put this command before every executable, such as 'gdb -ex run --args'",
        )
        parser.add_argument(
            "--launch-prefix-filter",
            metavar="REGEX",
            help="Do so only for executables whose name matches",
        )
        parser.add_argument("package_name", help="Package, or path of a launch file")
        parser.add_argument(
            "launch_file_name", nargs="?", help="Launch file in the package (or an argument)"
        )
        parser.add_argument(
            "launch_arguments",
            nargs="*",
            metavar="name:=value",
            help="Arguments for the launch file; the last of each name wins",
        )

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
        """Carry out the command; return 0, or 1 after an error, which is printed."""
        try:
            return self._main(parser, args)
        except LaunchCommandError as error:
            print(error, file=sys.stderr)
            return 1

    def _main(self, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
        arguments = list(args.launch_arguments)
        if Path(args.package_name).is_file():
            path = str(Path(args.package_name).absolute())
            if args.launch_file_name is not None:
                arguments.insert(0, args.launch_file_name)
        elif _is_meant_as_path(args.package_name):
            state = "is not a file" if Path(args.package_name).exists() else "does not exist"
            raise LaunchCommandError(f"file '{args.package_name}' {state}")
        elif args.launch_file_name is None:
            require_package(args.package_name)
            parser.error(
                f"'{args.package_name}' is not a launch file; expected a package and the name of "
                "a launch file, or the path of one"
            )
        else:
            path = get_share_file_path_from_package(
                package_name=args.package_name, file_name=args.launch_file_name
            )
        if args.print_description:
            print_a_launch_file(launch_file_path=path)
            return 0
        if args.show_arguments:
            print_arguments_of_launch_file(launch_file_path=path)
            return 0
        if args.show_all_subprocesses_output:
            os.environ["OVERRIDE_LAUNCH_PROCESS_OUTPUT"] = "both"
        prefix = {
            "launch-prefix": args.launch_prefix,
            "launch-prefix-filter": args.launch_prefix_filter,
        }
        return launch_a_launch_file(
            launch_file_path=path,
            launch_file_arguments=arguments,
            noninteractive=args.noninteractive or not _has_terminal(),
            debug=args.debug,
            extra_arguments=[(name, value) for name, value in prefix.items() if value],
        )


def _is_meant_as_path(name: str) -> bool:
    """Return whether this can be no name of a package."""
    return "/" in name or name.endswith((".py", ".xml", ".yaml", ".yml"))


def _has_terminal() -> bool:
    """Return whether Ctrl-C can come from a terminal; standard input may even be closed."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
