"""What the keys of an operator mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from gensim2_control.hardware import FINGER_MAX, Array
from gensim2_control.kinematics import TCP_LINK

from .twist_input import BASE

MOVES: dict[str, tuple[int, int]] = {
    "w": (0, 1),
    "s": (0, -1),
    "a": (1, 1),
    "d": (1, -1),
    "e": (2, 1),
    "q": (2, -1),
    "j": (3, -1),
    "l": (3, 1),
    "i": (4, 1),
    "k": (4, -1),
    "u": (5, 1),
    "o": (5, -1),
}
"""Axis of the twist, x y z and the turns about them, and direction, by key."""

_LINEAR, _ANGULAR = 0.08, 0.4  # m/s, rad/s at speed 1
_FASTER = 1.25
_SLOWEST, _FASTEST = 0.1, 2.5


class Request(Enum):
    """What a key asks of another node: the service, and for SetBool its data."""

    DONE_SUCCESS = ("teleop/done", "scene/success", True)
    DONE_FAILURE = ("teleop/done", "scene/success", False)
    READY = ("scene/ready", "", None)
    STOP = ("robot/stop", "", None)
    RECOVER = ("robot/recover", "", None)
    CONFIRM = ("robot/confirm", "", None)
    HOME = ("robot/home", "", None)


REQUESTS = {
    "y": Request.DONE_SUCCESS,
    "n": Request.DONE_FAILURE,
    "\r": Request.READY,
    "\n": Request.READY,
    " ": Request.STOP,
    "R": Request.RECOVER,
    "C": Request.CONFIRM,
    "H": Request.HOME,
}

HELP = """\
  move      w s  forward, back      a d  left, right      e q  up, down
  turn      j l  about x            i k  about y          u o  about z
  fingers   g    open, close        f    in the frame of the hand, of the base
  speed     + -                     ?    this help        Ctrl-C  leave
  attempt   y    done, a success    n    done, a failure  Enter   objects are in place
  robot     space  STOP             R    recover          C  confirm   H  home"""


@dataclass(frozen=True)
class Press:
    """What a key press means.

    Attributes:
        request: What is asked of another node, if anything.
        fingers: Where the fingers go [m], if they do.
        text: What the operator reads.
    """

    request: Request | None = None
    fingers: float | None = None
    text: str = ""


class Keys:
    """Turns key presses into a twist that lasts a little longer than the repeat of a keyboard.

    Args:
        hold: How long a key counts without a repeat [s].
    """

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._pressed: dict[str, float] = {}
        self._speed = 1.0
        self._open = True
        self.frame = BASE
        """In which the twist is meant."""

    def press(self, key: str, now: float) -> Press:
        """Takes a key.

        Args:
            key: One character.
            now: The time [s].
        """
        if key in MOVES:
            axis, _ = MOVES[key]
            # The other direction ends at once.
            self._pressed = {k: t for k, t in self._pressed.items() if MOVES[k][0] != axis}
            self._pressed[key] = now
            return Press()
        if key in REQUESTS:
            self._pressed.clear()
            return Press(request=REQUESTS[key])
        if key == "g":
            self._open = not self._open
            return Press(
                fingers=FINGER_MAX if self._open else 0.0,
                text="open the fingers" if self._open else "close the fingers",
            )
        if key == "f":
            self._pressed.clear()
            self.frame = TCP_LINK if self.frame == BASE else BASE
            return Press(text=f"twists are meant in the frame of {self.frame}")
        if key in ("+", "-"):
            faster = _FASTER if key == "+" else 1.0 / _FASTER
            self._speed = min(max(self._speed * faster, _SLOWEST), _FASTEST)
            return Press(text=f"speed {100.0 * self._speed:.0f} %")
        if key == "?":
            return Press(text=HELP)
        return Press(text=f"{key!r} means nothing; ? shows what does" if key.isprintable() else "")

    def twist(self, now: float) -> Array:
        """The twist (6,) [m/s, rad/s] of the keys that count at a time [s]."""
        twist = np.zeros(6)
        for key, since in self._pressed.items():
            if 0.0 <= now - since <= self._hold:
                axis, sign = MOVES[key]
                twist[axis] = sign * self._speed * (_LINEAR if axis < 3 else _ANGULAR)
        return twist
