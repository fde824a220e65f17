"""Both ends of `client_heartbeat`: who sends goals says so, and the body stops when it dies.

A dead action client does not cancel its goal. The middleware notices a killed process by the
liveliness lease; a process that lives but hangs stops sending messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import LivelinessPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

TOPIC = "client_heartbeat"
LEASE = 0.5
"""Time after which a silent process counts as dead, s."""
PERIOD = 0.1
"""Time between two messages, s of wall time."""

HEARTBEAT_QOS = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    liveliness=LivelinessPolicy.AUTOMATIC,
    liveliness_lease_duration=Duration(seconds=LEASE),
)


class ClientHeartbeat:
    """Publishes the heartbeat of a node that sends goals, from construction to `close`."""

    def __init__(self, node: Node) -> None:
        """Start publishing."""
        self._node = node
        self._publisher = node.create_publisher(Header, TOPIC, HEARTBEAT_QOS)
        # Wall time: simulated time may stand still while the client is alive.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(
            PERIOD, self._beat, callback_group=MutuallyExclusiveCallbackGroup(), clock=self._clock
        )

    def close(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _beat(self) -> None:
        message = Header(frame_id=self._node.get_fully_qualified_name())
        message.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


class HeartbeatMonitor:
    """Watches the heartbeats of all clients."""

    def __init__(self, node: Node, on_lost: Callable[[str], None], timeout: float) -> None:
        """Start watching.

        Args:
            node: the node that hosts the body.
            on_lost: called with the reason when a client dies, leaves or hangs.
            timeout: wall time without any message that counts as hung, s; 0 = never.
        """
        self._on_lost = on_lost
        self._timeout = timeout
        self._lock = threading.Lock()
        self._alive = 0
        self._last_beat: float | None = None
        group = MutuallyExclusiveCallbackGroup()
        self._subscription = node.create_subscription(
            Header,
            TOPIC,
            self._on_beat,
            HEARTBEAT_QOS,
            callback_group=group,
            event_callbacks=SubscriptionEventCallbacks(liveliness=self._on_liveliness),
        )
        if timeout > 0:
            self._clock = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = node.create_timer(
                timeout / 4, self._on_timer, callback_group=group, clock=self._clock
            )

    @property
    def alive(self) -> int:
        """Number of clients that are alive."""
        with self._lock:
            return self._alive

    def _on_beat(self, message: Header) -> None:
        with self._lock:
            self._last_beat = time.monotonic()

    def _on_liveliness(self, event: QoSLivelinessChangedInfo) -> None:
        with self._lock:
            self._alive = event.alive_count
            if event.alive_count == 0:
                self._last_beat = None
        if event.alive_count_change < 0:
            self._on_lost("a client that sends goals has died or left")

    def _on_timer(self) -> None:
        with self._lock:
            hung = (
                self._last_beat is not None and time.monotonic() - self._last_beat > self._timeout
            )
            if hung:
                self._last_beat = None
        if hung:
            self._on_lost(f"no heartbeat of a living client for {self._timeout:g} s")
