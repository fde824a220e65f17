"""What differs from the training is said before anything moves, and nothing else is."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gensim2_policy.preflight import camera_differences, cloud_differences
from gensim2_policy.statistics import cloud_statistics, statistics_of
from policy_samples import demonstration
from scipy.spatial.transform import Rotation

Points = np.ndarray


def scene(seed: int, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Points:
    """Points of a box on a table, which stands elsewhere by chance."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-0.1, 0.1, 2)
    at = np.array([0.6 + x, y, 0.0])
    box = at + rng.uniform([-0.1, -0.1, 0.0], [0.1, 0.1, 0.2], (400, 3))
    table = rng.uniform([0.2, -0.5, 0.005], [1.0, 0.5, 0.01], (200, 3))
    return (np.vstack([box, table]) + shift).astype(np.float32)


TRAINED = statistics_of([scene(seed) for seed in range(40)])


@pytest.mark.parametrize("seed", range(100, 120))
def test_a_scene_like_those_of_the_training_passes(seed: int) -> None:
    assert cloud_differences(scene(seed), TRAINED) == []


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (scene(100, (0.0, 0.0, 0.25)), "z ="),
        (scene(100, (0.4, 0.0, 0.0)), "x ="),
        (scene(100)[400:], "above the table"),
        (scene(100) * np.float32([1.0, 0.1, 1.0]), "spreads"),
        (scene(100)[:, [1, 0, 2]], "centre"),
    ],
    ids=["lifted", "shifted", "table alone", "squeezed", "axes exchanged"],
)
def test_another_frame_or_crop_is_told(points: Points, text: str) -> None:
    told = cloud_differences(points, TRAINED)
    assert any(text in line for line in told), told
    assert all(" m" in line or "%" in line for line in told)


def pose(way: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """A camera that has moved along x, m, and turned about z, rad."""
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec([0.0, 0.0, turn]).as_matrix()
    T[0, 3] = 0.5 + way
    return T


def test_cameras_that_were_moved_or_are_missing_are_named() -> None:
    trained = {name: tuple(pose().reshape(-1)) for name in ("left", "right", "wrist")}
    live = {"left": pose(0.03), "right": pose(turn=0.1)}
    told = camera_differences(live, trained)
    assert len(told) == 3
    assert "wrist is not there" in told[0]
    assert "left is 30 mm" in told[1] and "right is 0 mm and 5.7 degrees" in told[2]
    same = {name: pose(0.001, 0.001) for name in trained}
    assert camera_differences(same, trained) == []


def test_statistics_are_of_every_domain_by_itself() -> None:
    demonstrations = [demonstration(0), demonstration(1, domain="real")]
    found = cloud_statistics(demonstrations)
    assert sorted(found) == ["real", "sim"] and found["real"] != found["sim"]
    (alone,) = cloud_statistics(demonstrations[:1]).values()
    assert alone == found["sim"]
    assert cloud_statistics([demonstration(0, cloud=None, colour=None)]) == {}
