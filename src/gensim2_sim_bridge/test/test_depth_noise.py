"""Noise of depth pictures: it is that of the formula, and a picture stays one."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_sim_bridge.depth_noise import DepthNoise
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

FOCAL = 216.0
SHAPE = (240, 320)
NOISE = DepthNoise()


def wall(millimetres: int) -> np.ndarray:
    return np.full(SHAPE, millimetres, dtype=np.uint16)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)),
    st.floats(0.0, 3.0),
    st.integers(0, 2**32),
)
def test_any_picture_gives_one_of_the_same_kind(depth, scale, seed):
    before = depth.copy()
    result = NOISE.applied(depth, FOCAL, scale, np.random.default_rng(seed))
    assert result.shape == depth.shape and result.dtype == np.uint16
    assert np.array_equal(depth, before)
    again = NOISE.applied(depth, FOCAL, scale, np.random.default_rng(seed))
    assert np.array_equal(result, again)
    if scale == 0.0:
        assert np.array_equal(result, depth)


@pytest.mark.parametrize("distance", [600, 1200, 2400])
def test_the_noise_of_a_wall_is_that_of_the_formula(distance):
    seen = NOISE.applied(wall(distance), FOCAL, 1.0, np.random.default_rng(0)).astype(float)
    off = seen[seen > 0] - distance
    expected = (distance / 1000) ** 2 * NOISE.subpixel / (NOISE.focal * NOISE.baseline) * 1000
    assert off.std() == pytest.approx(expected, rel=0.25)
    assert abs(off.mean()) < 0.3 * expected
    assert (seen == 0).mean() == pytest.approx(NOISE.dropout, abs=0.002)


def test_neighbours_share_their_errors():
    seen = NOISE.applied(wall(1500), FOCAL, 1.0, np.random.default_rng(0)).astype(float)
    seen[seen == 0] = 1500
    seen -= 1500
    near = np.corrcoef(seen[:, :-1].ravel(), seen[:, 1:].ravel())[0, 1]
    far = np.corrcoef(seen[:, :-30].ravel(), seen[:, 30:].ravel())[0, 1]
    assert near > 0.3 > 0.1 > abs(far)


def test_beside_a_near_thing_is_a_strip_without_depth_on_one_side():
    depth = wall(1200)
    depth[80:160, 120:200] = 500
    seen = NOISE.applied(depth, FOCAL, 1.0, np.random.default_rng(0))
    reach = NOISE.focal * NOISE.baseline
    strip = int((reach / 0.5 - reach / 1.2) * FOCAL / NOISE.focal)
    assert strip > 5
    left, right = seen[90:150, 122 - strip : 117], seen[90:150, 204 : 200 + strip]
    assert (left == 0).mean() > 0.9 > 0.2 > (right == 0).mean()


def test_too_near_and_too_far_give_nothing():
    for distance in (100, 11000):
        assert not NOISE.applied(wall(distance), FOCAL, 1.0, np.random.default_rng(0)).any()


def test_a_floor_at_a_grazing_angle_drops_out():
    v = np.arange(SHAPE[0])[:, None] - 0.5 * (SHAPE[0] - 1)
    share = {}
    for height in (0.03, 0.8):
        z = height * FOCAL / np.maximum(v, 1e-6)
        depth = np.broadcast_to(np.where((z > 0.3) & (z < 4), z, 0) * 1000, SHAPE).astype(np.uint16)
        seen = NOISE.applied(depth, FOCAL, 1.0, np.random.default_rng(0))
        share[height] = (seen[depth > 0] == 0).mean()
    assert share[0.03] > 0.3 > 0.1 > share[0.8]
