"""What a command and a verb of the `ros2` tool are."""

import argparse
from collections.abc import Mapping
from typing import ClassVar, Protocol

ENTRY_POINT_GROUP = "ros2cli.command"


class CliError(Exception):
    """An error the user can mend: its text goes to stderr, without a traceback, exit code 1."""


class Command(Protocol):
    """One word after `ros2`; the first line of the class docstring is its description."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Declare the arguments of the command; `cli_name` is the command line up to here."""

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | None:
        """Run; the result is the exit code (None counts as 0).

        Raises:
            CliError: what went wrong and how to mend it.
        """


class Verb(Protocol):
    """One word after the command, as `list` in `ros2 topic list`; described by its docstring."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the verb."""

    def main(self, args: argparse.Namespace) -> int | None:
        """Run; the result is the exit code (None counts as 0).

        Raises:
            CliError: what went wrong and how to mend it.
        """


class VerbCommand:
    """A command that only dispatches to its verbs."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {}

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add one sub-parser per verb."""
        choices = parser.add_subparsers(
            title="Commands",
            description=f"Call `{cli_name} <command> -h` for more detailed usage.",
            metavar="command",
            dest="verb",
        )
        for name, verb_type in sorted(self.verbs.items()):
            summary = describe(verb_type)
            sub = choices.add_parser(name, help=summary, description=summary)
            verb = verb_type()
            verb.add_arguments(sub)
            sub.set_defaults(run_verb=verb.main, verb_parser=sub)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | None:
        """Run the chosen verb, or show the help if there is none."""
        if args.verb is None:
            parser.print_help()
            return 0
        result: int | None = args.run_verb(args)
        return result


def describe(thing: type) -> str:
    """The first line of the docstring of a command or verb."""
    lines = (thing.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""
