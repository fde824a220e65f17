"""A node must not die because it has closed a publisher, nor live on after a defect."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

import rclpy
from gensim2_control.ros.spin import spin
from rclpy.context import Context
from rclpy.executors import Executor, MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.waitable import Waitable
from std_msgs.msg import Header

GUARD = 60.0  # s; only ends a test that hangs


class Late(Node):
    """Tells its executor a few times of what has been destroyed, as one that is overtaken."""

    destroyed: tuple[Waitable, ...] = ()
    times = 5

    @property
    def waitables(self) -> Iterator[Waitable]:
        if self.destroyed:
            self.times -= 1
        return itertools.chain(super().waitables, self.destroyed if self.times > 0 else ())


class Spun:
    """A node that is spun in a thread."""

    def __init__(self, kind: type[Executor]) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=1 + (os.getpid() + 41) % 95)
        self.node = Late("spun", context=self.context)
        self.executor = kind(context=self.context)
        self.executor.add_node(self.node)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            spin(self.executor)
        except BaseException as error:
            self.error = error

    def close(self) -> None:
        self.executor.shutdown()
        self.thread.join(GUARD)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture(params=[SingleThreadedExecutor, MultiThreadedExecutor])
def spun(request: pytest.FixtureRequest) -> Iterator[Spun]:
    spun = Spun(request.param)
    yield spun
    spun.close()


def test_what_is_destroyed_meanwhile_ends_nothing(spun: Spun) -> None:
    subscription = spun.node.create_subscription(Header, "one", print, 1)
    events = tuple(subscription.event_handlers)
    assert events
    spun.node.destroy_subscription(subscription)
    spun.node.destroyed = events
    called = threading.Event()
    spun.node.create_timer(0.01, called.set)
    assert called.wait(GUARD), spun.error
    assert spun.error is None and spun.node.times <= 0


def test_a_defect_of_a_callback_ends_it(spun: Spun) -> None:
    """Also one that looks like what rclpy complains of by itself."""
    publisher = spun.node.create_publisher(Header, "three", 1)

    def use_after_free() -> None:
        publisher.destroy()
        publisher.publish(Header())

    spun.node.create_timer(0.01, use_after_free)
    spun.thread.join(GUARD)
    assert isinstance(spun.error, rclpy_implementation.InvalidHandle)
