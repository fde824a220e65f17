"""`ros2 node`: the nodes of the graph."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import ClassVar

from rclpy.action import (
    get_action_client_names_and_types_by_node,
    get_action_server_names_and_types_by_node,
)

from ros2cli.command import Verb, VerbCommand
from ros2cli.graph import Session, is_hidden, split_node_name
from ros2cli.options import add_spin_time


class _List:
    """Output a list of available nodes."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("-a", "--all", action="store_true", help="Also hidden nodes")
        parser.add_argument("-c", "--count-nodes", action="store_true", help="Only how many")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            session.settle(args.spin_time)
            names = session.node_names(hidden=args.all)
        if args.count_nodes:
            print(len(names))
            return
        if len(set(names)) < len(names):
            print(
                "WARNING: several nodes share the same full name; is a process of an earlier "
                "run still alive?",
                file=sys.stderr,
            )
        for name in names:
            print(name)


class _Info:
    """Output information about a node."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("node_name", help="Full name of the node")
        parser.add_argument("--include-hidden", action="store_true", help="Also hidden topics")

    def main(self, args: argparse.Namespace) -> None:
        hidden = args.include_hidden
        with Session() as session:
            full = session.require_node(args.node_name, f"Unable to find node '{args.node_name}'")
            session.settle(args.spin_time)
            name, namespace = split_node_name(full)
            node = session.node
            print(full)
            for title, entries in (
                ("Subscribers", node.get_subscriber_names_and_types_by_node(name, namespace)),
                ("Publishers", node.get_publisher_names_and_types_by_node(name, namespace)),
                ("Service Servers", node.get_service_names_and_types_by_node(name, namespace)),
                ("Service Clients", node.get_client_names_and_types_by_node(name, namespace)),
                (
                    "Action Servers",
                    get_action_server_names_and_types_by_node(node, name, namespace),
                ),
                (
                    "Action Clients",
                    get_action_client_names_and_types_by_node(node, name, namespace),
                ),
            ):
                _print_section(title, entries, hidden)
            print()


def _print_section(title: str, entries: Iterable[tuple[str, list[str]]], hidden: bool) -> None:
    print(f"  {title}:")
    for name, types in sorted(entries):
        if hidden or not is_hidden(name):
            print(f"    {name}: {', '.join(types)}")


class NodeCommand(VerbCommand):
    """Various node related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {"info": _Info, "list": _List}
