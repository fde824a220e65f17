"""What whoever streams chunks keeps: the bounds of the body, and a little less.

The body checks between the points of a chunk, too, and a smooth way swings a little beyond them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gensim2_control.limits import JointLimits, Workspace

_INSET = 0.002  # m
_MARGIN = 0.005  # rad


@dataclass(frozen=True)
class StreamBounds:
    """The bounds of the body.

    Attributes:
        position_margin: distance from the ends of the joints, rad.
        velocity_scale: share of the joint speed limits that is used.
        acceleration_scale: share of the joint acceleration limits that is used.
        lower: lower corner of the box for TCP and fingertips, m in `base`.
        upper: its upper corner, m in `base`.

    Raises:
        ValueError: the box has not three numbers a corner, or is none.
    """

    position_margin: float = 0.05
    velocity_scale: float = 1.0
    acceleration_scale: float = 1.0
    lower: Sequence[float] = (-0.3, -0.8, 0.0)
    upper: Sequence[float] = (0.9, 0.8, 1.2)

    def __post_init__(self) -> None:
        self.workspace()

    def workspace(self) -> Workspace:
        """Return the box, a little smaller."""
        a, b, c = (float(x) + _INSET for x in self.lower)
        d, e, f = (float(x) - _INSET for x in self.upper)
        return Workspace((a, b, c), (d, e, f))

    def limits(self) -> JointLimits:
        """Return the limits of the joints, a little tighter."""
        margin = self.position_margin + _MARGIN
        return JointLimits.fr3().reduced(margin, self.velocity_scale, self.acceleration_scale)
