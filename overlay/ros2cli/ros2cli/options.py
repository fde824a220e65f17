"""Options that several verbs share."""

import argparse


def add_spin_time(parser: argparse.ArgumentParser) -> None:
    """Declare `--spin-time`, and `--no-daemon` for compatibility (there is no daemon)."""
    parser.add_argument(
        "--spin-time",
        type=non_negative_float,
        metavar="SECONDS",
        help="Look around for this long [s] instead of until nothing new appears",
    )
    parser.add_argument("--no-daemon", action="store_true", help="Accepted; there is no daemon")


def add_timeout(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Declare `--timeout`, to stop waiting for `purpose`; without it the wait has no limit."""
    parser.add_argument(
        "--timeout",
        type=positive_float,
        metavar="SECONDS",
        help=f"Longest wait for {purpose} [s] (default: no limit)",
    )


def add_list_options(parser: argparse.ArgumentParser, things: str) -> None:
    """Declare the options of a `list` verb for `things` (topics, services, actions)."""
    add_spin_time(parser)
    parser.add_argument("-t", "--show-types", action="store_true", help="Also show the types")
    parser.add_argument(
        "-c", f"--count-{things}", dest="count", action="store_true", help="Only how many"
    )
    parser.add_argument(
        f"--include-hidden-{things}", dest="hidden", action="store_true", help="Also hidden ones"
    )


def print_names(
    entries: list[tuple[str, list[str]]], *, show_types: bool = False, count: bool = False
) -> None:
    """Print names one per line as `name` or `name [type, type]`, or only their number."""
    if count:
        print(len(entries))
        return
    for name, types in sorted(entries):
        print(f"{name} [{', '.join(types)}]" if show_types else name)


def positive_float(text: str) -> float:
    """An argument type: a number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def non_negative_float(text: str) -> float:
    """An argument type: a number from 0."""
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value


def non_negative_int(text: str) -> int:
    """An argument type: a whole number from 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value
