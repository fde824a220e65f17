"""Waits for an answer that may never come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from gensim2_control.hardware import HardwareError

_Answer = TypeVar("_Answer")

_PATIENCE = 15.0
_LOOK = 0.05


def answered(
    call: Callable[[], _Answer],
    whom: str,
    given_up: Callable[[], bool] = lambda: False,
    patience: float = _PATIENCE,
) -> _Answer:
    """Return what a call returns, but do not wait for ever.

    libfranka does: a robot that takes a connection and then says nothing, as it serves another
    client, would hold its caller until that one is killed. A call that is left goes on in a thread
    of its own; a connection that it opens after all is closed at once.

    Args:
        call: opens a connection.
        whom: who is asked; for the message.
        given_up: tells whether to stop waiting.
        patience: how long to wait, s.

    Raises:
        HardwareError: there was no answer in time.
        KeyboardInterrupt: it was given up.
    """
    answer: Future[_Answer] = Future()

    def ask() -> None:
        try:
            answer.set_result(call())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name=f"asks {whom}", daemon=True).start()
    waited = 0.0
    while not wait([answer], _LOOK).done:
        waited += _LOOK
        if given_up():
            raise KeyboardInterrupt
        if waited >= patience:
            raise HardwareError(
                f"{whom} takes the connection, but has not answered for {patience:g} s: end the "
                "other program that is connected to it, or restart it"
            )
    return answer.result()
