"""Both ends of `client_heartbeat`: who sends goals says so, and the body stops when it dies.

A dead action client does not cancel its goal. The middleware notices a killed process by the
liveliness lease; a process that lives but hangs stops sending messages. That a client lives is
told by its messages alone: the middleware reports no client that it knew before the subscription,
in about one of three such cases, and its count is one short from then on. Deaths it does report.
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

from gensim2_control.client_watch import ClientWatch

TOPIC = "client_heartbeat"
LEASE = 0.5
"""Time after which a silent process counts as dead, s."""
PERIOD = 0.1
"""Time between two messages, s of wall time."""
_LOOK = 4
"""Looks at the clients within the time after which one counts as hung."""

HEARTBEAT_QOS = QoSProfile(
    # A reader keeps that many of all clients together: none may push out the beat of another.
    depth=20,
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

    def __init__(
        self,
        node: Node,
        running: Callable[[], bool],
        on_lost: Callable[[str], None],
        timeout: float,
    ) -> None:
        """Start watching.

        Args:
            node: the node that hosts the body.
            running: tells whether a goal or stream runs.
            on_lost: called with the reason when a client dies, leaves or hangs.
            timeout: wall time without a message of a client, while a goal runs, that counts as
                hung, s; 0 = never.
        """
        self._running = running
        self._on_lost = on_lost
        self._timeout = timeout
        self._lock = threading.Lock()
        self._watch = ClientWatch(timeout, LEASE)
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
                timeout / _LOOK, self._on_timer, callback_group=group, clock=self._clock
            )

    @property
    def alive(self) -> bool:
        """Whether a client has been heard lately."""
        with self._lock:
            return self._watch.heard(time.monotonic())

    def _on_beat(self, message: Header) -> None:
        with self._lock:
            self._watch.beat(message.frame_id, time.monotonic())

    def _on_liveliness(self, event: QoSLivelinessChangedInfo) -> None:
        if event.alive_count_change < 0:
            with self._lock:
                # The event does not say who. Those that live beat again at once.
                self._watch.forget()
            self._on_lost("a client that sends goals has died or left")

    def _on_timer(self) -> None:
        running = self._running()
        with self._lock:
            hung = self._watch.hung(time.monotonic(), running)
        if hung:
            self._on_lost(f"no heartbeat of {', '.join(hung)} for {self._timeout:g} s")
