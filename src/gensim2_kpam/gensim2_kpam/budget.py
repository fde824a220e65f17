"""How much CPU time one planning call may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class OutOfTimeError(RuntimeError):
    """The CPU time of a planning call is used up."""


@dataclass(frozen=True)
class Budget:
    """CPU time of one planning call.

    Attributes:
        clock: CPU clock, s.
        ends: Reading of the clock after which nothing new is begun.
    """

    clock: Callable[[], float]
    ends: float

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self.clock() > self.ends

    def check(self) -> None:
        """Called often, between pieces of work that are known to be short.

        Raises:
            OutOfTimeError: The time is used up.
        """
        if self.is_over:
            raise OutOfTimeError
