"""Changes observation and action together, as if the whole scene had been set up elsewhere.

A turn about the axis of the robot's base (z of ``base``) is the same to the arm as another angle of
its first joint, so it can be done to joints and to poses. A shift along the table can be done to
poses only. Rotations in the axes of the TCP stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .settings import ActionSpace, AugmentSettings

Array = NDArray[np.float64]
Points = NDArray[np.float32]


@dataclass(frozen=True)
class Moved:
    """How scenes of a batch are moved: angles (B,), rad, and shifts (B, 3), m, after the turn."""

    yaw: Array
    shift: Array

    @staticmethod
    def draw(settings: AugmentSettings, count: int, rng: np.random.Generator) -> Moved:
        """Draws for a batch."""
        yaw = rng.uniform(-1.0, 1.0, count) * settings.yaw
        shift = rng.uniform(-1.0, 1.0, (count, 3)) * settings.shift
        shift[:, 2] = 0.0
        return Moved(yaw, shift)

    @property
    def R(self) -> Array:
        """Turns (B, 3, 3)."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        o, i = np.zeros_like(c), np.ones_like(c)
        return np.stack(
            [np.stack([c, -s, o], -1), np.stack([s, c, o], -1), np.stack([o, o, i], -1)], -2
        )

    def points(self, points: Points) -> Points:
        """Points (B, S, N, 3), m in base."""
        moved = np.einsum("bij,bsnj->bsni", self.R, points) + self.shift[:, None, None]
        return moved.astype(np.float32)

    def positions(self, positions: Array) -> Array:
        """Positions (B, S, 3), m in base."""
        return np.einsum("bij,bsj->bsi", self.R, positions) + self.shift[:, None]

    def states(self, states: Array) -> Array:
        """States (B, S, D) as `features.states` makes them.

        The joints are those of the turned scene, and of the one that has not been shifted: there
        they only tell in which of many ways the arm reaches a pose.
        """
        moved = states.copy()
        moved[..., :3] = self.positions(states[..., :3])
        for first in (3, 6):
            columns = slice(first, first + 3)
            moved[..., columns] = np.einsum("bij,bsj->bsi", self.R, states[..., columns])
        moved[..., 10] += self.yaw[:, None]
        return moved

    def actions(self, actions: Array, space: ActionSpace) -> Array:
        """Actions (B, H, A) as `features` makes them; joints are relative, and stay."""
        if space == "joints":
            return actions
        moved = actions.copy()
        moved[..., :3] = np.einsum("bij,bhj->bhi", self.R, actions[..., :3])
        return moved


def thinned(points: Points, keep: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices (B, N) that leave points out: those that stay are there twice.

    The order stays, so that the first ones are still spread over the whole cloud.
    """
    batch, count = points.shape[0], points.shape[2]
    index = np.empty((batch, count), dtype=np.int64)
    shares = np.array(rng.uniform(keep, 1.0, batch))
    for row, share in zip(index, shares, strict=True):
        left = np.sort(rng.choice(count, max(1, int(share * count)), replace=False))
        row[:] = np.concatenate([left, rng.choice(left, count - len(left))])
    return index
