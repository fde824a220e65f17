"""A node's reports arrive once a second, and at once when something changes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node

GUARD = 20.0  # s; only ends a test that hangs


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    context = Context()
    rclpy.init(context=context, domain_id=1 + (os.getpid() + 12) % 95)
    pair = Node("kitchen", context=context), Node("listener", context=context)
    executor = MultiThreadedExecutor(num_threads=2, context=context)
    for node in pair:
        executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield pair
    executor.shutdown()
    thread.join()
    for node in pair:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_reports_arrive_and_changes_at_once(nodes: tuple[Node, Node]) -> None:
    kitchen, listener = nodes
    report = Report(Level.OK, "cooking", {"pots": 2})
    heard: list[DiagnosticStatus] = []
    news = threading.Condition()

    def on_message(message: DiagnosticArray) -> None:
        with news:
            heard.extend(message.status)
            news.notify_all()

    listener.create_subscription(DiagnosticArray, "diagnostics", on_message, 10)
    diagnostics = NodeDiagnostics(kitchen, lambda: {"oven": report}, "stove-1")
    with news:
        assert news.wait_for(lambda: len(heard) >= 2, GUARD), "nothing is published by itself"
        first = heard[0]
        assert (first.name, first.hardware_id) == ("kitchen: oven", "stove-1")
        assert (first.level, first.message) == (DiagnosticStatus.OK, "cooking")
        assert [(v.key, v.value) for v in first.values] == [("pots", "2")]
        report = Report(Level.ERROR, "burning")
    diagnostics.changed()
    with news:
        assert news.wait_for(lambda: heard[-1].level == DiagnosticStatus.ERROR, GUARD)
    # What has been told is not told again, before its time.
    kitchen.destroy_timer(diagnostics._timer)
    with news:
        told = len(heard)
    diagnostics.changed()
    report = Report(Level.OK, "cooking")
    diagnostics.changed()
    with news:
        assert news.wait_for(lambda: heard[-1].level == DiagnosticStatus.OK, GUARD)
        assert len(heard) <= told + 2
