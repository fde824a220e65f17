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

from .performance import ExpertCode, ExpertError
from .task_stop_node import TaskStop

# All of wall time, s.
SERVER_TIMEOUT = 10.0  # to find a server
ANSWER_TIMEOUT = 10.0  # for an answer that needs no motion
GONE = 5.0  # out of sight for so long, a server is dead, or has been frozen for some time
STOP_TIMEOUT = 3.0  # for a canceled goal to end
POLL = 0.5  # between looks at whether a server still lives

Trouble = Callable[[float], ExpertError | None]


def call(client: SafeActionClient, goal: Any, stop: TaskStop, trouble: Trouble) -> Any:
    """Sends a goal and waits for its end.

    Args:
        client: Whom to send it to.
        goal: The goal.
        stop: Ends the wait.
        trouble: Told for how long the server has been in sight, s of wall time; returns why to
            give it up, None = go on.

    Returns:
        The response: ``status`` and ``result``.

    Raises:
        ExpertError: No server, no answer, rejected, the server died or is frozen, or the task was
            stopped; the goal is canceled then.
    """
    started = _find(client, stop, trouble)
    handle = _accepted(client, goal, stop, trouble, started)
    stop.call_on_stop(handle.cancel_goal_async)
    try:
        response = _result(client, handle, stop, trouble, started)
    finally:
        stop.call_on_stop(lambda: None)
    stop.check()
    return response


def _find(client: SafeActionClient, stop: TaskStop, trouble: Trouble) -> float:
    """Waits for a server that answers; since when it is in sight, s of wall time."""
    began = time.monotonic()
    seen: float | None = None
    while not client.wait_for_server(POLL):
        stop.check()
        now = time.monotonic()
        seen = (seen or now) if client.server_is_ready() else None
        if seen is not None:
            if error := trouble(now - seen) or _late(client, now - seen):
                raise error
        elif now - began > SERVER_TIMEOUT:
            text = f"no action server {client._action_name}; is its node up, and not frozen?"
            raise ExpertError(ExpertCode.INTERNAL, text)
    stop.check()
    return seen or time.monotonic()


def _accepted(
    client: SafeActionClient, goal: Any, stop: TaskStop, trouble: Trouble, started: float
) -> ClientGoalHandle:
    sent = client.send_goal_async(goal)
    sent_at = time.monotonic()
    stopping: float | None = None
    while not _done(sent, POLL):
        now = time.monotonic()
        # Who is stopped waits a while, to see the goal canceled and at its end.
        stopping = (stopping or now) if stop.requested else None
        error = trouble(now - started) or _late(client, now - sent_at)
        if error is not None or (stopping and now - stopping > STOP_TIMEOUT):
            # Should it be accepted after all, it must not be left alone.
            sent.add_done_callback(_cancel_late)
            stop.check()
            assert error is not None
            raise error
    handle: ClientGoalHandle = sent.result()
    if not handle.accepted:
        text = f"{client._action_name} rejected the goal; see its log"
        raise ExpertError(ExpertCode.GOAL_REJECTED, text)
    return handle


def _result(
    client: SafeActionClient,
    handle: ClientGoalHandle,
    stop: TaskStop,
    trouble: Trouble,
    started: float,
) -> Any:
    future = handle.get_result_async()
    seen = time.monotonic()
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
            text = f"{client._action_name} has gone: its node has ended, died or is frozen"
            raise ExpertError(ExpertCode.INTERNAL, text)
        if error := trouble(now - started):
            # For when it goes on after all.
            handle.cancel_goal_async()
            raise error
    return future.result()


def _late(client: SafeActionClient, waited: float) -> ExpertError | None:
    return unanswered(client, ANSWER_TIMEOUT) if waited > ANSWER_TIMEOUT else None


def unanswered(client: SafeActionClient, waited: float) -> ExpertError:
    """A server is in sight and has said nothing for so long, s of wall time."""
    node, _, _ = client._action_name.strip("/").rpartition("/")
    text = f"{node} does not answer: is it frozen? Waited for {waited:g} s"
    return ExpertError(ExpertCode.INTERNAL, text)


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
