"""Goals to a server that has not discovered its client yet, over DDS within this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("control_msgs.action", reason="needs the built workspace")

import rclpy
from control_msgs.action import GripperCommand
from gensim2_control.ros.safe_action_client import SafeActionClient
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node

DOMAIN = 1 + (os.getpid() + 3) % 95
GUARD = 60.0  # s; only ends a test that hangs
NAME = "grip"


class UnheardServer(ActionServer):
    """Does what it is asked, but its first answers reach nobody."""

    def __init__(self, node: Node, unheard: int) -> None:
        self.unheard = unheard
        self.hold_first = False
        self.held: list[Any] = []
        self.goals = 0
        super().__init__(node, GripperCommand, NAME, self._execute)

    def _execute(self, handle: ServerGoalHandle) -> GripperCommand.Result:
        self.goals += 1
        handle.succeed()
        return GripperCommand.Result(reached_goal=True)

    async def _execute_goal_request(self, request: Any) -> None:
        assert self.unheard <= 0, "this goal is accepted, and nobody will ever know"
        await super()._execute_goal_request(request)

    async def _execute_get_result_request(self, request: Any) -> None:
        self.unheard -= 1
        if self.hold_first:
            self.hold_first = False
            self.held.append(request)
        elif self.unheard < 0:
            for one in (request, *self.held):
                await super()._execute_get_result_request(one)
            self.held.clear()


class Pair:
    """A client and, once started, a server, each a participant of its own."""

    def __init__(self) -> None:
        self._contexts: list[Context] = []
        self._executors: list[MultiThreadedExecutor] = []
        self._threads: list[threading.Thread] = []
        self.client = SafeActionClient(self._node("client"), GripperCommand, NAME)

    def _node(self, name: str) -> Node:
        context = Context()
        rclpy.init(context=context, domain_id=DOMAIN)
        node = rclpy.create_node(name, context=context)
        executor = MultiThreadedExecutor(num_threads=2, context=context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()
        self._contexts.append(context)
        self._executors.append(executor)
        self._threads.append(thread)
        return node

    def serve(self, unheard: int) -> UnheardServer:
        self.server = UnheardServer(self._node("server"), unheard)
        return self.server

    def server_ends(self) -> None:
        self._executors.pop().shutdown(GUARD)
        self._threads.pop().join(GUARD)
        self.server.destroy()
        rclpy.shutdown(context=self._contexts.pop())

    def close(self) -> None:
        for executor in self._executors:
            executor.shutdown(GUARD)
        for thread in self._threads:
            thread.join(GUARD)
        for context in self._contexts:
            rclpy.shutdown(context=context)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    pair = Pair()
    yield pair
    pair.close()


def result(future: Any) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(GUARD), "no answer"
    return future.result()


def test_no_goal_is_sent_before_answers_arrive(pair: Pair) -> None:
    server = pair.serve(unheard=2)
    assert pair.client.wait_for_server(GUARD)
    assert server.unheard < 0
    handle = result(pair.client.send_goal_async(GripperCommand.Goal()))
    assert handle.accepted
    assert result(handle.get_result_async()).result.reached_goal
    assert server.goals == 1


def test_late_answers_of_a_server_that_has_gone_do_not_count(pair: Pair) -> None:
    """One of two questions is answered when the other has been already: by then it is history."""
    server = pair.serve(unheard=0)
    server.hold_first = True
    assert pair.client.wait_for_server(GUARD)
    # Another exchange, after which the second answer has arrived too.
    assert result(pair.client.send_goal_async(GripperCommand.Goal())).accepted
    assert not server.held
    pair.server_ends()
    assert not pair.client.wait_for_server(0.2)


def test_a_server_that_nobody_hears_is_not_there(pair: Pair) -> None:
    assert not pair.client.wait_for_server(0.0)
    server = pair.serve(unheard=10**6)
    while server.unheard == 10**6:
        assert not pair.client.wait_for_server(0.1)
    assert not pair.client.wait_for_server(0.6)
    # What was asked meanwhile is answered late, and counts.
    server.unheard = 0
    assert pair.client.wait_for_server(GUARD)
    assert server.goals == 0
