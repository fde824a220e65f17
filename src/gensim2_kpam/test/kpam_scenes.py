"""Scenes and numbers that several tests of the planner use."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
from gensim2_control.hardware import HOME_Q
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure, SceneObject
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import draw_scene
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
HOME = np.array(HOME_Q)
HEAD = "articulated_object_head"


def draw(task: str, library: AssetLibrary, seed: int) -> SceneObject:
    """The object of a task, placed at random."""
    placed = draw_scene(load_task(task), library, np.random.default_rng(seed))[0]
    return SceneObject(placed.asset, placed.T_base_root, placed.joint_position, placed.keypoints())


def moved(scene: SceneObject, by: ArrayLike) -> SceneObject:
    """The same object elsewhere, shifted by (3,) m in base."""
    T = scene.T_base_root.copy()
    T[:3, 3] += by
    keypoints = {name: p + np.asarray(by) for name, p in scene.keypoints.items()}
    return dataclasses.replace(scene, T_base_root=T, keypoints=keypoints)


def with_keypoints(scene: SceneObject, **points: ArrayLike) -> SceneObject:
    """The same object with other keypoints (3,), m in base."""
    given = {name: np.asarray(p, dtype=float) for name, p in points.items()}
    return dataclasses.replace(scene, keypoints={**scene.keypoints, **given})


def angle_between(a: Array, b: Array) -> float:
    """Angle between two vectors (3,), rad."""
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def pose_error(T_a: Array, T_b: Array) -> tuple[float, float]:
    """Distance (m) and angle (rad) between two poses."""
    R = T_a[:3, :3].T @ T_b[:3, :3]
    angle = np.arctan2(0.5 * np.linalg.norm(R - R.T) / np.sqrt(2.0), 0.5 * (np.trace(R) - 1.0))
    return float(np.linalg.norm(T_a[:3, 3] - T_b[:3, 3])), float(angle)


def expect(outcome: Plan | PlanFailure, code: PlanCode, said: str) -> None:
    """A failure with this code, whose reason matches ``said``."""
    assert isinstance(outcome, PlanFailure), outcome
    assert not hasattr(outcome, "phases")
    assert outcome.code is code, outcome
    assert re.search(said, outcome.reason), outcome.reason
