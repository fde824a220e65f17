"""The executable `static_transform_publisher`: one fixed transform from the command line."""

import argparse
import os
import sys
from collections.abc import Sequence

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import ExternalShutdownException
from rclpy.utilities import remove_ros_args

from tf2_ros.static_transform_arguments import parse_arguments
from tf2_ros.static_transform_broadcaster import StaticTransformBroadcaster


def main(argv: Sequence[str] | None = None) -> int:
    """Publish the transform until interrupted; returns the exit code."""
    args = list(sys.argv if argv is None else argv)
    try:
        request = parse_arguments(remove_ros_args(args)[1:])
    except argparse.ArgumentTypeError as error:
        print(f"static_transform_publisher: {error}", file=sys.stderr)
        return 1
    rclpy.init(args=args)
    node = rclpy.create_node(f"static_transform_publisher_{os.getpid()}")
    try:
        message = TransformStamped()
        message.header.stamp = node.get_clock().now().to_msg()
        message.header.frame_id = request.frame_id
        message.child_frame_id = request.child_frame_id
        t, q = message.transform.translation, message.transform.rotation
        (t.x, t.y, t.z), (q.x, q.y, q.z, q.w) = request.transform
        broadcaster = StaticTransformBroadcaster(node)
        broadcaster.sendTransform(message)
        node.get_logger().info(
            f"Spinning until stopped - publishing transform\ntranslation: {request.transform[0]}\n"
            f"rotation (xyzw): {request.transform[1]}\n"
            f"from '{request.frame_id}' to '{request.child_frame_id}'"
        )
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0
