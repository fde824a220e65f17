"""A node says once a second that it lives and how it is: `diagnostics`, on wall time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from gensim2_control.report import Level, Report

TOPIC = "diagnostics"
PERIOD = 1.0
"""Time between two reports, s of wall time: simulated time may stand still."""


class NodeDiagnostics:
    """Publishes the reports of a node once a second, and at once when a headline changes.

    The name of a status is `<node>: <component>`, as diagnostic aggregators expect it.
    """

    def __init__(
        self, node: Node, reports: Callable[[], Mapping[str, Report]], hardware_id: str = ""
    ) -> None:
        """Start reporting.

        Args:
            node: the node.
            reports: returns the present report of every component; called from any thread.
            hardware_id: what the reports are about, where that is hardware.
        """
        self._node = node
        self._reports = reports
        self._hardware_id = hardware_id
        self._lock = threading.Lock()
        self._headlines: dict[str, tuple[Level, str]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, TOPIC, 10)
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(
            PERIOD,
            self._publish,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=self._clock,
        )

    def changed(self) -> None:
        """Publish now if the level or message of a component is another than before."""
        reports = self._reports()
        headlines = {name: report.headline for name, report in reports.items()}
        with self._lock:
            if headlines == self._headlines:
                return
        self._send(reports)

    def close(self) -> None:
        """Stop reporting."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        self._send(self._reports())

    def _send(self, reports: Mapping[str, Report]) -> None:
        with self._lock:
            self._headlines = {name: report.headline for name, report in reports.items()}
        message = DiagnosticArray(
            status=[
                DiagnosticStatus(
                    level=bytes([report.level]),
                    name=f"{self._node.get_name()}: {component}",
                    hardware_id=self._hardware_id,
                    message=report.message,
                    values=[
                        KeyValue(key=key, value=str(value)) for key, value in report.values.items()
                    ],
                )
                for component, report in reports.items()
            ]
        )
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
