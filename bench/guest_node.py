"""A node of this process that joins a graph on a domain of its own, and leaves it again."""

from __future__ import annotations

import threading

import rclpy
from gensim2_control.ros.spin import spin
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor


class Guest:
    """A node that is spun in a thread from `start` to `close`.

    Attributes:
        node: The node.
    """

    def __init__(self, name: str, domain: int) -> None:
        """Joins a ROS domain."""
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)

    def start(self) -> None:
        """Begins to hear; what the node listens to has been created."""
        self._executor.add_node(self.node)
        self._thread.start()

    def close(self) -> None:
        """Leaves the graph: a listener costs its publisher time."""
        self._executor.shutdown(1.0)
        self._thread.join(1.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
