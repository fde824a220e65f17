"""The executable `static_transform_publisher`: one fixed transform from the command line."""

import argparse
import os
import sys
from collections.abc import Sequence

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from tf2_ros.node_program import run_program
from tf2_ros.static_transform_arguments import StaticTransform, parse_arguments
from tf2_ros.static_transform_broadcaster import StaticTransformBroadcaster


def main(argv: Sequence[str] | None = None) -> int:
    """Publish the transform until interrupted; returns the exit code."""
    args = list(sys.argv if argv is None else argv)
    try:
        request = parse_arguments(remove_ros_args(args)[1:])
    except argparse.ArgumentTypeError as error:
        print(f"static_transform_publisher: {error}", file=sys.stderr)
        return 1
    run_program(lambda: _publisher(request), args)
    return 0


def _publisher(request: StaticTransform) -> Node:
    node = rclpy.create_node(f"static_transform_publisher_{os.getpid()}")
    message = TransformStamped()
    message.header.stamp = node.get_clock().now().to_msg()
    message.header.frame_id = request.frame_id
    message.child_frame_id = request.child_frame_id
    t, q = message.transform.translation, message.transform.rotation
    (t.x, t.y, t.z), (q.x, q.y, q.z, q.w) = request.transform
    StaticTransformBroadcaster(node).sendTransform(message)
    node.get_logger().info(
        f"Spinning until stopped - publishing transform\ntranslation: {request.transform[0]}\n"
        f"rotation (xyzw): {request.transform[1]}\n"
        f"from '{request.frame_id}' to '{request.child_frame_id}'"
    )
    return node
