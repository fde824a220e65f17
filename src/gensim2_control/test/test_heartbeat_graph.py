"""Whoever came first, a client that lives is known to live, and one that dies is missed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from gensim2_control.ros.heartbeat import HeartbeatMonitor
from mock_process import GUARD, Client, graph_environment, joined
from rclpy.node import Node

DOMAIN = 1 + (os.getpid() + 47) % 95
HOSTS = 8
"""One after another: what the middleware does not tell, it does not tell one of three."""
POLL = 0.02
LIVING = """
import rclpy
from gensim2_control.ros.heartbeat import ClientHeartbeat

rclpy.init()
node = rclpy.create_node("living")
heartbeat = ClientHeartbeat(node)
rclpy.spin(node)
"""


@pytest.fixture
def client() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", LIVING], env=graph_environment(DOMAIN))
    yield process
    process.kill()
    process.wait(GUARD)


@pytest.fixture
def node() -> Iterator[Node]:
    with joined(DOMAIN):
        hosts = Client(DOMAIN)
        yield hosts.node
        hosts.close()


def wait(condition: Callable[[], bool], what: str) -> None:
    pause = threading.Event()
    for _ in range(round(GUARD / POLL)):
        if condition():
            return
        pause.wait(POLL)
    raise AssertionError(what)


def test_a_client_that_was_there_before_is_alive_and_its_death_is_told(
    client: subprocess.Popen[bytes], node: Node
) -> None:
    wait(lambda: node.count_publishers("client_heartbeat") > 0, "the client did not come up")
    lost = [threading.Event() for _ in range(HOSTS)]
    monitors = []
    for index, event in enumerate(lost):
        monitor = HeartbeatMonitor(node, lambda: True, lambda _, e=event: e.set(), 0.0)
        wait(lambda m=monitor: m.alive, f"host {index} knows of no client")
        monitors.append(monitor)
    assert not any(event.is_set() for event in lost)
    client.kill()
    # Nobody counts as hung here: it is the middleware that misses it.
    assert all(event.wait(GUARD) for event in lost)
    wait(lambda: not any(monitor.alive for monitor in monitors), "a dead client seems to live")
