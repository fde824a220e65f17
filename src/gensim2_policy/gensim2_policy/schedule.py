"""The learning rate: a linear warm-up, then a cosine that ends with the training."""

from __future__ import annotations

import math

from .settings import TrainSettings


def learning_rate(step: int, train: TrainSettings) -> float:
    """The rate of a step, from 0; the last step has ``last_rate`` of the highest."""
    if step < train.warm_up:
        return train.rate * (step + 1) / (train.warm_up + 1)
    length = max(1, train.steps - 1 - train.warm_up)
    share = min(1.0, (step - train.warm_up) / length)
    cosine = 0.5 * (1.0 + math.cos(math.pi * share))
    return train.rate * (train.last_rate + (1.0 - train.last_rate) * cosine)
