"""What a shadow of the robot shows: the joints as they are, or a plan before it is carried out.

Times are seconds of any one clock that runs forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from gensim2_control.hardware import ARM_DOF
from numpy.typing import NDArray

Array = NDArray[np.float64]
FINGER_TOLERANCE = 0.002  # m; fingers that moved by more have begun to move


class Mode(Enum):
    """Whose joints are shown."""

    LIVE = "live"
    PLAN = "plan"


@dataclass(frozen=True)
class PreviewConfig:
    """How a plan is shown.

    Attributes:
        speed: Seconds of the plan per second.
        repeats: How often it is shown while nothing moves.
        hold: Time to stay at its end, s.
        start_tolerance: A plan that begins further away from the arm is not shown, rad.
        motion_tolerance: An arm that is further away from where it was has begun to move, rad.
    """

    speed: float = 1.0
    repeats: int = 3
    hold: float = 1.0
    start_tolerance: float = 0.05
    motion_tolerance: float = 0.01


@dataclass(frozen=True)
class Motion:
    """A planned motion of all joints: q (N, 9), rad and m, at t (N,) s; t rises from 0.

    Raises:
        ValueError: Sizes, times or numbers are wrong.
    """

    t: Array
    q: Array

    def __post_init__(self) -> None:
        if len(self.t) < 1 or self.q.shape[:1] != self.t.shape:
            raise ValueError(f"a motion of {len(self.t)} times and {self.q.shape} positions")
        if not (np.isfinite(self.t).all() and np.isfinite(self.q).all()):
            raise ValueError("a motion with a time or position that is not finite")
        if (np.diff(self.t) <= 0.0).any() or self.t[0] < 0.0:
            raise ValueError("the times of a motion must rise")

    def at(self, t: float) -> Array:
        """Positions (9,) at a time, which is held within the motion."""
        return np.array([np.interp(t, self.t, column) for column in self.q.T])


@dataclass(frozen=True)
class Shown:
    """What is shown: q (9,), and which share of a plan has passed (0 to 1; live: 0)."""

    mode: Mode
    q: Array
    share: float = 0.0


class Preview:
    """Follows the measured joints, and shows every new plan until the robot moves.

    Args:
        config: How a plan is shown.
    """

    def __init__(self, config: PreviewConfig) -> None:
        self._config = config
        self._q: Array | None = None
        self._new: Motion | None = None
        self._motion: Motion | None = None
        self._began = 0.0
        self._rest = np.zeros(0)

    def plan(self, motion: Motion | None) -> None:
        """Takes a new plan; None = there is none any more."""
        self._new, self._motion = motion, None

    def measured(self, q: Array, now: float) -> None:
        """Takes the joints (9,) as they are."""
        self._q = q
        if self._new is not None:
            off = np.abs(self._new.q[0] - q)[:ARM_DOF].max()
            # One that is kept for who comes late may be long past.
            if off <= self._config.start_tolerance:
                self._motion, self._began, self._rest = self._new, now, q
            self._new = None
        elif self._motion is not None and self._moves(q):
            self._motion = None

    def _moves(self, q: Array) -> bool:
        off = np.abs(q - self._rest)
        arm, fingers = off[:ARM_DOF].max(), off[ARM_DOF:].max()
        return bool(arm > self._config.motion_tolerance or fingers > FINGER_TOLERANCE)

    def shown(self, now: float) -> Shown | None:
        """What to show at a time; None while no joints are known."""
        if self._q is None:
            return None
        if self._motion is not None:
            config, duration = self._config, float(self._motion.t[-1])
            period = duration / config.speed + config.hold
            passed = now - self._began
            if passed < config.repeats * period:
                t = min((passed % period) * config.speed, duration)
                share = t / duration if duration > 0.0 else 1.0
                return Shown(Mode.PLAN, self._motion.at(t), share)
            self._motion = None
        return Shown(Mode.LIVE, self._q)
