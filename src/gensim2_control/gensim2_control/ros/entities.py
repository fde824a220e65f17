"""Publishers, subscriptions, services, timers and actions of a node that live for a while only."""

from __future__ import annotations

from rclpy.action import ActionServer
from rclpy.node import Node


class Entities:
    """Remembers what a node has, so that all that comes later can be destroyed."""

    def __init__(self, node: Node) -> None:
        """Remember what there is now."""
        self._node = node
        self._before = self._present()

    def destroy_later(self) -> None:
        """Destroy what was created since; may be called while the node is spun."""
        node = self._node
        before = {id(entity) for entity in self._before}
        later = [entity for entity in self._present() if id(entity) not in before]
        for entity in later:
            if isinstance(entity, ActionServer):
                entity.destroy()
        for timer in list(node.timers):
            if timer in later:
                node.destroy_timer(timer)
        for subscription in list(node.subscriptions):
            if subscription in later:
                node.destroy_subscription(subscription)
        for service in list(node.services):
            if service in later:
                node.destroy_service(service)
        for publisher in list(node.publishers):
            if publisher in later:
                node.destroy_publisher(publisher)

    def _present(self) -> list[object]:
        node = self._node
        found = (node.waitables, node.timers, node.subscriptions, node.services, node.publishers)
        return [entity for kind in found for entity in kind]
