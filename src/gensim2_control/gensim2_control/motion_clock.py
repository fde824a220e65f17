"""The time that motions run on, derived from the measurements, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from gensim2_control.config import BodyConfig
from gensim2_control.hardware import Fault, JointSample

NS = 1_000_000_000
_NOISE = 1e-9


@dataclass(frozen=True)
class Reading:
    """What the clock makes of a measurement.

    Attributes:
        usable: the measurement may be used.
        fault: what is wrong with it, or `Fault.NONE`.
        text: the same in words.
    """

    usable: bool
    fault: Fault = Fault.NONE
    text: str = ""


class MotionClock:
    """Counts nanoseconds of motion.

    An integer count of differences makes a motion independent of the absolute time at which it
    starts, to the last bit. Where the hardware's clock cannot be relied upon the count goes on
    by one control period per update, so that a stop comes to its end.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._config = config
        self._last_t: float | None = None
        self._stale_updates = 0
        self.period_ns = round(config.control_period * NS)
        """Nominal time between two updates, ns."""
        self.now_ns = 0
        """Motion time of the newest update, ns."""

    def restart(self) -> None:
        """Accept any time as that of the next measurement."""
        self._last_t = None
        self._stale_updates = 0

    def advance(self, sample: JointSample | None, busy: bool, reliable: bool) -> Reading:
        """Take in the measurement of one update.

        Args:
            sample: the measurement; None where there is none.
            busy: a motion runs, so that time must go on.
            reliable: no fault says that the measurements cannot be relied upon.
        """
        step_ns = self.period_ns
        if sample is None:
            reading = Reading(False)
        elif not sample.is_finite():
            reading = Reading(False, Fault.STATE_INVALID, "a measurement is not a finite number")
        elif self._last_t is None:
            self._last_t = sample.t
            reading = Reading(True)
        else:
            dt = sample.t - self._last_t
            reading = self._judge(dt, busy)
            if reading.usable:
                self._last_t = sample.t
                if reliable and reading.fault is Fault.NONE:
                    step_ns = round(dt * NS)
        self.now_ns += step_ns
        return reading

    def _judge(self, dt: float, busy: bool) -> Reading:
        if dt < -_NOISE:
            text = f"the clock of the hardware ran back by {-dt:.6f} s"
            return Reading(False, Fault.STATE_INVALID, text)
        if not busy:
            self._stale_updates = 0
            return Reading(True)
        if dt > self._config.max_sample_gap:
            return Reading(True, Fault.STATE_STALE, f"no measurement for {dt:.3f} s of motion")
        self._stale_updates = self._stale_updates + 1 if dt <= _NOISE else 0
        if 0 < self._config.max_stale_updates < self._stale_updates:
            text = f"the clock of the hardware stood still for {self._stale_updates} updates"
            return Reading(True, Fault.STATE_STALE, text)
        return Reading(True)
