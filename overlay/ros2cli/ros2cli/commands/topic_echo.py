"""`ros2 topic echo`: print the messages of a topic."""

import argparse
import time
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks

from ros2cli.command import CliError
from ros2cli.graph import Session
from ros2cli.messages import TRUNCATE_LENGTH, Brevity, FieldError, pick, to_csv, to_yaml
from ros2cli.options import add_spin_time, non_negative_int, positive_float
from ros2cli.qos import QosOptions
from ros2cli.topics import resolve, subscription_profile, warn_incompatible


class Echo:
    """Output messages from a topic."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("topic_name", help="Name of the topic to listen to")
        parser.add_argument("message_type", nargs="?", help="Type, as 'std_msgs/msg/String'")
        parser.add_argument("--once", action="store_true", help="Exit after the first message")
        parser.add_argument(
            "--timeout", type=positive_float, metavar="N", help="Give up after N seconds"
        )
        parser.add_argument("--field", help="Only this field, as 'pose.position.x'")
        parser.add_argument(
            "-f", "--full-length", action="store_true", help="Do not shorten arrays and texts"
        )
        parser.add_argument(
            "-l",
            "--truncate-length",
            type=non_negative_int,
            default=TRUNCATE_LENGTH,
            help=f"Where to cut arrays and texts (default: {TRUNCATE_LENGTH})",
        )
        parser.add_argument("--flow-style", action="store_true", help="Arrays in one line")
        parser.add_argument("--csv", action="store_true", help="Comma separated values")
        parser.add_argument(
            "--no-arr", action="store_true", help="Of arrays only show type and length"
        )
        parser.add_argument("--no-str", action="store_true", help="Of texts only show the length")
        add_spin_time(parser)
        QosOptions.add_arguments(parser)

    def main(self, args: argparse.Namespace) -> int:
        """Print until the first message (`--once`), the timeout, or Ctrl-C."""
        options = QosOptions.from_args(args)
        brevity = Brevity(
            None if args.full_length else args.truncate_length, args.no_arr, args.no_str
        )
        seen = 0

        def show(message: Any) -> None:
            nonlocal seen
            if args.once and seen:
                return
            seen += 1
            try:
                value = message if args.field is None else pick(message, args.field)
            except FieldError as error:
                raise CliError(str(error)) from None
            if args.csv:
                print(to_csv(value, brevity), flush=True)
            else:
                text = to_yaml(value, brevity, flow_style=args.flow_style)
                print(f"{text}---", flush=True)

        with Session() as session:
            topic, message_type = resolve(session, args.topic_name, args.message_type)
            profile = subscription_profile(session, topic, options)
            events = SubscriptionEventCallbacks(incompatible_qos=warn_incompatible)
            session.node.create_subscription(
                message_type, topic, show, profile, event_callbacks=events
            )
            deadline = None if args.timeout is None else time.monotonic() + args.timeout
            while not (args.once and seen):
                if deadline is not None and time.monotonic() > deadline:
                    if args.once:
                        raise CliError(f"no message on '{topic}' within {args.timeout:g} s")
                    break
                session.spin(0.2)
        return 0
