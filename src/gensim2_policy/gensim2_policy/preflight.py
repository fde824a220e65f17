"""Before a policy acts: does the live cloud look like those of its training?

And are the cameras where they were?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .checkpoint import CloudStatistics, PolicyRecord
from .statistics import statistics_of

PREFLIGHTS = ("off", "warn", "refuse")
EDGE = 0.12  # m, that the ends of the cloud may be off
CENTRE = 0.05  # m, beyond those of the training
SPREAD = 2.0  # ratio
SHARE = 0.35  # of points above the table
CAMERA_POSITION = 0.02  # m
CAMERA_TURN = 0.035  # rad
AXES = "xyz"


def cloud_differences(points: NDArray[np.float32], trained: CloudStatistics) -> list[str]:
    """What differs between a live cloud (N, 3), m in base, and those of the training; in words."""
    live, told = statistics_of([points]), []
    for name, mine, theirs in (("low", live.low, trained.low), ("high", live.high, trained.high)):
        for axis, a, b in zip(AXES, mine, theirs, strict=True):
            # A scene may well be smaller than the largest of the training.
            beyond = b - a if name == "low" else a - b
            if beyond > EDGE:
                told.append(f"the cloud reaches to {axis} = {a:.2f} m, in training to {b:.2f} m")
    ends = zip(AXES, live.centre_low, trained.centre_low, trained.centre_high, strict=True)
    for axis, a, low, high in ends:
        if not low - CENTRE <= a <= high + CENTRE:
            told.append(
                f"its centre is at {axis} = {a:.2f} m, in training from {low:.2f} to {high:.2f} m"
            )
    for axis, a, b in zip(AXES, live.spread, trained.spread, strict=True):
        if not b / SPREAD <= max(a, 1e-6) <= b * SPREAD:
            told.append(f"it spreads by {a:.3f} m in {axis}, in training by {b:.3f} m")
    if abs(live.share_above_table - trained.share_above_table) > SHARE:
        told.append(
            f"{live.share_above_table:.0%} of its points are above the table, in training "
            f"{trained.share_above_table:.0%}"
        )
    return told


def camera_differences(
    live: Mapping[str, NDArray[np.float64]], trained: Mapping[str, Sequence[float]]
) -> list[str]:
    """What differs between poses T_parent_cam (4, 4) of the cameras and those of the training."""
    told = [f"{name} is not there, it was in training" for name in sorted({*trained} - {*live})]
    for name in sorted({*trained} & {*live}):
        T, T_trained = live[name], np.array(trained[name]).reshape(4, 4)
        way = float(np.linalg.norm(T[:3, 3] - T_trained[:3, 3]))
        cosine = (np.trace(T[:3, :3].T @ T_trained[:3, :3]) - 1.0) / 2.0
        turn = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        if way > CAMERA_POSITION or turn > CAMERA_TURN:
            told.append(
                f"{name} is {way * 1e3:.0f} mm and {np.degrees(turn):.1f} degrees from where it "
                "was in training"
            )
    return told


def differences(
    record: PolicyRecord,
    domain: str,
    points: NDArray[np.float32] | None,
    cameras: Mapping[str, NDArray[np.float64]],
) -> list[str]:
    """All of it, in words; empty = nothing differs, or nothing is known."""
    told = []
    if points is not None and domain in record.clouds:
        told += cloud_differences(points, record.clouds[domain])
    if cameras and domain in record.cameras:
        told += camera_differences(cameras, record.cameras[domain])
    return told
