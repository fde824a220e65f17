"""Colours of generated objects and the draw of one."""

from __future__ import annotations

import numpy as np

from gensim2_tasks.procedural.parts import Colour

WOOD: tuple[Colour, ...] = (
    (0.72, 0.53, 0.34), (0.55, 0.36, 0.22), (0.83, 0.69, 0.50), (0.42, 0.28, 0.20),
)  # fmt: skip
PAINT: tuple[Colour, ...] = (
    (0.80, 0.30, 0.26), (0.24, 0.45, 0.68), (0.30, 0.58, 0.45), (0.90, 0.72, 0.30),
    (0.86, 0.86, 0.82), (0.52, 0.40, 0.62), (0.90, 0.56, 0.40), (0.35, 0.62, 0.66),
)  # fmt: skip
CASING: tuple[Colour, ...] = (
    (0.72, 0.73, 0.75), (0.30, 0.31, 0.34), (0.86, 0.84, 0.80), (0.25, 0.33, 0.45),
    (0.62, 0.46, 0.44), (0.40, 0.47, 0.43),
)  # fmt: skip
METAL: tuple[Colour, ...] = (
    (0.75, 0.76, 0.78), (0.18, 0.18, 0.20), (0.78, 0.64, 0.36), (0.50, 0.42, 0.36),
)  # fmt: skip
SCREEN: Colour = (0.05, 0.06, 0.09)
KEYS: Colour = (0.10, 0.10, 0.11)


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """Draw one of `colours` and vary its brightness by up to 10 %."""
    base = colours[int(rng.integers(len(colours)))]
    gain = float(rng.uniform(0.9, 1.1))
    return tuple(round(min(1.0, c * gain), 4) for c in base)  # type: ignore[return-value]


def shade(colour: Colour, gain: float) -> Colour:
    """Return `colour` made darker (gain < 1) or brighter (gain > 1)."""
    r, g, b = (round(min(1.0, c * gain), 4) for c in colour)
    return r, g, b
