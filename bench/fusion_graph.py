"""A graph of three cameras, their fusion and a listener, each a process; and what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from ament_index_python.packages import get_package_prefix
from camera_listener_node import BEGAN
from figures import BenchError, Figure, Spread, ratio
from processes import usage

CAMERAS = ("wrist_camera", "left_camera", "right_camera")
PACKAGE = "gensim2_perception"
FUSION = "pointcloud_fusion"
_LISTENER = Path(__file__).with_name("camera_listener_node.py")
_ENDING = 10.0
_SHOWN = 1500  # characters of a log that an error shows


@dataclass(frozen=True)
class Heard:
    """What came of one graph.

    Attributes:
        arrivals: Monotonic time of each cloud, s.
        ages: Of each cloud at its arrival, s.
        stamps: Of its oldest picture, s.
        state: What the fusion said of its clouds.
        wall: How long was listened, s.
        cpu: CPU time in that time by name of the process, s; sources add up to `cameras`.
    """

    arrivals: Sequence[float]
    ages: Sequence[float]
    stamps: Sequence[float]
    state: str
    wall: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Clouds per second, 0 where there are not two."""
        count = len(self.arrivals)
        return ratio(count - 1, self.arrivals[-1] - self.arrivals[0]) if count > 1 else 0.0

    def lost(self, fps: float) -> float:
        """Share of the instants of the cameras that no cloud came of."""
        if len(self.stamps) < 2:
            return 1.0
        instants = 1 + round((self.stamps[-1] - self.stamps[0]) * fps)
        return max(0.0, 1.0 - len(self.stamps) / instants)


def program(name: str) -> str:
    """Path of a program of the package."""
    return str(Path(get_package_prefix(PACKAGE)) / "lib" / PACKAGE / name)


def listen(
    folder: Path,
    sources: Mapping[str, Sequence[str]],
    parameters: Sequence[str],
    seconds: float,
    domain: int,
) -> Heard:
    """Starts sources, fusion and listener, and listens once the clouds have settled.

    Args:
        folder: For logs; is made.
        sources: Commands of the cameras, by name.
        parameters: Of the fusion, as `name:=value`.
        seconds: How long to listen.
        domain: Of ROS.

    Raises:
        BenchError: No cloud came.
    """
    folder.mkdir()
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_LOG_DIR": str(folder / "log"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    given = [word for parameter in parameters for word in ("-p", parameter)]
    words = {**sources, FUSION: [program(FUSION), "--ros-args", *given]}
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
        shown = "cameras" if name in sources else name
        cpu[shown] = cpu.get(shown, 0.0) + after[name] - before[name]
    return Heard(found["arrivals"], found["ages"], found["stamps"], found["state"], wall, cpu)


def cloud_figures(
    heard: Heard, key: str, label: str, *, gap: float | None = None, age: float | None = None
) -> list[Figure]:
    """Makes the figures of one graph.

    Args:
        heard: What came of it.
        key: First part of the keys.
        label: First part of the labels.
        gap: Bound of the mean time between clouds, ms.
        age: Bound of the age at p95, ms.
    """
    count = len(heard.arrivals)
    note = f"fusion: {heard.state}"
    mean = 1000 * ratio(1.0, heard.rate)
    ages = Spread([1000 * value for value in heard.ages])
    result = [
        Figure(f"{key}.rate", f"{label}, clouds", heard.rate, "1/s", None, count, note),
        Figure(f"{key}.gap.mean", f"{label}, time between clouds, mean", mean, "ms", gap, count),
        *Spread((1000 * np.diff(heard.arrivals)).tolist()).figures(
            f"{key}.gap", f"{label}, time between clouds", "ms", "p95"
        ),
        *ages.figures(f"{key}.age", f"{label}, age of a cloud", "ms", "median"),
        *ages.figures(f"{key}.age", f"{label}, age of a cloud", "ms", "p95", bound=age),
        Figure(
            f"{key}.fusion.cpu",
            f"{label}, fusion, CPU per cloud",
            1000 * ratio(heard.cpu[FUSION], count),
            "ms",
            samples=count,
            note="with receiving and publishing",
        ),
    ]
    for name, spent in heard.cpu.items():
        share = 100 * ratio(spent, heard.wall)
        result.append(Figure(f"{key}.{name}.load", f"{label}, {name}, CPU per wall", share, "%"))
    return result


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
