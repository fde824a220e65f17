"""Entry point of the `ros2` executable: find the command, parse, run, report.

Commands are found through the entry point group `ros2cli.command`, so other packages (as
ros2launch) contribute theirs without this package knowing of them.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from ros2cli.command import ENTRY_POINT_GROUP, CliError, Command, describe


def _find_commands() -> dict[str, EntryPoint]:
    # The first on the path wins, as an overlay workspace does for everything else.
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        found.setdefault(point.name, point)
    return found


def _load(point: EntryPoint) -> type[Command]:
    try:
        command: type[Command] = point.load()
    except (ImportError, AttributeError) as error:
        raise CliError(
            f"the command '{point.name}' ({point.value}) cannot be loaded: {error}"
        ) from error
    return command


def _make_parser(
    points: dict[str, EntryPoint], wanted: str | None
) -> tuple[argparse.ArgumentParser, Command | None, argparse.ArgumentParser | None]:
    """The parser with all commands named; only the wanted one is imported (start-up time)."""
    parser = argparse.ArgumentParser(
        prog="ros2", description="ros2 is an extensible command-line tool for ROS 2."
    )
    choices = parser.add_subparsers(
        title="Commands",
        description="Call `ros2 <command> -h` for more detailed usage.",
        metavar="command",
        dest="command",
    )
    command, command_parser = None, None
    for name, point in sorted(points.items()):
        if wanted in points:
            if name != wanted:
                choices.add_parser(name, add_help=False)
                continue
            command_type = _load(point)
            summary = describe(command_type)
            command_parser = choices.add_parser(name, description=summary, help=summary)
            command = command_type()
            command.add_arguments(command_parser, f"ros2 {name}")
        else:
            try:
                summary = describe(_load(point))
            except CliError as error:
                summary = f"(unusable: {error})"
            choices.add_parser(name, help=summary)
    return parser, command, command_parser


def _run(argv: Sequence[str]) -> int:
    wanted = argv[0] if argv else None
    parser, command, command_parser = _make_parser(_find_commands(), wanted)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        # Whoever mistypes an option wants to see those of the verb, not of `ros2` alone.
        nearest = getattr(args, "verb_parser", None) or command_parser or parser
        nearest.error(f"unrecognized arguments: {' '.join(unknown)}")
    if command is None or command_parser is None:
        parser.print_help()
        return 0
    return command.main(parser=command_parser, args=args) or 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool.

    Args:
        argv: the arguments after `ros2`; None takes those of the process.

    Returns:
        The exit code: 0, 1 for an error with a message, 2 for wrong usage or Ctrl-C.
    """
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except CliError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return int(signal.SIGINT)
    except BrokenPipeError:
        # The reader (as `head`) has what it wanted; keep the interpreter from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
