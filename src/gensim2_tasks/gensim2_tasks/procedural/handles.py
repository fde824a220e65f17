"""Handles of drawers: straight bars, a short knob-like bar and an arch, on posts or legs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.parts import Array, Colour, Part, bar

HandleKind = Literal["horizontal_bar", "vertical_bar", "knob_bar", "arch"]
HANDLE_KINDS: tuple[HandleKind, ...] = ("horizontal_bar", "vertical_bar", "knob_bar", "arch")
_EMBED = 0.001
_ARCH_LEAN = 0.5


@dataclass(frozen=True)
class HandleParameters:
    """Sizes of one handle, m.

    Attributes:
        kind: shape.
        length: length of the gripped bar, between its ends.
        diameter: thickness of the gripped bar.
        clearance: free distance between the front panel and the bar.
    """

    kind: HandleKind
    length: float
    diameter: float
    clearance: float

    @classmethod
    def sample(
        cls, rng: np.random.Generator, panel_width: float, panel_height: float
    ) -> HandleParameters:
        """Draw a handle that fits a front panel of the given size (m)."""
        kind = HANDLE_KINDS[int(rng.integers(len(HANDLE_KINDS)))]
        diameter = rng.uniform(0.008, 0.012)
        clearance = rng.uniform(0.025, 0.045)
        # Wide handles leave room for both fingers of an open hand (106 mm) between their legs.
        if kind == "horizontal_bar":
            length = rng.uniform(0.130, min(0.165, 0.75 * panel_width))
        elif kind == "vertical_bar":
            length = rng.uniform(0.045, min(0.065, panel_height - 0.025))
        elif kind == "knob_bar":
            length, diameter = rng.uniform(0.032, 0.050), rng.uniform(0.012, 0.016)
        else:
            length = rng.uniform(0.115, 0.130)
        return cls(kind, length, diameter, clearance)

    @property
    def vertical(self) -> bool:
        """True if the gripped bar stands upright."""
        return self.kind == "vertical_bar"

    @property
    def half_height(self) -> float:
        """Half of the upright extent, m."""
        return self.length / 2.0 if self.vertical else self.diameter / 2.0

    @property
    def spread(self) -> float:
        """How far the foot of a leg lies outside its upper end, m."""
        return _ARCH_LEAN * self.clearance if self.kind == "arch" else 0.0

    @property
    def half_width(self) -> float:
        """Half of the sideways extent, m."""
        return self.diameter / 2.0 if self.vertical else self.length / 2.0 + self.spread


def handle_parts(
    p: HandleParameters, foot: Array, colour: Colour
) -> tuple[tuple[Part, ...], Array]:
    """Make the handle on a front panel.

    Args:
        p: sizes.
        foot: (3,) point of the outer face of the panel behind the centre of the bar, body frame.
        colour: RGB.

    Returns:
        Convex parts, and the centre (3,) of the gripped bar.
    """
    along = np.array([0.0, 1.0, 0.0]) if p.vertical else np.array([1.0, 0.0, 0.0])
    out = np.array([0.0, 0.0, 1.0])
    radius = p.diameter / 2.0
    centre = foot + out * (p.clearance + radius)
    half = along * (p.length / 2.0)
    grip = bar("handle_bar", centre - half, centre + half, radius, colour, bevel=0.0015)
    sunk = foot - out * _EMBED
    if p.kind == "knob_bar":
        return (grip, bar("handle_post", sunk, centre, 0.6 * radius, colour)), centre
    legs = []
    for index, sign in enumerate((-1.0, 1.0)):
        inset = along * sign * (p.length / 2.0 - radius - 0.001)
        # The legs of an arch lean outwards, those of a bar are square to the panel.
        start, end = sunk + inset + along * sign * p.spread, centre + inset
        legs.append(bar(f"handle_leg_{index}", start, end, 0.8 * radius, colour))
    return (grip, *legs), centre
