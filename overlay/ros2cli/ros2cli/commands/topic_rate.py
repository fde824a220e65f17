"""`ros2 topic hz` and `ros2 topic bw`: how often and how much."""

import argparse
import time
from collections import deque

import numpy as np

from ros2cli.graph import Session
from ros2cli.options import non_negative_int
from ros2cli.qos import QosOptions
from ros2cli.topics import resolve, subscription_profile

_REPORT_S = 1.0


class _Window:
    """Arrival times and sizes of the newest messages."""

    def __init__(self, length: int) -> None:
        self.times: deque[float] = deque(maxlen=length)
        self.sizes: deque[int] = deque(maxlen=length)

    def add(self, message: bytes) -> None:
        """Note a serialised message that arrived now."""
        self.times.append(time.monotonic())
        self.sizes.append(len(message))


def describe_rate(times: list[float]) -> str | None:
    """The report of `hz` for arrival times [s]; None if there are fewer than two."""
    if len(times) < 2:
        return None
    gaps = np.diff(times)
    mean = float(gaps.mean())
    rate = f"{1.0 / mean:.3f}" if mean > 0 else "inf"
    return (
        f"average rate: {rate}\n"
        f"\tmin: {gaps.min():.3f}s max: {gaps.max():.3f}s "
        f"std dev: {gaps.std():.5f}s window: {len(times)}"
    )


def describe_bandwidth(times: list[float], sizes: list[int], now: float) -> str | None:
    """The report of `bw` for arrival times [s] and sizes [bytes]; None without messages."""
    if not times:
        return None
    per_second = sum(sizes) / max(now - times[0], 1e-9)
    return (
        f"{_bytes(per_second)}/s from {len(times)} messages\n"
        f"\tMessage size mean: {_bytes(sum(sizes) / len(sizes))} "
        f"min: {_bytes(min(sizes))} max: {_bytes(max(sizes))}"
    )


def _bytes(value: float) -> str:
    for unit in ("B", "KB"):
        if value < 1000:
            return f"{value:.2f} {unit}"
        value /= 1000
    return f"{value:.2f} MB"


class _Rate:
    """What both verbs share: subscribe without deserialising, report once per second."""

    default_window = 100

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("topic_name", help="Name of the topic to listen to")
        parser.add_argument("message_type", nargs="?", help="Type, as 'std_msgs/msg/String'")
        parser.add_argument(
            "-w",
            "--window",
            type=non_negative_int,
            default=self.default_window,
            help=f"Number of newest messages to look at (default: {self.default_window})",
        )
        QosOptions.add_arguments(parser)

    def main(self, args: argparse.Namespace) -> int:
        """Report until Ctrl-C."""
        window = _Window(max(args.window, 2))
        with Session() as session:
            topic, message_type = resolve(session, args.topic_name, args.message_type)
            profile = subscription_profile(session, topic, QosOptions.from_args(args))
            session.node.create_subscription(message_type, topic, window.add, profile, raw=True)
            self.announce(topic)
            reported: float | None = None
            while True:
                session.spin_until(lambda: False, _REPORT_S)
                newest = window.times[-1] if window.times else None
                text = self.report(window)
                # Old numbers for a topic that has fallen silent would look like news.
                if newest == reported:
                    text = f"no new messages on [{topic}]" if reported is not None else None
                if text is not None:
                    print(text, flush=True)
                reported = newest

    def announce(self, topic: str) -> None:
        """Say that the measurement begins."""

    def report(self, window: _Window) -> str | None:
        """What to print, or None."""
        raise NotImplementedError


class Hz(_Rate):
    """Print the average publishing rate to screen."""

    default_window = 10000

    def report(self, window: _Window) -> str | None:
        """Rate and spread."""
        return describe_rate(list(window.times))


class Bw(_Rate):
    """Display bandwidth used by topic."""

    def announce(self, topic: str) -> None:
        """Say that the measurement begins."""
        print(f"Subscribed to [{topic}]", flush=True)

    def report(self, window: _Window) -> str | None:
        """Bytes per second and per message."""
        return describe_bandwidth(list(window.times), list(window.sizes), time.monotonic())
