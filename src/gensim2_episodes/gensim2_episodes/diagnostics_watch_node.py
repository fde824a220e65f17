"""The ears of `NodeWatch`: listens to `diagnostics` and looks at who is in the graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.ros.diagnostics import TOPIC
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from gensim2_episodes.attempts import GraphError
from gensim2_episodes.node_watch import NodeWatch


class DiagnosticsWatch:
    """Tells a caller that waits for others whether one of them hangs."""

    def __init__(self, node: Node, timeout: float, ignored: Collection[str] = ()) -> None:
        """Starts listening.

        Args:
            node: The node; itself it does not watch.
            timeout: Silence that counts as hung [s of wall time].
            ignored: Names of nodes that are not watched.
        """
        self._node = node
        self._watch = NodeWatch(timeout, {node.get_name(), *ignored})
        self._lock = threading.Lock()
        node.create_subscription(
            DiagnosticArray,
            TOPIC,
            self._on_diagnostics,
            50,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        with self._lock:
            self._watch.heard((status.name for status in message.status), time.monotonic())

    def begin(self) -> None:
        """Watches from now on; who has left before is not missed."""
        with self._lock:
            self._watch.forget()

    def trouble(self) -> GraphError | None:
        """The error of somebody who hangs, if anybody does."""
        visible = self._node.get_node_names()
        with self._lock:
            text = self._watch.trouble(visible, time.monotonic())
        return GraphError(text) if text else None
