"""Tells whether nodes live and are well: exit code 0, or 1 and what is wrong.

Every node of this project reports on the topic `diagnostics` once a second. A process that exists
and hangs is silent there, so it counts as dead.
"""

from __future__ import annotations

import argparse
import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus


def main() -> int:
    """Listens until every node has reported well, or the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="+", help="names of the nodes that must report")
    parser.add_argument("--timeout", type=float, default=10.0, help="s of wall time (%(default)s)")
    options = parser.parse_args()
    problems = dict.fromkeys(options.nodes, "is silent on diagnostics")

    def on_diagnostics(message: DiagnosticArray) -> None:
        """A report of one node; the newest one counts."""
        errors: dict[str, str] = {}
        for status in message.status:
            node, _, component = status.name.partition(": ")
            is_error = status.level >= DiagnosticStatus.ERROR
            errors[node] = f"{component}: {status.message}" if is_error else errors.get(node, "")
        for node in errors.keys() & problems.keys():
            problems[node] = errors[node]

    rclpy.init(args=[])
    try:
        node = rclpy.create_node("healthcheck")
        node.create_subscription(DiagnosticArray, "diagnostics", on_diagnostics, 10)
        end = time.monotonic() + options.timeout
        while any(problems.values()) and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.2)
    finally:
        rclpy.try_shutdown()
    for name, problem in problems.items():
        if problem:
            print(f"{name}: {problem}", file=sys.stderr)
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
