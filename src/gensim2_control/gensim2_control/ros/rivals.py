"""Only one host may offer a body under the same names: two of them would move one robot twice.

Two graphs meet where somebody starts a second one on the same domain and namespace. Whoever comes
second refuses to start; two that start at the same time refuse goals when they see each other.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable

from rclpy.node import Node
from sensor_msgs.msg import JointState

from gensim2_control.ros.namesakes import SignOfLife, on_one_domain, wait_until_alone

JOINT_STATES = "joint_states"
STOP_SERVICE = "robot/stop"
_LIVES = 3
"""Joint states that prove that their publisher lives."""


class Rivals:
    """Other hosts of a body on the domain and in the namespace of a node."""

    def __init__(self, node: Node) -> None:
        """Look from a node; nothing is published or offered by this."""
        self._node = node
        self._since = time.monotonic()
        self._topic = node.resolve_topic_name(JOINT_STATES)
        self._service = node.resolve_service_name(STOP_SERVICE)

    def describe(self, own: int) -> str:
        """Say who else publishes joint states or serves stop; empty where nobody does.

        Args:
            own: publishers, and servers, of this node: 0 or 1.
        """
        node, found = self._node, {}
        if node.count_publishers(self._topic) > own:
            publishers = node.get_publishers_info_by_topic(self._topic)
            names = [_join(info.node_namespace, info.node_name) for info in publishers]
            found[f"publishes {self._topic}"] = self._name(names, own)
        if node.count_services(self._service) > own:
            found[f"serves {self._service}"] = self._name(list(self._servers()), own)
        if not found:
            return ""
        does = " and ".join(found)
        who = " or ".join(sorted(set(found.values())))
        return f"{who} {does}: two bodies {on_one_domain()}"

    def wait_until_alone(self, ended: Callable[[], bool]) -> None:
        """Wait until nobody else is there, as after a host was killed.

        One that sends joint states lives, and is not waited for.

        Args:
            ended: tells whether the start is to be given up.

        Raises:
            StartError: another host is there.
            KeyboardInterrupt: the start was given up.
        """
        wait_until_alone(
            self._node,
            self._since,
            lambda: self.describe(own=0),
            lambda: SignOfLife(self._node, JointState, JOINT_STATES, _LIVES),
            ended,
        )

    def _servers(self) -> Iterable[str]:
        node = self._node
        for name, namespace in node.get_node_names_and_namespaces():
            try:
                services = node.get_service_names_and_types_by_node(name, namespace)
            except RuntimeError:
                # It has gone in between.
                continue
            if any(service == self._service for service, _ in services):
                yield _join(namespace, name)

    def _name(self, names: list[str], own: int) -> str:
        if own:
            with contextlib.suppress(ValueError):
                names.remove(self._node.get_fully_qualified_name())
        # What a node publishes may become known before its name.
        known = sorted({name for name in names if "UNKNOWN" not in name})
        return f"node {', '.join(known)}" if known else "another node"


def _join(namespace: str, name: str) -> str:
    return f"{namespace.rstrip('/')}/{name}"
