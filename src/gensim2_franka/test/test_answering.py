"""What never answers is left, and what does is told."""

from __future__ import annotations

import threading
import weakref

import pytest
from gensim2_control.hardware import HardwareError
from gensim2_franka.answering import answered


def test_an_answer_is_returned_and_an_error_is_raised() -> None:
    assert answered(lambda: 7, "the robot") == 7
    with pytest.raises(ZeroDivisionError):
        answered(lambda: 1 // 0, "the robot")


def test_who_says_nothing_is_left_with_a_reason() -> None:
    never = threading.Event()
    try:
        with pytest.raises(HardwareError, match=r"the robot at 127\.0\.0\.9 takes.*0\.1 s"):
            answered(never.wait, "the robot at 127.0.0.9", patience=0.1)
        with pytest.raises(KeyboardInterrupt):
            answered(never.wait, "the robot", lambda: True)
    finally:
        never.set()


def test_a_connection_that_comes_too_late_is_closed() -> None:
    class Connection:
        pass

    late, made = threading.Event(), threading.Event()
    closed = threading.Event()

    def connect() -> Connection:
        late.wait()
        connection = Connection()
        weakref.finalize(connection, closed.set)
        made.set()
        return connection

    with pytest.raises(HardwareError):
        answered(connect, "the robot", patience=0.1)
    assert not made.is_set()
    late.set()
    assert made.wait(10.0) and closed.wait(10.0)
