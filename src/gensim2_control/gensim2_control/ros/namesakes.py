"""Waits until a node is the only one of its kind: alone by name, or by what it offers.

ROS 2 lets two nodes share a name and two servers an action; then goals reach both, and parameters
either. Two graphs meet so where somebody starts a second one on the same domain and namespace.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from gensim2_control.ros.diagnostics import TOPIC
from gensim2_control.ros.start_error import StartError

DISCOVERY = 1.0
"""Wall time after which a new participant has met those of its domain on this machine, s.

Twenty announcements have then been sent, 0.05 s apart (launch/config/fastdds_profile.xml); one
answer is enough, and on a quiet machine it is there after 0.1 s.
"""
LEASE = 20.0
"""Wall time for which a killed process stays visible, s; see launch/config/fastdds_profile.xml."""
_GRACE = 5.0
_POLL = 0.05


class SignOfLife:
    """Counts messages of others, whether the node is spun or not."""

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        enough: int,
        accepts: Callable[[Any], bool] = lambda message: True,
    ) -> None:
        """Start to listen.

        Args:
            node: the node that listens; while it does, it must not send such messages itself.
            kind: type of the topic.
            topic: name of the topic.
            enough: messages that prove that their sender lives; one may have been on its way.
            accepts: whether a message counts.
        """
        self._node = node
        self._kind = kind
        self._enough = enough
        self._accepts = accepts
        self._count = 0
        self._lock = threading.Lock()
        self._subscription = node.create_subscription(
            kind, topic, self._on_message, 10, callback_group=MutuallyExclusiveCallbackGroup()
        )

    @property
    def proven(self) -> bool:
        """Whether enough messages were heard."""
        handle = self._subscription.handle
        with handle:
            while (taken := handle.take_message(self._kind, False)) is not None:
                self._on_message(taken[0])
        return self._count >= self._enough

    def close(self) -> None:
        """Stop listening."""
        self._node.destroy_subscription(self._subscription)

    def _on_message(self, message: Any) -> None:
        if self._accepts(message):
            with self._lock:
                self._count += 1


def wait_until_alone(
    node: Node,
    since: float,
    describe: Callable[[], str],
    sign: Callable[[], SignOfLife],
    ended: Callable[[], bool],
) -> None:
    """Wait until nobody else is there, as after a process was killed.

    One that gives a sign of life is not waited for.

    Args:
        node: the node that wants to start.
        since: wall time at which it became visible, s.
        describe: says who else is there; empty where nobody is.
        sign: starts to listen for a sign of life.
        ended: tells whether the start is to be given up.

    Raises:
        StartError: another one is there.
        KeyboardInterrupt: the start was given up.
    """
    while not (text := describe()):
        if time.monotonic() - since > DISCOVERY:
            return
        time.sleep(_POLL)
    node.get_logger().warning(
        f"{text}. Waiting up to {LEASE + _GRACE:g} s, in case it was killed just now."
    )
    met = time.monotonic()
    listener = sign()
    try:
        while text:
            if ended():
                raise KeyboardInterrupt
            waited = time.monotonic() - met
            # What another one offers is known a moment before its name.
            if (listener.proven and waited > DISCOVERY) or waited > LEASE + _GRACE:
                raise StartError(f"{node.get_fully_qualified_name()}: {text}")
            time.sleep(_POLL)
            text = describe()
    finally:
        listener.close()


def wait_until_name_is_free(node: Node, since: float, ended: Callable[[], bool]) -> None:
    """Wait until no other node has the full name of a node.

    Args:
        node: the node, which is not spun yet.
        since: wall time at which it was made, s.
        ended: tells whether the start is to be given up.

    Raises:
        StartError: another node of this name lives.
        KeyboardInterrupt: the start was given up.
    """
    own = (node.get_name(), node.get_namespace())

    def describe() -> str:
        if node.get_node_names_and_namespaces().count(own) < 2:
            return ""
        name = node.get_fully_qualified_name()
        return f"another node {name} is there: two graphs {on_one_domain()}"

    def sign() -> SignOfLife:
        prefix = f"{node.get_name()}: "
        return SignOfLife(
            node,
            DiagnosticArray,
            TOPIC,
            2,
            lambda message: any(status.name.startswith(prefix) for status in message.status),
        )

    wait_until_alone(node, since, describe, sign, ended)


def on_one_domain() -> str:
    """What to say of two that meet, from "on one domain" on."""
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    return (
        f"on one domain (ROS_DOMAIN_ID is {domain}) cannot be told apart. End the other graph, or "
        "give one of them another ROS_DOMAIN_ID or a namespace"
    )
