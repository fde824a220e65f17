"""Fills a buffer from `/tf` and `/tf_static`."""

import math
from contextlib import suppress
from threading import Thread
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import JumpThreshold, ROSClock
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from rclpy.time import Time
from tf2_msgs.msg import TFMessage

from tf2_ros.buffer import Buffer

DEFAULT_TF_TOPIC = "/tf"
DEFAULT_STATIC_TF_TOPIC = "/tf_static"


class TransformListener:
    """Subscribes to transforms and stores them in a buffer.

    When the clock of the node jumps back, as in a simulation that was reset, the buffer is
    cleared: what it holds is from a time that has not happened yet.
    """

    def __init__(
        self,
        buffer: Buffer,
        node: Node,
        *,
        spin_thread: bool = False,
        qos: QoSProfile | int | None = None,
        static_qos: QoSProfile | int | None = None,
        tf_topic: str = DEFAULT_TF_TOPIC,
        tf_static_topic: str = DEFAULT_STATIC_TF_TOPIC,
    ) -> None:
        """Subscribe.

        Args:
            buffer: to fill.
            node: to subscribe with.
            spin_thread: spin the node in a thread of its own; only if nobody else spins it.
            qos: of the moving transforms; depth 100 if None.
            static_qos: of the static ones; depth 100, transient local if None.
            tf_topic: name of the topic of the moving ones.
            tf_static_topic: name of the topic of the static ones.
        """
        self.buffer = buffer
        self.node = node
        if qos is None:
            qos = QoSProfile(depth=100, history=HistoryPolicy.KEEP_LAST)
        if static_qos is None:
            static_qos = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.group = ReentrantCallbackGroup()
        self.tf_sub = node.create_subscription(
            TFMessage, tf_topic, self.callback, qos, callback_group=self.group
        )
        self.tf_static_sub = node.create_subscription(
            TFMessage, tf_static_topic, self.static_callback, static_qos, callback_group=self.group
        )
        self._jump_handle = node.get_clock().create_jump_callback(
            JumpThreshold(
                min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
            ),
            post_callback=self._on_jump,
        )
        if spin_thread:
            self.executor = SingleThreadedExecutor(context=node.context)
            self.executor.add_node(node)
            self.dedicated_listener_thread = Thread(target=self._spin, daemon=True)
            self.dedicated_listener_thread.start()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self.executor.spin()

    def _on_jump(self, jump: Any) -> None:
        self.buffer.clear()

    def unregister(self) -> None:
        """Stop listening."""
        if hasattr(self, "executor"):
            self.executor.shutdown()
            self.dedicated_listener_thread.join()
        self._jump_handle.unregister()
        self.node.destroy_subscription(self.tf_sub)
        self.node.destroy_subscription(self.tf_static_sub)

    def callback(self, message: TFMessage) -> None:
        """Store moving transforms."""
        clock = self.node.get_clock()
        latest_ns: float = math.inf
        if isinstance(clock, ROSClock) and clock.ros_time_is_active:
            # What was on its way when a simulation was reset would shadow all that comes after.
            latest_ns = (clock.now() + self.buffer.cache_time).nanoseconds
        for transform in message.transforms:
            if Time.from_msg(transform.header.stamp).nanoseconds <= latest_ns:
                self.buffer.set_transform(transform, "default_authority")

    def static_callback(self, message: TFMessage) -> None:
        """Store static transforms."""
        for transform in message.transforms:
            self.buffer.set_transform_static(transform, "default_authority")
