"""What the figures were taken on: machine and versions."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from gensim2_episodes.provenance import git_commit

GIB = 2**30
_KIB = 1024
# Distributions by the name that is shown; of several names the first that is installed counts.
_VERSIONS = {
    "rclpy": ("ros-jazzy-rclpy", "rclpy"),
    "sapien": ("sapien",),
    "drake": ("drake",),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "zarr": ("zarr",),
    "fpsample": ("fpsample",),
    "opencv": ("opencv-python",),
    "torch": ("torch",),
    "open3d": ("open3d-cpu", "open3d"),
    "pyrealsense2": ("pyrealsense2",),
}


def cpu_model(cpuinfo: str) -> str:
    """Gives the name of the processor from the text of /proc/cpuinfo, or `unknown`."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("model name", "cpu model", "hardware"):
            return " ".join(value.split())
    return "unknown"


def total_memory(meminfo: str) -> int:
    """Gives the memory of the machine from the text of /proc/meminfo, bytes; 0 = not told."""
    for line in meminfo.splitlines():
        words = line.split()
        if words and words[0] == "MemTotal:":
            return int(words[1]) * _KIB
    return 0


def read_machine() -> dict[str, Any]:
    """Describes the machine. `load` is what others did with it when the measurement began."""
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        system = platform.system()
    return {
        "cpu": cpu_model(_text("/proc/cpuinfo")),
        "cores": len(os.sched_getaffinity(0)),
        "ram_gib": round(total_memory(_text("/proc/meminfo")) / GIB, 1),
        "kernel": platform.release(),
        "os": system,
        "load": round(os.getloadavg()[0], 2),
    }


def read_versions(source: Path) -> dict[str, str]:
    """Lists the versions of what matters for the figures.

    Args:
        source: A folder of the source tree, whose revision is told.
    """
    versions = {"git": git_commit(source), "python": platform.python_version()}
    for name, distributions in _VERSIONS.items():
        for distribution in distributions:
            try:
                versions[name] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return versions


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
