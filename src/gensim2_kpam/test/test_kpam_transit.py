"""Free transits: never through an obstacle, the same for a seed, and an end to the search."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gensim2_control.limits import JointLimits
from gensim2_kpam.transit import RESOLUTION, CheckFunction, plan_transit
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kpam_scenes import HOME, Array

from gensim2_kpam import transit

LIMITS = JointLimits.fr3()
BOUNDS = (LIMITS.q_min, LIMITS.q_max)
GOAL = HOME + np.array([0.9, 0.5, -0.4, 0.6, 0.3, -0.3, 0.5])


def boxes(rng: np.random.Generator, count: int, grow: float = 0.0) -> CheckFunction:
    """Random boxes in joint space; a path that avoids the grown ones avoids them all."""
    centres = HOME + rng.uniform(0.0, 1.0, (count, 1)) * (GOAL - HOME)
    centres += rng.normal(0.0, 0.3, (count, 7))
    halves = rng.uniform(0.05, 0.35, (count, 7))
    # Some joints do not matter for an obstacle, as in the world.
    halves[rng.random((count, 7)) < 0.4] = 10.0

    def collides(q: Array) -> bool:
        return bool(np.any(np.all(np.abs(q - centres) < halves + grow, axis=1)))

    return collides


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 6))
def test_a_path_keeps_clear_at_any_resolution(seed: int, count: int) -> None:
    """Checks are RESOLUTION apart, so a margin of half of it leaves no hole between them."""
    grown = boxes(np.random.default_rng(seed), count, grow=RESOLUTION / 2)
    collides = boxes(np.random.default_rng(seed), count)
    assume(not grown(HOME) and not grown(GOAL))
    path = plan_transit(HOME, GOAL, grown, BOUNDS, np.random.default_rng(seed))
    again = plan_transit(HOME, GOAL, grown, BOUNDS, np.random.default_rng(seed))
    assert (path is None) == (again is None)
    if path is None or again is None:
        return
    assert np.array_equal(np.array(path), np.array(again))
    assert np.array_equal(path[0], HOME)
    assert np.array_equal(path[-1], GOAL)
    assert LIMITS.contains(np.array(path))
    for a, b in pairwise(path):
        assert not any(collides(q) for q in transit.line(a, b, 0.002))


def test_obstacles_on_the_way_are_walked_around() -> None:
    """Not only refused: most of these have a way around."""
    solved = blocked = 0
    for seed in range(80):
        collides = boxes(np.random.default_rng(seed), 4)
        if collides(HOME) or collides(GOAL) or transit.line_is_free(HOME, GOAL, collides):
            continue
        blocked += 1
        path = plan_transit(HOME, GOAL, collides, BOUNDS, np.random.default_rng(1))
        solved += path is not None and len(path) > 2
    assert blocked >= 15
    assert solved > 0.8 * blocked


def test_a_free_way_is_straight() -> None:
    path = plan_transit(HOME, GOAL, lambda q: False, BOUNDS, np.random.default_rng(0))
    assert path is not None
    assert len(path) == 2


def around(centre: Array, inner: float, outer: float) -> CheckFunction:
    def collides(q: Array) -> bool:
        return inner < float(np.max(np.abs(q - centre))) < outer

    return collides


@pytest.mark.parametrize(
    "enclosed", [(GOAL,), (HOME,), (HOME, GOAL)], ids=["goal", "start", "both"]
)
def test_an_enclosed_end_has_no_path_and_the_search_ends(enclosed: tuple[Array, ...]) -> None:
    """Where both ends are enclosed no tree can grow: the search must end all the same."""
    walls = [around(q, 0.01, 0.3) for q in enclosed]
    calls = 0

    def collides(q: Array) -> bool:
        nonlocal calls
        calls += 1
        assert calls < 200_000, "the search does not end"
        return any(wall(q) for wall in walls)

    assert plan_transit(HOME, GOAL, collides, BOUNDS, np.random.default_rng(0)) is None


@pytest.mark.parametrize("bad", [HOME, GOAL])
def test_an_end_in_collision_has_no_path(bad: Array) -> None:
    path = plan_transit(
        HOME, GOAL, lambda q: np.array_equal(q, bad), BOUNDS, np.random.default_rng(0)
    )
    assert path is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.001, 0.2))
def test_lines_are_as_fine_as_asked_for(seed: int, resolution: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = HOME + rng.normal(0.0, 0.5, (2, 7))
    points = transit.line(a, b, resolution)
    assert np.array_equal(points[0], a)
    assert np.allclose(points[-1], b, atol=1e-12)
    assert np.max(np.abs(np.diff(points, axis=0))) <= resolution + 1e-12
