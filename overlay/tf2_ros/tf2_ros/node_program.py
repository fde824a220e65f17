"""A program that is one node: it ends quietly on SIGINT and SIGTERM, whenever they come."""

import signal
from collections.abc import Callable, Sequence

import rclpy
from rclpy.exceptions import NotInitializedException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_S = 0.2


def run_program(make_node: Callable[[], Node], args: Sequence[str]) -> None:
    """Start ROS, make the node and spin it until a signal or a shutdown.

    Args:
        make_node: its errors are passed on, unless a signal has caused them.
        args: the command line.
    """
    signals = _note_signals()
    node: Node | None = None
    try:
        rclpy.init(args=list(args))
        if not signals:
            node = make_node()
            _spin(node, signals)
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
        # The interpreter shall end undisturbed.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


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
