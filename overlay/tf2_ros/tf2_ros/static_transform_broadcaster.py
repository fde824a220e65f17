"""Sends transforms that never change to `/tf_static`."""

from collections.abc import Sequence

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage


class StaticTransformBroadcaster:
    """Publishes transforms once for everyone, also for those who come later.

    Only the newest message is kept for latecomers, so it always contains everything sent so far.
    """

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        """Create the publisher; `qos` None means depth 1, transient local."""
        if qos is None:
            qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.pub_tf = node.create_publisher(TFMessage, "/tf_static", qos)
        self._sent: dict[str, TransformStamped] = {}

    def sendTransform(self, transform: TransformStamped | Sequence[TransformStamped]) -> None:
        """Publish one transform or several; a new one replaces that of the same child frame."""
        transforms = [transform] if isinstance(transform, TransformStamped) else transform
        self._sent.update({each.child_frame_id: each for each in transforms})
        self.pub_tf.publish(TFMessage(transforms=list(self._sent.values())))
