"""Lays clouds that the cameras have seen over those that a shadow says they should see."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from gensim2_control.report import Level, Report
from numpy.typing import NDArray

from .cloud_residual import Points, Residual, colours, distances, summed_up

RESIDUAL = "residual"
"""Name of the component in the diagnostics."""
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class OverlayConfig:
    """What counts as a difference.

    Attributes:
        tolerance: Points that are further off differ [m].
        limit: Share of points that may differ [-].
        silence: A comparison that is older than this is no longer told as one [s].
        kept: Seen clouds that wait for their shadow, at most [-].
    """

    tolerance: float = 0.02
    limit: float = 0.05
    silence: float = 10.0
    kept: int = 100


@dataclass(frozen=True)
class Overlay:
    """One comparison.

    Attributes:
        xyz: (N, 3) in base, what was seen [m].
        rgb: (N, 3), how far each point is from what should be seen.
        seen: What was seen, against what should be.
        expected: What should be seen, against what was.
    """

    xyz: Points
    rgb: NDArray[np.uint8]
    seen: Residual
    expected: Residual


class CloudOverlay:
    """Pairs clouds of the same stamp and judges them.

    Args:
        config: What counts as a difference.
    """

    def __init__(self, config: OverlayConfig) -> None:
        self._config = config
        self._seen: OrderedDict[int, Points] = OrderedDict()
        self._newest: Overlay | None = None
        self._at = -np.inf
        self._unpaired = 0

    def seen(self, stamp_ns: int, xyz: Points) -> None:
        """Keeps a cloud (N, 3) in base [m] that the cameras have seen."""
        self._seen[stamp_ns] = xyz
        while len(self._seen) > self._config.kept:
            self._seen.popitem(last=False)

    def expected(self, stamp_ns: int, xyz: Points, now: float) -> Overlay | None:
        """Compares a cloud of the shadow (M, 3) in base [m] with what was seen at that stamp.

        Args:
            stamp_ns: [ns].
            xyz: what should be seen [m].
            now: time of any clock [s].

        Returns:
            None where no cloud of this stamp was seen.
        """
        seen = self._seen.pop(stamp_ns, None)
        if seen is None:
            self._unpaired += 1
            return None
        tolerance = self._config.tolerance
        off = distances(seen, xyz)
        self._newest = Overlay(
            seen,
            colours(off, tolerance),
            summed_up(off, tolerance),
            summed_up(distances(xyz, seen), tolerance),
        )
        self._at = now
        return self._newest

    def report(self, now: float) -> dict[str, Report]:
        """How well both agree.

        Args:
            now: time of the same clock [s].
        """
        newest, limit = self._newest, self._config.limit
        values: dict[str, object] = {
            "tolerance [mm]": f"{self._config.tolerance * _MILLIMETRES:g}",
            "share that may differ": f"{limit:g}",
            "clouds of the shadow without a counterpart": self._unpaired,
        }
        if newest is None:
            return {RESIDUAL: Report(Level.WARN, "nothing to compare yet", values)}
        for name, one in (("seen", newest.seen), ("expected", newest.expected)):
            values |= {
                f"{name}: points": one.points,
                f"{name}: median [mm]": f"{one.median * _MILLIMETRES:.1f}",
                f"{name}: p95 [mm]": f"{one.p95 * _MILLIMETRES:.1f}",
                f"{name}: share beyond the tolerance": f"{one.beyond:.4f}",
            }
        return {RESIDUAL: Report(*self._judged(newest, now), values)}

    def _judged(self, newest: Overlay, now: float) -> tuple[Level, str]:
        limit = self._config.limit
        if now - self._at > self._config.silence:
            return Level.WARN, "nothing to compare any more"
        if not newest.seen.points or not newest.expected.points:
            return Level.WARN, "one of both clouds is empty"
        if newest.seen.beyond > limit:
            return Level.WARN, "the cameras see what should not be there, or elsewhere"
        if newest.expected.beyond > limit:
            return Level.WARN, "the cameras do not see what should be there"
        return Level.OK, "what is seen is what should be seen"
