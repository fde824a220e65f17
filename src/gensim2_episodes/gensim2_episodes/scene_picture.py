"""The scene as a picture: keypoints, workspace, and how far the task is."""

from __future__ import annotations

import numpy as np
from gensim2_control.marks import Mark

from gensim2_control import marks
from gensim2_episodes.scene import Scene

LOWER, UPPER = np.array([0.15, -0.6, 0.005]), np.array([1.1, 0.6, 0.9])
"""Workspace in base [m]: what the fused cloud is cropped to."""
TITLE = np.array([0.6, 0.0, 0.85])
LINE = np.array([0.0, 0.0, -0.035])


def scene_marks(scene: Scene | None, title: str) -> tuple[Mark, ...]:
    """What is drawn.

    Args:
        scene: The newest state; None = there is none yet.
        title: What the manager does.
    """
    drawn: list[Mark] = [
        marks.box("workspace", LOWER, UPPER),
        marks.Text("manager", TITLE, title, height=0.03),
    ]
    if scene is None:
        return tuple(drawn)
    for thing in scene.objects:
        named = {f"{thing.name}/{name}": np.array(p) for name, p in thing.keypoints}
        drawn += marks.labelled("keypoints", named, marks.GREEN)
    for number, predicate in enumerate(scene.predicates, 1):
        held = bool(predicate.get("satisfied"))
        text = f"{predicate.get('name')}: {_figure(predicate.get('value'))}"
        colour = marks.GREEN if held else marks.RED
        drawn.append(marks.Text("predicates", TITLE + number * LINE, text, colour))
    return tuple(drawn)


def _figure(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
