"""What an operator wants now: the newest twist, for as long as it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.hardware import Array
from gensim2_control.kinematics import TCP_LINK

BASE = "base"
FRAMES = ("", BASE, TCP_LINK)
"""Frames in which a twist may be given; empty = `base`."""


class TwistError(ValueError):
    """A twist that cannot be used; says why."""


@dataclass(frozen=True)
class Wanted:
    """A twist of the TCP, and when it came.

    Attributes:
        twist: Linear [m/s] and angular [rad/s] velocity (6,) of the TCP, in `frame`.
        frame: `base`, or that of the TCP.
        came: When it came [s].
    """

    twist: Array
    frame: str
    came: float

    def __post_init__(self) -> None:
        if self.frame not in FRAMES:
            raise TwistError(
                f"a twist in the frame '{self.frame}' is left out; give it in '{BASE}' or "
                f"'{TCP_LINK}'"
            )
        if not np.isfinite(self.twist).all():
            raise TwistError("a twist that is not finite is left out")

    def in_base(self, T_base_tcp: Array, now: float, lasts: float) -> Array:
        """The twist (6,) in `base`; zero once it is older than `lasts` [s]."""
        # The times come from another clock, which may be set back a little.
        if abs(now - self.came) > lasts:
            return np.zeros(6)
        if self.frame != TCP_LINK:
            return self.twist
        turn = T_base_tcp[:3, :3]
        return np.concatenate([turn @ self.twist[:3], turn @ self.twist[3:]])
