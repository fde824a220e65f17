"""Figures of the fusion over ROS: pictures of three cameras that cost next to nothing, and clouds.

The group `cameras` measures with cameras that are simulated on the same computer; here pictures
are played, so that what is seen is the fusion and its transport.
"""

from __future__ import annotations

import sys
from pathlib import Path

from figures import Figure, Settings
from fusion_graph import CAMERAS, cloud_figures, listen
from fusion_scene import HEIGHT, WIDTH
from processes import pick_domain

GAP_BOUND = 1000.0 / 20.0
AGE_BOUND = 60.0
"""ms; what is promised of three cameras: 20 clouds per second, that old at p95."""
PARAMETERS = (
    f"min_cameras:={len(CAMERAS)}",
    "newest_only:=true",
    "queue_depth:=2",
    "max_age:=0.5",
)
"""Of the fusion, as core.launch.py gives them to it with real cameras."""
_PLAYER = Path(__file__).with_name("camera_player_node.py")
# By name: frames per second, what share of a period each camera is behind the one before it, and
# what is said of it.
CASES = {
    "20hz": (20, 0.0, "20 Hz in step"),
    "30hz": (30, 0.0, "30 Hz in step"),
    "30hz_apart": (30, 1.0 / 3.0, "30 Hz a third apart"),
}


def measure_fusion_ros(settings: Settings) -> list[Figure]:
    """Measures rate and age of the clouds, what is lost, and the CPU time of the fusion."""
    seconds = settings.times(20, 3)
    result: list[Figure] = []
    for index, (name, (fps, apart, label)) in enumerate(CASES.items()):
        settings.say(f"fusion_ros: three of {WIDTH} x {HEIGHT}, {label}, for {seconds} s")
        words = [sys.executable, str(_PLAYER), str(settings.seed), str(fps), str(apart)]
        heard = listen(
            settings.folder / f"fusion_ros_{name}",
            {"player": words},
            PARAMETERS,
            seconds,
            pick_domain(27 + index),
        )
        key = f"fusion_ros.{name}"
        result += cloud_figures(heard, key, label, gap=GAP_BOUND, age=AGE_BOUND)
        lost = 100 * heard.lost(fps)
        result.append(Figure(f"{key}.lost", f"{label}, instants without a cloud", lost, "%"))
    return result
