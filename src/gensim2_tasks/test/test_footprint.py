"""Room between the objects of a scene."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.footprint import footprint, gap
from gensim2_tasks.placement import FARTHEST, NEAREST, ROOM, NoRoomError, draw_scene
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

MANY = [name for name in task_names() if len(load_task(name).objects) > 1]
numbers = st.floats(-1.0, 1.0)


def outline(points: np.ndarray) -> np.ndarray:
    return points[ConvexHull(points).vertices]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> AssetLibrary:
    return AssetLibrary(None, tmp_path_factory.mktemp("cache"))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), numbers, numbers)
def test_the_gap_is_the_least_distance_of_any_two_points(seed: int, x: float, y: float) -> None:
    rng = np.random.default_rng(seed)
    a = outline(rng.normal(0.0, 0.2, (7, 2)))
    b = outline(np.add(rng.normal(0.0, 0.2, (6, 2)), [x, y]))
    # Points all over both outlines, by mixing their corners.
    inside = [rng.dirichlet(np.full(len(o), 0.15), 1500) @ o for o in (a, b)]
    sampled = np.linalg.norm(inside[0][:, None] - inside[1][None], axis=2).min()
    assert gap(a, b) == pytest.approx(gap(b, a), abs=1e-9)
    assert gap(a, b) <= sampled + 1e-9
    if gap(a, b) > 0.05:
        assert sampled == pytest.approx(gap(a, b), abs=0.05)


def test_squares_side_by_side_and_one_in_the_other() -> None:
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert gap(square, np.add(square, [1.5, 0.0])) == pytest.approx(0.5)
    assert gap(square, np.add(square, [2.0, 2.0])) == pytest.approx(np.sqrt(2.0))
    assert gap(square, np.add(square, [0.9, 0.0])) == pytest.approx(-0.1)
    assert gap(square, 0.5 * square + 0.25) < 0.0


@pytest.mark.parametrize("name", MANY)
def test_what_is_picked_up_stands_apart_and_within_reach(name: str, library: AssetLibrary) -> None:
    for seed in range(3):
        first, *others = draw_scene(load_task(name), library, np.random.default_rng(seed))
        for other in others:
            own = footprint(other.asset, other.T_base_root)
            assert gap(footprint(first.asset, first.T_base_root), own) >= ROOM
            assert np.linalg.norm(own, axis=1).min() > NEAREST
            assert np.linalg.norm(other.T_base_root[:2, 3]) < FARTHEST


def test_where_there_is_no_room_it_says_between_what(library: AssetLibrary) -> None:
    """Twelve drawers at one place: sooner or later the table is full."""
    task = load_task("OpenDrawer")
    copies = [task.objects[0].model_copy(update={"name": f"drawer_{i}"}) for i in range(1, 12)]
    crowded = task.model_copy(update={"objects": (task.objects[0], *copies)})
    with pytest.raises(NoRoomError, match=r"no room for 'drawer_\d+' .* beside 'drawer'.* tries"):
        draw_scene(crowded, library, np.random.default_rng(0))
