"""`ros2 topic pub`: publish to a topic."""

import argparse
import time

from rclpy.duration import Duration
from rclpy.qos import QoSProfile

from ros2cli.command import CliError
from ros2cli.graph import Session
from ros2cli.interfaces import load_type
from ros2cli.messages import FieldError, build, parse_yaml
from ros2cli.options import non_negative_float, non_negative_int, positive_float
from ros2cli.qos import QosOptions


class Pub:
    """Publish a message to a topic."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("topic_name", help="Name of the topic to publish to")
        parser.add_argument("message_type", help="Type, as 'std_msgs/msg/String'")
        parser.add_argument(
            "values",
            nargs="?",
            default="{}",
            help="Field values as YAML, as '{data: hello}'; 'header: auto' and 'stamp: now' "
            "stand for the time of publishing",
        )
        parser.add_argument(
            "-r", "--rate", metavar="N", type=positive_float, default=1.0, help="In Hz (default 1)"
        )
        parser.add_argument(
            "-p", "--print", metavar="N", type=non_negative_int, default=1, help="Show every N-th"
        )
        group = parser.add_mutually_exclusive_group()
        group.add_argument("-1", "--once", action="store_true", help="Publish once and exit")
        group.add_argument(
            "-t", "--times", metavar="N", type=non_negative_int, default=0, help="N times and exit"
        )
        parser.add_argument(
            "-w",
            "--wait-matching-subscriptions",
            metavar="N",
            type=non_negative_int,
            help="Wait for N subscriptions first (default: 1 with --once or --times, else 0)",
        )
        parser.add_argument(
            "--max-wait-time-secs",
            metavar="N",
            type=positive_float,
            help="Longest wait for the subscriptions (default: no limit)",
        )
        parser.add_argument(
            "--keep-alive",
            metavar="N",
            type=non_negative_float,
            default=0.1,
            help="Seconds to stay after the last message (default 0.1)",
        )
        parser.add_argument("-n", "--node-name", help="Name of the publishing node")
        QosOptions.add_arguments(parser)

    def main(self, args: argparse.Namespace) -> int:
        """Publish as often as asked for, or until Ctrl-C."""
        message_type = load_type(args.message_type, "msg")
        profile = QosOptions.from_args(args).apply(QoSProfile(depth=10))
        times = 1 if args.once else args.times
        wait_for = args.wait_matching_subscriptions
        if wait_for is None:
            wait_for = 1 if times else 0
        values = _parse(args.values)
        with Session(args.node_name) as session:
            clock = session.node.get_clock()
            try:
                build(message_type, values, now=clock.now().to_msg())
            except FieldError as error:
                raise CliError(f"Failed to populate field: {error}") from None
            topic = session.full_name(args.topic_name)
            publisher = session.node.create_publisher(message_type, topic, profile)
            if wait_for and publisher.get_subscription_count() < wait_for:
                print(f"Waiting for at least {wait_for} matching subscription(s)...", flush=True)
                if not session.spin_until(
                    lambda: publisher.get_subscription_count() >= wait_for,
                    args.max_wait_time_secs,
                ):
                    raise CliError(
                        f"Timed out waiting for subscriptions: expected {wait_for} matching "
                        f"subscriptions, found {publisher.get_subscription_count()}"
                    )
            print("publisher: beginning loop", flush=True)
            count = 0
            next_time = time.monotonic()
            while True:
                message = build(message_type, values, now=clock.now().to_msg())
                count += 1
                if args.print and count % args.print == 0:
                    print(f"publishing #{count}: {message!r}\n", flush=True)
                publisher.publish(message)
                if count == times:
                    break
                next_time += 1.0 / args.rate
                session.spin_until(lambda: False, max(0.0, next_time - time.monotonic()))
            publisher.wait_for_all_acked(Duration(seconds=1))
            session.spin_until(lambda: False, args.keep_alive)
        return 0


def _parse(text: str) -> dict[str, object]:
    try:
        return parse_yaml(text)
    except FieldError as error:
        raise CliError(str(error)) from None
