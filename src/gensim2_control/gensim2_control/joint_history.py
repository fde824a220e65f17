"""The recent past of the arm: where the joints were when a picture was taken."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class JointsPendingError(LookupError):
    """No sample at or after the asked instant yet; one may still come."""


class JointsUnavailableError(LookupError):
    """The joints at the asked instant are not known and never will be."""


def neighbours(stamps: Sequence[int], stamp_ns: int, max_gap_ns: int) -> tuple[int, int, float]:
    """The samples around an instant, and how far it is from the first to the second.

    Args:
        stamps: Of the samples, rising [ns].
        stamp_ns: The instant [ns].
        max_gap_ns: Two samples further apart than this are not bridged [ns].

    Returns:
        Indices of both, the same one where a sample is of that instant, and the share, 0 to 1.

    Raises:
        JointsPendingError: the newest sample is older than the instant.
        JointsUnavailableError: the samples start later, or have a hole there.
    """
    position = bisect_left(stamps, stamp_ns)
    if position == len(stamps):
        raise JointsPendingError("no joint state at or after the stamp of the image")
    after = stamps[position]
    if after == stamp_ns:
        return position, position, 0.0
    if position == 0:
        raise JointsUnavailableError(
            f"the joint state history starts {(after - stamp_ns) * 1e-9:.3f} s after the image"
        )
    before = stamps[position - 1]
    if after - before > max_gap_ns:
        raise JointsUnavailableError(
            f"joint states have a hole of {(after - before) * 1e-9:.3f} s around the image "
            f"(limit {max_gap_ns * 1e-9:.3f} s)"
        )
    return position - 1, position, (stamp_ns - before) / (after - before)


class JointHistory:
    """Joint positions over the last few seconds, interpolated and never extrapolated."""

    def __init__(
        self,
        joints: Sequence[str],
        *,
        horizon_s: float = 5.0,
        max_gap_s: float = 0.1,
        jump_back_s: float = 0.5,
    ) -> None:
        """Creates an empty history.

        Args:
            joints: Names, in the order in which positions are handed out.
            horizon_s: Samples older than the newest by more than this are forgotten [s].
            max_gap_s: Two neighbouring samples further apart than this are not bridged [s].
            jump_back_s: A stamp this far behind the newest means the clock was set back [s].
        """
        self._joints = tuple(joints)
        self._horizon_ns = round(horizon_s * 1e9)
        self._max_gap_ns = round(max_gap_s * 1e9)
        self._jump_back_ns = round(jump_back_s * 1e9)
        self._stamps: list[int] = []
        self._q: list[NDArray[np.float64]] = []

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest sample [ns], None while there is none."""
        return self._stamps[-1] if self._stamps else None

    def add(self, stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> bool:
        """Takes one joint state, whose joints are found by name.

        Args:
            stamp_ns: Time of measurement [ns].
            names: Names of the positions; other joints may be among them, in any order.
            positions: [rad].

        Returns:
            True if the clock was set back, whereupon everything older was forgotten.

        Raises:
            ValueError: a joint is absent, or a position is not finite.
        """
        by_name = dict(zip(names, positions, strict=False))
        absent = [name for name in self._joints if name not in by_name]
        if absent:
            raise ValueError(f"joint state lacks {', '.join(absent)}; it names {list(names)}")
        q = np.array([by_name[name] for name in self._joints], np.float64)
        if not np.isfinite(q).all():
            raise ValueError(f"joint state holds a position that is not finite: {q.tolist()}")
        jumped = bool(self._stamps) and stamp_ns < self._stamps[-1] - self._jump_back_ns
        if jumped:
            self.flush()
        position = bisect_left(self._stamps, stamp_ns)
        if position < len(self._stamps) and self._stamps[position] == stamp_ns:
            # While simulated time stands still the newest word on that instant counts.
            self._q[position] = q
        else:
            self._stamps.insert(position, stamp_ns)
            self._q.insert(position, q)
        expired = bisect_left(self._stamps, self._stamps[-1] - self._horizon_ns)
        del self._stamps[:expired], self._q[:expired]
        return jumped

    def flush(self) -> None:
        """Forgets everything."""
        self._stamps.clear()
        self._q.clear()

    def at(self, stamp_ns: int) -> NDArray[np.float64]:
        """Positions at an instant: the sample itself, or linear between its two neighbours.

        Args:
            stamp_ns: [ns].

        Returns:
            (len(joints),) [rad].

        Raises:
            JointsPendingError: the newest sample is older than the instant.
            JointsUnavailableError: the history starts later, or has a hole there.
        """
        before, after, weight = neighbours(self._stamps, stamp_ns, self._max_gap_ns)
        if before == after:
            return self._q[after].copy()
        q: NDArray[np.float64] = (1.0 - weight) * self._q[before] + weight * self._q[after]
        return q
