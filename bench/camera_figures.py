"""Figures of three cameras without hardware and their fusion, each a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from ament_index_python.packages import get_package_prefix, get_package_share_directory
from camera_listener_node import BEGAN
from figures import BenchError, Figure, Settings, Spread, ratio
from fusion_scene import HEIGHT, WIDTH
from processes import pick_domain, usage

CAMERAS = ("wrist_camera", "left_camera", "right_camera")
RATES = (15, 30)
"""Frames per second of the cameras; the first is the default of real ones."""
_PACKAGE = "gensim2_perception"
_LISTENER = Path(__file__).with_name("camera_listener_node.py")
_FUSION, _CAMERA = "pointcloud_fusion", "realsense_camera"
_ENDING = 10.0
_SHOWN = 1500  # characters of a log that an error shows


@dataclass(frozen=True)
class Heard:
    """What came of one graph.

    Attributes:
        arrivals: Monotonic time of each cloud, s.
        ages: Of each cloud at its arrival, s.
        state: What the fusion said of its clouds.
        wall: How long was listened, s.
        cpu: CPU time in that time by name of the process, s; the three cameras add up.
    """

    arrivals: Sequence[float]
    ages: Sequence[float]
    state: str
    wall: float
    cpu: dict[str, float]


def measure_cameras(settings: Settings) -> list[Figure]:
    """Measures rate and age of the clouds, and the CPU time of sources and fusion."""
    if importlib.util.find_spec("pyrealsense2") is None:
        settings.say(
            "cameras: left out, they need the Python module pyrealsense2: "
            "./ws --with real python bench --only cameras"
        )
        return []
    seconds = settings.times(20, 4)
    result: list[Figure] = []
    for index, fps in enumerate(RATES):
        settings.say(f"cameras: three of {WIDTH} x {HEIGHT} at {fps} Hz for {seconds} s")
        heard = _run(settings.folder / f"cameras_{fps}", fps, seconds, pick_domain(24 + index))
        key, label = f"cameras.{fps}hz", f"{fps} Hz"
        count = len(heard.arrivals)
        rate = ratio(count - 1, heard.arrivals[-1] - heard.arrivals[0]) if count > 1 else 0.0
        note = f"fusion: {heard.state}"
        result += [
            Figure(f"{key}.rate", f"{label}, clouds", rate, "1/s", None, count, note),
            *Spread([1000 * age for age in heard.ages]).figures(
                f"{key}.age", f"{label}, age of a cloud", "ms", "median", "p95"
            ),
            *Spread((1000 * np.diff(heard.arrivals)).tolist()).figures(
                f"{key}.gap", f"{label}, time between clouds", "ms", "p95"
            ),
            Figure(
                f"{key}.fusion.cpu",
                f"{label}, fusion, CPU per cloud",
                1000 * ratio(heard.cpu[_FUSION], count),
                "ms",
                samples=count,
                note="with receiving and publishing",
            ),
        ]
        for name, spent in heard.cpu.items():
            share = 100 * ratio(spent, heard.wall)
            result.append(
                Figure(f"{key}.{name}.load", f"{label}, {name}, CPU per wall", share, "%")
            )
    return result


def _run(folder: Path, fps: int, seconds: float, domain: int) -> Heard:
    folder.mkdir()
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_LOG_DIR": str(folder / "log"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    programs = Path(get_package_prefix(_PACKAGE)) / "lib" / _PACKAGE
    calibration = Path(get_package_share_directory("gensim2")) / "config" / "cameras.yaml"
    words = {
        camera: [
            str(programs / _CAMERA),
            "--ros-args",
            *("-r", f"__node:={camera}"),
            *("-p", f"camera:={camera}", "-p", "source:=software", "-p", f"fps:={fps}"),
            *("-p", f"width:={WIDTH}", "-p", f"height:={HEIGHT}"),
            *("-p", f"calibration:={calibration}"),
        ]
        for camera in CAMERAS
    }
    words[_FUSION] = [
        str(programs / _FUSION),
        "--ros-args",
        *("-p", f"min_cameras:={len(CAMERAS)}"),
    ]
    started: dict[str, subprocess.Popen[Any]] = {}
    log = folder / "output.txt"
    with log.open("w") as output:
        try:
            for name, command in words.items():
                started[name] = subprocess.Popen(
                    command, env=environment, stdout=output, stderr=subprocess.STDOUT
                )
            listener = subprocess.Popen(
                [sys.executable, str(_LISTENER), str(seconds)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
            started["listener"] = listener
            assert listener.stdout is not None
            _expect(listener.stdout, log, BEGAN)
            began, before = time.monotonic(), _cpu(started)
            found = json.loads(_expect(listener.stdout, log))
            wall, after = time.monotonic() - began, _cpu(started)
        finally:
            _end(started.values())
    cpu: dict[str, float] = {}
    for name in words:
        shown = "cameras" if name in CAMERAS else name
        cpu[shown] = cpu.get(shown, 0.0) + after[name] - before[name]
    return Heard(found["arrivals"], found["ages"], found["state"], wall, cpu)


def _expect(lines: IO[str], log: Path, wanted: str = "") -> str:
    """Gives the next line of the listener, which ends by itself when nothing comes."""
    line = lines.readline().strip()
    if not line or (wanted and line != wanted):
        raise BenchError(f"the listener failed; what was printed:\n{log.read_text()[-_SHOWN:]}")
    return line


def _cpu(started: dict[str, subprocess.Popen[Any]]) -> dict[str, float]:
    used = usage(process.pid for process in started.values())
    return {name: used[p.pid].cpu if p.pid in used else 0.0 for name, p in started.items()}


def _end(processes: Collection[subprocess.Popen[Any]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _ENDING
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
