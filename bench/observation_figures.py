"""Figures of an observation: three pictures, one cloud."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from ament_index_python.packages import get_package_share_directory
from batch_runs import make_runner
from figures import BenchError, Figure, Settings, Spread, ratio
from gensim2_control.camera_calibration import CameraCalibrations, optical_frame
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_perception.fusion import Fusion, FusionConfig
from gensim2_sim_bridge.cameras import CameraFrame, CameraRig, NoRenderDeviceError
from gensim2_sim_bridge.simulation import Simulation

from gensim2_perception import frames

TASK = "OpenBox"

POINTS = 4096
_TICKS = 20  # control periods between two observations, as on the graph
_MS = 1000.0
T = TypeVar("T")


class Stopwatch:
    """CPU and wall time of repeated work, ms."""

    def __init__(self) -> None:
        """Starts with no measurement."""
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def measure(self, work: Callable[[], T]) -> T:
        """Does it and notes what it took; the CPU time is that of all threads."""
        wall, cpu = time.monotonic(), time.process_time()
        result = work()
        self.cpu.append(_MS * (time.process_time() - cpu))
        self.wall.append(_MS * (time.monotonic() - wall))
        return result

    def figures(self, key: str, label: str) -> list[Figure]:
        """Makes the figures."""
        return [
            *Spread(self.cpu).figures(f"{key}.cpu", f"{label}, CPU", "ms", "median", "p95"),
            *Spread(self.wall).figures(f"{key}.wall", f"{label}, wall", "ms", "median", "p95"),
        ]


def measure_observation(settings: Settings) -> list[Figure]:
    """Measures pictures and clouds of a scene that changes between them."""
    count = settings.times(60, 5)
    settings.say(f"observation: {count} times three pictures and a cloud of {POINTS} points")
    simulation = make_runner(settings, render=True).simulation
    simulation.reset(TASK, "", settings.seed, True)
    share = Path(get_package_share_directory("gensim2"))
    try:
        rig = CameraRig(CameraCalibrations.load(share / "config" / "cameras.yaml"))
    except NoRenderDeviceError as error:
        raise BenchError(str(error)) from error
    kinematics = Fr3Kinematics.from_urdf(resolve_packages(robot_description()))
    fusion = Fusion(FusionConfig(num_points=POINTS))
    first, render, fuse = Stopwatch(), Stopwatch(), Stopwatch()
    first.measure(lambda: rig.capture(simulation.world))
    points = 0
    for _ in range(count):
        for _ in range(_TICKS):
            simulation.tick()
        pictures = render.measure(lambda: rig.capture(simulation.world))
        poses = _poses(rig, kinematics, simulation)
        given = _as_fusion_takes(pictures, rig)
        points = len(fuse.measure(lambda: fusion.fuse(given, poses)).xyz)  # noqa: B023
    if points != POINTS:
        raise BenchError(f"a cloud has {points} points, expected {POINTS}")
    config = rig.config
    size = f"{len(rig.names)} x {config.width} x {config.height}"
    pictures_per_s = ratio(_MS * len(rig.names) * count, sum(render.wall))
    both = sum(render.cpu) + sum(fuse.cpu)
    return [
        *render.figures("observation.render", f"render {size}"),
        *fuse.figures("observation.fuse", f"fuse and sample {POINTS} points"),
        Figure("observation.cpu", "both, CPU, mean", both / count, "ms", None, count),
        Figure("observation.rate", "pictures per wall time", pictures_per_s, "1/s", None, count),
        Figure(
            "observation.render.cores",
            "render, CPU per wall",
            ratio(sum(render.cpu), sum(render.wall)),
            "cores",
            samples=count,
        ),
        Figure("observation.first.wall", "first pictures, wall", first.wall[0], "ms"),
        Figure("observation.first.cpu", "first pictures, CPU", first.cpu[0], "ms"),
    ]


def _poses(
    rig: CameraRig, kinematics: Fr3Kinematics, simulation: Simulation
) -> dict[str, np.ndarray]:
    q = simulation.world.robot_state()[0][:7]
    poses = {}
    for name, calibration in rig.calibrations.cameras.items():
        fixed = calibration.parent == "base"
        T_base_parent = np.eye(4) if fixed else kinematics.fk(q, calibration.parent)
        poses[name] = T_base_parent @ calibration.matrix
    return poses


def _as_fusion_takes(pictures: Sequence[CameraFrame], rig: CameraRig) -> list[frames.CameraFrame]:
    size = rig.config.width, rig.config.height
    intrinsics = frames.PinholeIntrinsics.from_k(*size, rig.intrinsics.ravel().tolist())
    return [
        frames.CameraFrame(p.camera, 0, optical_frame(p.camera), p.rgb, p.depth_mm, intrinsics)
        for p in pictures
    ]
