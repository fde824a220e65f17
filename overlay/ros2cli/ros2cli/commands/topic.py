"""`ros2 topic`: the topics of the graph."""

import argparse
from collections.abc import Mapping
from typing import ClassVar

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.commands.topic_echo import Echo
from ros2cli.commands.topic_pub import Pub
from ros2cli.commands.topic_rate import Bw, Hz
from ros2cli.graph import Session, is_hidden
from ros2cli.options import add_list_options, add_spin_time, print_names
from ros2cli.topics import require_topic, topic_types


class _List:
    """Output a list of available topics."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_list_options(parser, "topics")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            session.settle(args.spin_time)
            entries = session.node.get_topic_names_and_types()
        shown = [entry for entry in entries if args.hidden or not is_hidden(entry[0])]
        print_names(shown, show_types=args.show_types, count=args.count)


class _Type:
    """Print a topic's type."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("topic_name", help="Name of the topic")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            _, types = require_topic(session, args.topic_name)
        for name in types:
            print(name)


class _Info:
    """Print information about a topic."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("topic_name", help="Name of the topic")
        parser.add_argument(
            "-v", "--verbose", action="store_true", help="Also nodes, type hashes and QoS"
        )

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            topic = session.full_name(args.topic_name)
            session.settle(args.spin_time, lambda: bool(topic_types(session, topic)))
            types = topic_types(session, topic)
            if not types:
                raise CliError(f"Unknown topic '{args.topic_name}'")
            node = session.node
            publishers = node.get_publishers_info_by_topic(topic)
            subscriptions = node.get_subscriptions_info_by_topic(topic)
        print(f"Type: {types[0] if len(types) == 1 else types}")
        if not args.verbose:
            print(f"Publisher count: {len(publishers)}")
            print(f"Subscription count: {len(subscriptions)}")
            return
        for title, infos in (("Publisher", publishers), ("Subscription", subscriptions)):
            print(f"\n{title} count: {len(infos)}\n")
            for info in infos:
                print(f"{str(info).rstrip()}\n")


class TopicCommand(VerbCommand):
    """Various topic related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "bw": Bw,
        "echo": Echo,
        "hz": Hz,
        "info": _Info,
        "list": _List,
        "pub": Pub,
        "type": _Type,
    }
