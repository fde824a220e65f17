"""Figures of three cameras without hardware and their fusion, each a process of its own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from figures import Figure, Settings
from fusion_graph import CAMERAS, cloud_figures, listen, program
from fusion_scene import HEIGHT, WIDTH
from processes import pick_domain

RATES = (15, 30)
"""Frames per second of the cameras; the first is the default of real ones."""


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
        folder = settings.folder / f"cameras_{fps}"
        sources = {camera: _command(camera, fps) for camera in CAMERAS}
        parameters = [f"min_cameras:={len(CAMERAS)}"]
        heard = listen(folder, sources, parameters, seconds, pick_domain(24 + index))
        result += cloud_figures(heard, f"cameras.{fps}hz", f"{fps} Hz")
    return result


def _command(camera: str, fps: int) -> list[str]:
    calibration = Path(get_package_share_directory("gensim2")) / "config" / "cameras.yaml"
    return [
        program("realsense_camera"),
        "--ros-args",
        *("-r", f"__node:={camera}"),
        *("-p", f"camera:={camera}", "-p", "source:=software", "-p", f"fps:={fps}"),
        *("-p", f"width:={WIDTH}", "-p", f"height:={HEIGHT}"),
        *("-p", f"calibration:={calibration}"),
    ]
