"""Things to pick up: sizes, masses, shapes."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_tasks.categories import KEYPOINTS
from gensim2_tasks.procedural import make_model
from gensim2_tasks.procedural.household import GENERATORS
from gensim2_tasks.procedural.parts import Part
from scipy.spatial import ConvexHull

OPENING = 0.08  # m, of the hand
MASSES = (0.005, 0.60)  # kg, from a pen to a bar of gold


def volume(part: Part) -> float:
    return float(ConvexHull(part.vertices).volume)


@pytest.mark.parametrize("category", sorted(GENERATORS))
def test_things_are_of_household_size_and_fit_the_hand(category: str) -> None:
    sizes = []
    for seed in range(20):
        model = make_model(category, seed)
        assert model.free and not model.body
        assert model.joint.kind == "prismatic" and model.joint.axis == (0.0, 1.0, 0.0)
        points = np.concatenate([p.vertices for p in model.moving])
        size = np.ptp(points, axis=0)
        sizes.append(size)
        assert size.min() > 0.01 and size.max() < 0.30
        # Across, along one of the sides, or of a wall that is thin.
        assert size[[0, 2]].min() < OPENING - 0.01 or category == "bowl"
        mass = model.density * sum(volume(p) for p in model.moving)
        assert MASSES[0] < mass < MASSES[1], mass
        # The physics takes no hulls of more vertices.
        assert max(len(p.vertices) for p in model.moving) <= 255
        for point in model.keypoints.values():
            assert np.all(point >= points.min(axis=0) - 1e-9)
            assert np.all(point <= points.max(axis=0) + 1e-9)
        assert {*model.keypoints} == {*KEYPOINTS[category]} or category == "cracker_box"
    assert np.ptp(sizes, axis=0).max() > 0.0


@pytest.mark.parametrize("category", ["cup", "mug", "bowl"])
def test_vessels_are_hollow(category: str) -> None:
    model = make_model(category, 3)
    points = np.concatenate([p.vertices for p in model.moving])
    top = points[:, 1].max()
    for part in model.moving:
        hull = ConvexHull(part.vertices)
        for height in (0.0, 0.9 * top):
            inside = hull.equations[:, :3] @ [0.0, height, 0.0] + hull.equations[:, 3]
            assert np.any(inside > 0.0), part.name
