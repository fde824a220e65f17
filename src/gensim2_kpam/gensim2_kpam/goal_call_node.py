"""Sends a goal and waits for its end: bounded where nothing moves, and stoppable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from gensim2_control.ros.safe_action_client import SafeActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future

from .expert import ExpertCode, ExpertError
from .task_stop_node import TaskStop

# All of wall time, s.
SERVER_TIMEOUT = 10.0  # to find a server
ANSWER_TIMEOUT = 10.0  # for an answer that needs no motion
GONE = 5.0  # out of sight for so long, a server is dead
STOP_TIMEOUT = 3.0  # for a canceled goal to end
POLL = 0.5  # between looks at whether a server still lives


def call(
    client: SafeActionClient, goal: Any, stop: TaskStop, trouble: Callable[[float], str]
) -> Any:
    """Sends a goal and waits for its end.

    Args:
        client: Whom to send it to.
        goal: The goal.
        stop: Ends the wait.
        trouble: Told for how long the goal has run, s of wall time; returns why to give it up,
            empty = go on.

    Returns:
        The response: ``status`` and ``result``.

    Raises:
        ExpertError: No server, no answer, rejected, the server died or hangs, or the task was
            stopped; the goal is canceled then.
    """
    name = client._action_name
    started = time.monotonic()
    while not client.wait_for_server(POLL):
        stop.check()
        if time.monotonic() - started > SERVER_TIMEOUT:
            raise ExpertError(ExpertCode.INTERNAL, f"no action server {name}; is its node up?")
    stop.check()
    sent = client.send_goal_async(goal)
    if not _done(sent, ANSWER_TIMEOUT):
        # Should it be accepted after all, it must not be left alone.
        sent.add_done_callback(_cancel_late)
        text = f"{name} did not answer in {ANSWER_TIMEOUT:g} s"
        raise ExpertError(ExpertCode.INTERNAL, text)
    handle: ClientGoalHandle = sent.result()
    if not handle.accepted:
        raise ExpertError(ExpertCode.GOAL_REJECTED, f"{name} rejected the goal; see its log")
    stop.call_on_stop(handle.cancel_goal_async)
    try:
        response = _result(client, handle, stop, trouble)
    finally:
        stop.call_on_stop(lambda: None)
    stop.check()
    return response


def _result(
    client: SafeActionClient,
    handle: ClientGoalHandle,
    stop: TaskStop,
    trouble: Callable[[float], str],
) -> Any:
    future = handle.get_result_async()
    seen = started = time.monotonic()
    stopping: float | None = None
    while not _done(future, POLL):
        now = time.monotonic()
        if stop.requested:
            stopping = stopping or now
            if now - stopping > STOP_TIMEOUT:
                stop.check()
            # Once more: a server may refuse it in the moment in which it accepts the goal.
            handle.cancel_goal_async()
        seen = now if client.server_is_ready() else seen
        if now - seen > GONE:
            text = f"{client._action_name} has gone: its node has ended or died"
            raise ExpertError(ExpertCode.INTERNAL, text)
        if text := trouble(now - started):
            handle.cancel_goal_async()
            raise ExpertError(ExpertCode.INTERNAL, text)
    return future.result()


def _done(future: Future, timeout: float) -> bool:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return done.wait(timeout)


def _cancel_late(future: Future) -> None:
    handle = future.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()


def succeeded(response: Any) -> bool:
    """Whether a goal ended as it should."""
    return bool(response.status == GoalStatus.STATUS_SUCCEEDED)


def status_name(response: Any) -> str:
    """How a goal ended, for errors."""
    names = {GoalStatus.STATUS_CANCELED: "canceled", GoalStatus.STATUS_ABORTED: "aborted"}
    return names.get(response.status, f"ended with status {response.status}")
