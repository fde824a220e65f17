"""The command line of `./ws`, and the order of the steps."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from workspace import build, checks, system, venv, wheels
from workspace.environment import cached_overlay, clean, command_environment
from workspace.layout import Workspace
from workspace.lock import exclusive
from workspace.ros_installation import find_sourced
from workspace.stamps import Stamps
from workspace.steps import Runner, StepError

_USAGE = """\
./ws [-v] [--with GROUP] COMMAND [ARGUMENT...]

Prepares the workspace as far as that is not done yet, and runs COMMAND in it.

  ./ws ros2 launch gensim2 sim_collect.launch.py            collect demonstrations
  ./ws ros2 launch gensim2 sim_collect.launch.py --show-args
  ./ws test                                                 all tests, ruff and mypy
  ./ws test src/gensim2_kpam -k solver                      some tests (arguments of pytest)
  ./ws build                                                prepare only
  ./ws shell                                                a shell in the workspace
"""
_NOTES = """\
The first call takes minutes; later ones begin COMMAND at once. What is done is logged in
log/ws. The environment variable GENSIM2_PYTHON names the Python to use (3.11 or 3.12).
"""


@dataclass(frozen=True)
class _Prepared:
    """A prepared workspace.

    Attributes:
        environment: Of commands in it.
        with_overlay: Whether the overlay belongs to it.
    """

    environment: dict[str, str]
    with_overlay: bool


def main(arguments: Sequence[str]) -> int:
    """Runs `./ws`.

    Args:
        arguments: Without the program's name.

    Returns:
        Exit code; where COMMAND is run, this process becomes COMMAND instead.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.command:
        parser.print_help()
        return 0
    workspace = Workspace(Path(__file__).resolve().parents[2])
    runner = Runner(workspace.logs, Stamps(workspace.state))
    command = list(options.command)
    groups = set(options.groups) | wheels.groups_of(command)
    if command[0] == "test":
        groups |= {"dev", "policy", "real", "generation"}
    signal.signal(signal.SIGTERM, _end)
    try:
        prepared = prepare(workspace, runner, groups)
    except StepError as error:
        if not error.reported:
            runner.say(f"{error}\n[ws] to mend it: {error.mend}")
        return 1
    except PermissionError as error:
        runner.say(f"{error}: does the workspace belong to another user?")
        return 1
    except KeyboardInterrupt:
        return 130
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if options.verbose:
        runner.say("the workspace is up to date")
    if command[0] == "test":
        return checks.run_all(
            workspace,
            runner,
            command[1:],
            prepared.environment,
            with_overlay=prepared.with_overlay,
        )
    if command == ["build"]:
        return 0
    return become(["bash"] if command == ["shell"] else command, prepared.environment)


def prepare(workspace: Workspace, runner: Runner, groups: set[str]) -> _Prepared:
    """Does what is missing of the workspace, one caller at a time.

    Args:
        workspace: What to prepare.
        runner: Reports.
        groups: Optional groups of wheels that are needed.

    Raises:
        StepError: If a step fails; the next call resumes there.
    """
    environ = clean(os.environ)
    with exclusive(workspace.state / "lock", runner.say):
        ros = find_sourced(os.environ)
        system.ensure(runner)
        if "dev" in groups:
            system.try_browser(runner)
        venv.ensure(workspace, runner, system_site=ros is not None)
        wheels.ensure(workspace, runner, groups, ros_installed=ros is not None)
        built = build.ensure(workspace, runner, environ, ros_installed=ros is not None)
        overlay = cached_overlay(workspace, built, ros_installed=ros is not None)
    return _Prepared(command_environment(workspace, overlay, environ), ros is None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./ws",
        usage=_USAGE,
        epilog=_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="say it if all is done already"
    )
    parser.add_argument(
        "--with",
        dest="groups",
        action="append",
        default=[],
        choices=wheels.OPTIONAL_GROUPS,
        metavar="GROUP",
        help="also install a group of wheels: "
        + ", ".join(wheels.OPTIONAL_GROUPS)
        + " (otherwise when COMMAND first needs it)",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _end(number: int, frame: FrameType | None) -> None:
    """Ends an interrupted preparation the orderly way, so that what it started ends too."""
    sys.exit(128 + number)


def become(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Replaces this process by a command.

    Returns:
        An exit code, if the command cannot be started; else it does not return.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # Python ignores these, and what is ignored stays so in the new program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), dict(environment))
    except FileNotFoundError:
        print(f"[ws] there is no command {command[0]!r} in the workspace", file=sys.stderr)
        return 127
    except PermissionError:
        print(f"[ws] {command[0]!r} may not be executed", file=sys.stderr)
        return 126
