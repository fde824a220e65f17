"""Fuses pictures of three cameras on one core, also with Open3D; prints CPU times as JSON.

python fusion_worker.py SEED COUNT
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from fusion_scene import camera_poses, frame_sets
from gensim2_perception.frames import CameraFrame
from gensim2_perception.fusion import Fusion, FusionConfig
from gensim2_perception.static_transforms import Transform

CASES = {
    "plain": FusionConfig(),
    "voxel": FusionConfig(voxel_edge=0.003),
    "radius": FusionConfig(radius_neighbours=3),
    "statistical": FusionConfig(statistical_neighbours=8),
}
"""By name; each with 4096 points and the workspace of the simulation."""
_SETS = 5
_MS = 1000.0
# Open3D needs many times as long, so it is measured in one of so many rounds.
_EVERY = 4
# A fusion returns points, and how many there were in the workspace.
Fuse = Callable[[Sequence[CameraFrame]], tuple[int, int]]


def measure(seed: int, count: int) -> dict[str, Any]:
    """Gives the CPU times in ms by case and column, and the sizes that tell that they agree."""
    poses = camera_poses()
    sets = frame_sets(poses, _SETS, seed)
    known = importlib.util.find_spec("open3d") is not None
    found: dict[str, Any] = {"cpu": {}, "points": {}, "in_workspace": {}, "open3d": known}
    for case, config in CASES.items():
        columns = {"fusion": _own(config, poses)}
        if known:
            columns |= {
                "open3d_fpsample": _open3d(config, poses, own_sampling=False),
                "open3d": _open3d(config, poses, own_sampling=True),
            }
        for column, fuse in columns.items():
            key = f"{case}.{column}"
            found["points"][key], found["in_workspace"][key] = fuse(sets[0])
            found["cpu"][key] = []
        # In turns, so that what else the computer does meanwhile is the same for all of them.
        for i in range(count):
            for column, fuse in columns.items():
                if column == "fusion" or i % _EVERY == 0:
                    spent = found["cpu"][f"{case}.{column}"]
                    spent.append(_cpu_ms(fuse, sets[i % _SETS]))
    return found


def _cpu_ms(fuse: Fuse, frames: Sequence[CameraFrame]) -> float:
    began = time.process_time()
    fuse(frames)
    return _MS * (time.process_time() - began)


def _own(config: FusionConfig, poses: dict[str, Transform]) -> Fuse:
    fusion = Fusion(config)

    def fuse(frames: Sequence[CameraFrame]) -> tuple[int, int]:
        cloud = fusion.fuse(frames, poses)
        return len(cloud.xyz), sum(cloud.counts.in_workspace.values())

    return fuse


def _open3d(config: FusionConfig, poses: dict[str, Transform], *, own_sampling: bool) -> Fuse:
    from fusion_open3d import fuse_with_open3d

    def fuse(frames: Sequence[CameraFrame]) -> tuple[int, int]:
        xyz, _, in_workspace = fuse_with_open3d(frames, poses, config, own_sampling=own_sampling)
        return len(xyz), in_workspace

    return fuse


def main(seed: str, count: str) -> None:
    """Measures and prints."""
    # One core, so that the CPU time of threads that only wait for each other does not count.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(json.dumps(measure(int(seed), int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
