"""Figures of the point-cloud fusion on one core, beside the same steps with Open3D."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from figures import BenchError, Figure, Settings, Spread, ratio

POINTS = 4096
CPU_BOUND = 25.0
"""Promised CPU time of one cloud of three cameras, ms."""
_WORKER = Path(__file__).with_name("fusion_worker.py")
_GUARD = 600.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_LABELS = {
    "plain": "no outlier removal",
    "voxel": "voxels of 3 mm",
    "radius": "radius outliers",
    "statistical": "statistical outliers",
}
_OTHERS = {"open3d_fpsample": "Open3D sampled by fpsample", "open3d": "Open3D"}
# Open3D may see a point on a face of the crop box on its other side.
_SAME = 1e-3


def measure_fusion(settings: Settings) -> list[Figure]:
    """Measures three pictures of 640 x 480 to one cloud, with and without cleaning."""
    count = settings.times(60, 4)
    settings.say(f"fusion: {count} times three pictures 640 x 480 to {POINTS} points, one core")
    found = _run(settings.seed, count)
    if not found["open3d"]:
        settings.say(
            "fusion: without the columns of Open3D, which is not installed: "
            "./ws --with description python bench --only fusion"
        )
    return fusion_figures(found)


def fusion_figures(found: dict[str, Any]) -> list[Figure]:
    """Makes the figures of what `fusion_worker.measure` has found.

    Raises:
        BenchError: What is compared does not do the same.
    """
    _check(found)
    result: list[Figure] = []
    for case, label in _LABELS.items():
        own = Spread(found["cpu"][f"{case}.fusion"])
        key = f"fusion.{case}"
        bound = CPU_BOUND if case == "plain" else None
        result += own.figures(f"{key}.cpu", f"{label}, CPU", "ms", "median", bound=bound)
        result += own.figures(f"{key}.cpu", f"{label}, CPU", "ms", "p95")
        for column, name in _OTHERS.items():
            if found["open3d"]:
                other = Spread(found["cpu"][f"{case}.{column}"])
                result += _beside(f"{key}.{column}", f"{label}, {name}", own, other)
    return result


def _beside(key: str, label: str, own: Spread, other: Spread) -> list[Figure]:
    times, count = ratio(other.median, own.median), len(other.values)
    return [
        *other.figures(f"{key}.cpu", f"{label}, CPU", "ms", "median"),
        Figure(f"{key}.ratio", f"{label} / fusion", times, "x", None, count),
    ]


def _run(seed: int, count: int) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, str(_WORKER), str(seed), str(count)],
            env={**os.environ, **_ONE_THREAD},
            stdout=subprocess.PIPE,
            text=True,
            timeout=_GUARD,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{_WORKER.name}: {error}") from error
    if done.returncode != 0:
        raise BenchError(f"{_WORKER.name} failed, see above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check(found: dict[str, Any]) -> None:
    for key, points in found["points"].items():
        own = found["in_workspace"][f"{key.partition('.')[0]}.fusion"]
        seen = found["in_workspace"][key]
        if points != POINTS or abs(seen - own) > _SAME * own:
            raise BenchError(
                f"{key} made {points} points of {seen} in the workspace; "
                f"{POINTS} of {own} are expected"
            )
