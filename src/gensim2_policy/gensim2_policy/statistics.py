"""What clouds look like, in a few numbers: a live one is compared with those of the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .checkpoint import CloudStatistics
from .demonstrations import Demonstration

TABLE = 0.02  # m; what is higher is no table
FRAMES = 4  # of each episode that are looked at


def statistics_of(clouds: Sequence[NDArray[np.float32]]) -> CloudStatistics:
    """Of single clouds (N, 3), m in base."""
    means = np.array([cloud.astype(np.float64).mean(axis=0) for cloud in clouds])
    p = np.concatenate(clouds).astype(np.float64)
    low, high = np.percentile(p, [1.0, 99.0], axis=0)

    def three(values: NDArray[np.float64]) -> tuple[float, float, float]:
        x, y, z = (round(float(v), 5) for v in values)
        return x, y, z

    return CloudStatistics(
        low=three(low),
        high=three(high),
        centre_low=three(means.min(axis=0)),
        centre_high=three(means.max(axis=0)),
        spread=three(p.std(axis=0)),
        share_above_table=round(float((p[:, 2] > TABLE).mean()), 5),
    )


def cloud_statistics(demonstrations: Sequence[Demonstration]) -> dict[str, CloudStatistics]:
    """Of the clouds of every domain."""
    found = {}
    for domain in sorted({d.domain for d in demonstrations}):
        mine = [d for d in demonstrations if d.domain == domain]
        clouds = [
            np.asarray(cloud)
            for d in mine
            if d.cloud is not None
            for cloud in d.cloud[:: max(1, len(d) // FRAMES)]
        ]
        if clouds:
            found[domain] = statistics_of(clouds)
    return found
