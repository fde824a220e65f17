"""The executable `static_transform_publisher`: one fixed transform from the command line."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.exceptions import NotInitializedException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from tf2_ros.static_transform_arguments import StaticTransform, parse_arguments
from tf2_ros.static_transform_broadcaster import StaticTransformBroadcaster

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_S = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Publish the transform until interrupted; returns the exit code."""
    signals = _note_signals()
    node: Node | None = None
    try:
        args = list(sys.argv if argv is None else argv)
        request = parse_arguments(remove_ros_args(args)[1:])
        rclpy.init(args=args)
        if not signals:
            node = rclpy.create_node(f"static_transform_publisher_{os.getpid()}")
            _publish(node, request)
            _spin(node, signals)
    except argparse.ArgumentTypeError as error:
        print(f"static_transform_publisher: {error}", file=sys.stderr)
        return 1
    except ExternalShutdownException:
        pass
    except (RuntimeError, NotInitializedException):
        # RCLError and the like: a signal ends ROS at once, whoever is about to need it.
        if rclpy.ok() or not signals:
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        _ignore_signals()
    return 0


def _publish(node: Node, request: StaticTransform) -> None:
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


def _note_signals() -> list[int]:
    """Replace what raises KeyboardInterrupt, in the midst of anything, by a list of signals.

    ROS itself ends on a signal, too, once `rclpy.init` has seen to that.
    """
    signals: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda received, _: signals.append(received))
    return signals


def _spin(node: Node, signals: list[int]) -> None:
    if signals or not rclpy.ok():  # an executor cannot even be made then
        return
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        # With a limit: a signal wakes the executor before it ends ROS, so the end can be missed.
        while rclpy.ok() and not signals:
            executor.spin_once(timeout_sec=_POLL_S)
    finally:
        executor.shutdown()


def _ignore_signals() -> None:
    """Let the interpreter end undisturbed."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
