"""Scales states and actions to about -1 to 1; fitted once, and kept with the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST = 1e-3  # of a scale: what hardly moves in the demonstrations is not blown up


@dataclass(frozen=True)
class Scale:
    """``(value - offset) / scale``; both of the last axis of a value."""

    offset: Array
    scale: Array

    @staticmethod
    def fit(values: Array) -> Scale:
        """Brings all values (..., D) between -1 and 1.

        Raises:
            ValueError: There are no values, or some are not finite.
        """
        flat = values.reshape(-1, values.shape[-1])
        if not len(flat) or not np.isfinite(flat).all():
            raise ValueError("a scale needs finite values")
        low, high = flat.min(0), flat.max(0)
        return Scale((low + high) / 2.0, np.maximum((high - low) / 2.0, LEAST))

    def apply(self, values: Array) -> Array:
        """From units to about -1 to 1."""
        return (values - self.offset) / self.scale

    def undo(self, values: Array) -> Array:
        """Back to units."""
        return values * self.scale + self.offset


@dataclass(frozen=True)
class Normaliser:
    """Of states (`features.states`) and of actions; those of rotations are left as they are."""

    state: Scale
    action: Scale
