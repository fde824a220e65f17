"""Sources of chance of a training, each of its own: what one draws tells nothing of another."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np

Purpose = Literal["windows", "augmentation", "noise", "level", "takeover"]


def chance(purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The source for a purpose; the same numbers give the same draws.

    NumPy takes ``[seed, step]`` and ``[seed, step, 0]`` for one seed, so numbers alone do not tell
    sources apart: where the augmentation draws what the order of the windows has drawn, the turn of
    a scene gives away the step of its demonstration, and a policy learns that instead of the task.
    """
    return np.random.default_rng([zlib.crc32(purpose.encode()), *numbers])
