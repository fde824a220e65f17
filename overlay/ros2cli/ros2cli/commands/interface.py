"""`ros2 interface`: the definitions of messages, services and actions."""

import argparse
import sys
from collections.abc import Mapping
from typing import ClassVar

from ros2cli.command import Verb, VerbCommand
from ros2cli.interfaces import (
    KINDS,
    definition_path,
    interface_packages,
    interfaces_of,
    load_type,
    show,
)
from ros2cli.messages import to_yaml

_HEADINGS = {"msg": "Messages:", "srv": "Services:", "action": "Actions:"}
_OPTIONS = {"msg": "msgs", "srv": "srvs", "action": "actions"}


def _add_kind_options(parser: argparse.ArgumentParser) -> None:
    for kind, word in _OPTIONS.items():
        parser.add_argument(
            f"-{kind[0]}",
            f"--only-{word}",
            dest="kinds",
            action="append_const",
            const=kind,
            help=f"Only {_HEADINGS[kind][:-1].lower()}",
        )


class _List:
    """List all interface types available."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_kind_options(parser)

    def main(self, args: argparse.Namespace) -> None:
        packages = {package: interfaces_of(package) for package in interface_packages()}
        for kind in args.kinds or KINDS:
            print(_HEADINGS[kind])
            for package, interfaces in packages.items():
                for name in interfaces[kind]:
                    print(f"    {package}/{kind}/{name}")


class _Package:
    """Output a list of available interface types within one package."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("package_name", help="Name of the ROS package")
        _add_kind_options(parser)

    def main(self, args: argparse.Namespace) -> None:
        interfaces = interfaces_of(args.package_name)
        for kind in args.kinds or KINDS:
            for name in interfaces[kind]:
                print(f"{args.package_name}/{kind}/{name}")


class _Packages:
    """Output a list of packages that provide interfaces."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_kind_options(parser)

    def main(self, args: argparse.Namespace) -> None:
        for package in interface_packages():
            interfaces = interfaces_of(package)
            if any(interfaces[kind] for kind in args.kinds or KINDS):
                print(package)


class _Show:
    """Output the interface definition."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--all-comments", action="store_true", help="Also show those of nested definitions"
        )
        choice.add_argument(
            "--no-comments", action="store_true", help="Show no comments or empty lines"
        )
        parser.add_argument(
            "type", help="As 'std_msgs/msg/String'; '-' reads it from standard input"
        )

    def main(self, args: argparse.Namespace) -> None:
        name = sys.stdin.readline().strip() if args.type == "-" else args.type
        lines = show(name, comments=not args.no_comments, nested_comments=args.all_comments)
        for line in lines:
            print(line)


class _Proto:
    """Output an interface prototype."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--no-quotes", action="store_true", help="Without the outer quotes")
        parser.add_argument("type", help="Interface type, as 'std_msgs/msg/String'")

    def main(self, args: argparse.Namespace) -> None:
        kind = definition_path(args.type).parent.name
        interface = load_type(args.type, kind)
        part = {"msg": None, "srv": "Request", "action": "Goal"}[kind]
        text = to_yaml((interface if part is None else getattr(interface, part))())
        print(text if args.no_quotes else f'"{text}"')


class InterfaceCommand(VerbCommand):
    """Show information about ROS interfaces."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "list": _List,
        "package": _Package,
        "packages": _Packages,
        "proto": _Proto,
        "show": _Show,
    }
