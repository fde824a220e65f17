"""What differs between two clouds is told, how far, and how much of it."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.report import Level
from gensim2_perception.cloud_overlay import RESIDUAL, CloudOverlay, OverlayConfig
from gensim2_perception.cloud_residual import Points, colours, distances, summed_up
from hypothesis import given
from hypothesis import strategies as st

TOLERANCE = 0.02
SPACING = 0.1


def grid(seed: int) -> Points:
    """Points that are further apart than anything they are moved by here."""
    axis = np.arange(4) * SPACING
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    return np.random.default_rng(seed).permutation(points).astype(np.float32)


def surface(seed: int, lower: tuple[float, ...], upper: tuple[float, ...], n: int) -> Points:
    """Random points on the five visible faces of a box on a table."""
    random = np.random.default_rng(seed)
    low, high = np.array(lower), np.array(upper)
    p = random.uniform(low, high, (n, 3))
    side = random.integers(0, 5, n)
    axis = np.where(side == 4, 2, side // 2)
    p[np.arange(n), axis] = np.where(side % 2 == 0, high[axis], low[axis])
    return p.astype(np.float32)


@given(
    st.floats(0.0, 0.049),
    st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.integers(0, 1000),
)
def test_a_known_offset_is_the_residual(
    length: float, direction: tuple[float, float, float], seed: int
) -> None:
    """Whatever the direction and the order of the points."""
    reference = grid(seed)
    offset = length * np.array(direction) / np.linalg.norm(direction)
    d = distances((grid(seed + 1) + offset).astype(np.float32), reference)
    np.testing.assert_allclose(d, length, atol=1e-6)
    figures = summed_up(d, TOLERANCE)
    assert figures.points == len(reference)
    assert figures.median == pytest.approx(length, abs=1e-6)
    assert figures.p95 == pytest.approx(length, abs=1e-6)
    if abs(length - TOLERANCE) > 1e-6:
        assert figures.beyond == float(length > TOLERANCE)


@given(st.integers(0, 64), st.integers(0, 1000))
def test_the_share_is_that_of_the_points_that_are_off(off: int, seed: int) -> None:
    reference = grid(seed)
    seen = reference.copy()
    seen[:off, 2] += 0.03
    assert summed_up(distances(seen, reference), TOLERANCE).beyond == off / 64


def test_nothing_to_compare_with_is_infinitely_far() -> None:
    nothing = np.zeros((0, 3), np.float32)
    figures = summed_up(distances(grid(0), nothing), TOLERANCE)
    assert figures.beyond == 1.0 and np.isinf(figures.median)
    assert summed_up(distances(nothing, grid(0)), TOLERANCE).points == 0


def test_colours_go_from_green_to_red() -> None:
    r, g, _ = colours(np.array([0.0, 0.02, 0.04, np.inf]), TOLERANCE).T.astype(int)
    assert g[0] > 2 * r[0] and min(r[1], g[1]) > 150 and r[2] > 2 * g[2]
    assert (r[3], g[3]) == (r[2], g[2])


BOX = ((0.4, -0.1, 0.0), (0.6, 0.1, 0.15))


def judged(seen: Points, expected: Points, age: float = 0.0) -> tuple[Level, str]:
    overlay = CloudOverlay(OverlayConfig())
    overlay.seen(5, seen)
    overlay.expected(5, expected, 100.0)
    return overlay.report(100.0 + age)[RESIDUAL].headline


def test_the_same_box_seen_twice_is_no_difference() -> None:
    """Two cameras never hit the same points, and the clouds are not of one density."""
    level, text = judged(surface(1, *BOX, 4096), surface(2, *BOX, 20000))
    assert level is Level.OK, text


@pytest.mark.parametrize("offset", [(0.05, 0.0, 0.0), (0.0, -0.05, 0.0), (0.04, 0.03, 0.0)])
def test_a_box_that_is_five_centimetres_off_warns(offset: tuple[float, float, float]) -> None:
    moved = (surface(1, *BOX, 4096) + offset).astype(np.float32)
    level, text = judged(moved, surface(2, *BOX, 20000))
    assert level is Level.WARN and "should not be there" in text


def test_what_is_missing_warns_too() -> None:
    """What is seen is all right; but a second object should be there."""
    other = surface(3, (0.4, 0.3, 0.0), (0.5, 0.4, 0.1), 5000)
    level, text = judged(surface(1, *BOX, 4096), np.vstack([surface(2, *BOX, 20000), other]))
    assert level is Level.WARN and "do not see" in text


def test_clouds_of_different_times_are_not_compared() -> None:
    overlay = CloudOverlay(OverlayConfig(kept=3))
    assert overlay.report(0.0)[RESIDUAL].level is Level.WARN
    for stamp in range(5):
        overlay.seen(stamp, grid(stamp))
    for stamp in (7, 1):  # never seen; seen and forgotten
        assert overlay.expected(stamp, grid(0), 0.0) is None
    assert overlay.expected(2, grid(0), 0.0) is not None
    report = overlay.report(0.0)[RESIDUAL]
    assert report.level is Level.OK
    assert report.values["clouds of the shadow without a counterpart"] == 2


def test_an_old_comparison_is_no_news_and_an_empty_cloud_no_agreement() -> None:
    assert judged(grid(0), grid(0), age=11.0)[0] is Level.WARN
    assert judged(grid(0)[:0], grid(0))[0] is Level.WARN
