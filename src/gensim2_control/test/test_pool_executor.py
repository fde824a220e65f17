"""The executor of the nodes: what waits for a thread is not asked after again and again."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

import rclpy
from gensim2_control.ros.pool_executor import PoolExecutor
from rclpy.callback_groups import ReentrantCallbackGroup

GUARD = 30.0
CALLBACKS = 6


@pytest.mark.parametrize("threads", [2, 3])
def test_a_callback_is_handed_over_once_while_all_threads_are_busy(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """rclpy would do so thousands of times a second, and keep those threads from working."""
    rclpy.init()
    executor = PoolExecutor(threads)
    node = rclpy.create_node("busy")
    group, free, done = ReentrantCallbackGroup(), threading.Event(), threading.Semaphore(0)
    handed: list[object] = []
    submit = executor._executor.submit
    monkeypatch.setattr(
        executor._executor, "submit", lambda task: (handed.append(task), submit(task))
    )

    def work() -> None:
        assert free.wait(GUARD)
        done.release()

    for _ in range(CALLBACKS):
        executor.create_task(work)
    executor.add_node(node)
    spinner = threading.Thread(target=executor.spin)
    spinner.start()
    try:
        # Wakes the executor while nothing can be begun.
        woken = threading.Event()
        for _ in range(50):
            node.create_guard_condition(lambda: None, callback_group=group).trigger()
            woken.wait(0.005)
        free.set()
        for _ in range(CALLBACKS):
            assert done.acquire(timeout=GUARD), "a callback was lost"
    finally:
        free.set()
        executor.shutdown()
        spinner.join(GUARD)
        node.destroy_node()
        rclpy.shutdown()
    assert max(Counter(map(id, handed)).values()) == 1, "it was handed over again and again"


def test_all_threads_are_there_before_anything_is_to_be_done() -> None:
    """A number that grows while a robot is driven for hours looks like a leak, and hides one."""
    rclpy.init()
    before = {*threading.enumerate()}
    executor = PoolExecutor(4)
    try:
        made = {*threading.enumerate()} - before
        assert len(made) == 4
        gate = threading.Barrier(5)
        for _ in range(4):
            executor._executor.submit(_Task(gate))
        gate.wait(GUARD)
        assert {*threading.enumerate()} - before == made
    finally:
        executor.shutdown()
        rclpy.shutdown()


class _Task:
    """What the executor hands over."""

    def __init__(self, gate: threading.Barrier) -> None:
        self._gate = gate

    def __call__(self) -> None:
        self._gate.wait(GUARD)

    def done(self) -> bool:
        return True
