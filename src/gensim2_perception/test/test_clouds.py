"""Operators on clouds: geometry must be exact, sampling even, exact in number and repeatable."""

import numpy as np
import pytest
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.static_transforms import inverse, rigid
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist, pdist

from gensim2_perception import clouds

INTRINSICS = PinholeIntrinsics(40, 30, 35.0, 33.0, 19.5, 14.5)

seeds = st.integers(0, 2**32 - 1)


def quaternions() -> st.SearchStrategy[tuple[float, ...]]:
    part = st.floats(-1.0, 1.0)
    return (
        st.tuples(part, part, part, part)
        .filter(lambda q: np.linalg.norm(q) > 0.1)
        .map(lambda q: tuple(np.array(q) / np.linalg.norm(q)))
    )


def surface(seed: int, count: int) -> np.ndarray:
    """Points on three faces of a box."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([0.4, -0.3, 0.0], [0.9, 0.3, 0.4], (count, 3))
    axis = rng.integers(0, 3, count)
    points[np.arange(count), axis] = np.array([0.4, -0.3, 0.4])[axis]
    return points.astype(np.float32)


@given(seeds, st.sampled_from(["mm", "m"]))
@settings(max_examples=30, deadline=None)
def test_deprojected_points_project_back_onto_their_pixel(seed: int, unit: str) -> None:
    rng = np.random.default_rng(seed)
    mm = rng.integers(0, 4000, (30, 40)).astype(np.uint16)
    mm[rng.random((30, 40)) < 0.3] = 0
    depth = mm if unit == "mm" else (mm * np.float32(0.001)).astype(np.float32)
    points, pixels = clouds.deproject(depth, INTRINSICS)
    assert np.array_equal(pixels, np.flatnonzero(mm))
    u = points[:, 0] / points[:, 2] * INTRINSICS.fx + INTRINSICS.cx
    v = points[:, 1] / points[:, 2] * INTRINSICS.fy + INTRINSICS.cy
    assert np.allclose(u, pixels % 40, atol=1e-3)
    assert np.allclose(v, pixels // 40, atol=1e-3)
    assert np.allclose(points[:, 2], mm.ravel()[pixels] * 1e-3, atol=1e-6)


def test_no_point_comes_from_a_pixel_without_reading_or_out_of_range() -> None:
    depth = np.full((30, 40), 1.0, np.float32)
    depth[0, :5] = [np.nan, np.inf, -1.0, 0.0, -np.inf]
    depth[1, :2] = [0.049, 3.1]
    _, pixels = clouds.deproject(depth, INTRINSICS, 0.05, 3.0)
    assert set(range(30 * 40)) - set(pixels.tolist()) == {0, 1, 2, 3, 4, 40, 41}


def test_centre_pixel_lies_on_the_optical_axis() -> None:
    """Half a pixel of confusion about the principal point is 2 mm at 1 m."""
    intrinsics = PinholeIntrinsics(3, 3, 2.0, 2.0, 1.0, 1.0)
    points, _ = clouds.deproject(np.full((3, 3), 1000, np.uint16), intrinsics)
    assert np.allclose(points[4], [0.0, 0.0, 1.0])
    assert np.allclose(points[0], [-0.5, -0.5, 1.0])


def test_depth_of_another_size_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match="camera model says"):
        clouds.deproject(np.zeros((40, 30), np.uint16), INTRINSICS)
    with pytest.raises(ValueError, match="float64"):
        clouds.deproject(np.zeros((30, 40)), INTRINSICS)  # type: ignore[arg-type]


@given(quaternions(), st.tuples(*[st.floats(-2.0, 2.0)] * 3), seeds)
@settings(max_examples=50, deadline=None)
def test_transform_there_and_back(xyzw: tuple, xyz: tuple, seed: int) -> None:
    T = rigid(xyz, xyzw)
    p = np.random.default_rng(seed).uniform(-1.0, 1.0, (50, 3)).astype(np.float32)
    moved = clouds.transform(T, p)
    assert np.allclose(moved, p.astype(float) @ T[:3, :3].T + T[:3, 3], atol=1e-6)
    assert np.allclose(clouds.transform(inverse(T), moved), p, atol=2e-6)
    assert np.allclose(pdist(moved), pdist(p), atol=5e-6)


def test_crop_keeps_faces_and_drops_the_table() -> None:
    points = np.array(
        [[0.15, -0.6, 0.005], [1.1, 0.6, 0.9], [0.5, 0.0, 0.0], [0.14, 0.0, 0.1], [0.5, 0.61, 0.1]],
        np.float32,
    )
    assert clouds.crop_box(points, (0.15, -0.6, 0.005), (1.1, 0.6, 0.9)).tolist() == [0, 1]


@given(seeds, st.integers(0, 400), st.floats(0.02, 0.5))
@settings(max_examples=50, deadline=None)
def test_voxel_keeps_the_first_point_of_every_occupied_cube(
    seed: int, count: int, edge: float
) -> None:
    points = np.random.default_rng(seed).uniform(-1.0, 1.0, (count, 3)).astype(np.float32)
    chosen = clouds.voxel(points, edge)
    cells = [tuple(c) for c in np.floor(points / np.float32(edge)).astype(int).tolist()]
    expected = [i for i, cell in enumerate(cells) if cell not in cells[:i]]
    assert chosen.tolist() == expected


def test_voxel_names_an_impossible_edge() -> None:
    with pytest.raises(ValueError, match="too small"):
        clouds.voxel(np.array([[0, 0, 0], [1e4, 1e4, 1e4]], np.float32), 1e-3)
    with pytest.raises(ValueError, match="positive"):
        clouds.voxel(np.zeros((1, 3), np.float32), 0.0)


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_thinning_is_even(count: int, limit: int) -> None:
    index = clouds.thin(count, limit)
    assert len(index) == min(count, limit)
    assert np.array_equal(index, np.unique(index))
    if count > limit:
        steps = np.diff([*index, count])
        assert index[0] == 0
        assert steps.max() - steps.min() <= 1


@given(seeds, st.integers(2, 3000), st.integers(1, 300))
@settings(max_examples=40, deadline=None)
def test_farthest_points_cover_the_cloud_as_well_as_they_are_spread(
    seed: int, available: int, count: int
) -> None:
    """The defining property: no point is farther from the sample than its members from each other.

    A sampler without it leaves holes, typically where a thin handle is.
    """
    points = surface(seed, available)
    chosen = clouds.farthest_points(points, count)
    assert len(chosen) == count
    assert chosen.min() >= 0 and chosen.max() < available
    if count < available and count >= 2:
        assert len(set(chosen.tolist())) == count
        sample = points[chosen]
        covering = cKDTree(sample).query(points)[0].max()
        assert covering <= pdist(sample).min() + 1e-5


@given(st.integers(1, 60), st.integers(1, 400))
@settings(deadline=None)
def test_too_few_points_are_repeated_in_order(available: int, count: int) -> None:
    """Filling up at random would make the same episode differ from run to run."""
    points = surface(1, available)
    chosen = clouds.farthest_points(points, count)
    assert len(chosen) == count
    if available <= count:
        assert chosen.tolist() == [i % available for i in range(count)]


def test_sampling_identical_input_gives_identical_output() -> None:
    points = surface(3, 20_000)
    first = clouds.farthest_points(points, 1024)
    np.random.seed(7)
    assert np.array_equal(first, clouds.farthest_points(points.copy(), 1024))


def test_coinciding_points_do_not_disturb_the_count() -> None:
    points = np.repeat(surface(0, 20), 50, axis=0)
    chosen = clouds.farthest_points(points, 256)
    assert len(chosen) == 256
    assert len(np.unique(points[chosen], axis=0)) == 20


def test_an_empty_cloud_cannot_be_sampled() -> None:
    empty = np.empty((0, 3), np.float32)
    assert len(clouds.farthest_points(empty, 0)) == 0
    with pytest.raises(ValueError, match="empty cloud"):
        clouds.farthest_points(empty, 5)
    assert len(clouds.voxel(empty, 0.01)) == 0
    assert len(clouds.radius_inliers(empty, 0.1, 2)) == 0
    assert len(clouds.statistical_inliers(empty, 5, 1.0)) == 0


def test_outliers_go_and_surfaces_stay() -> None:
    """Flying pixels between the hand and the object would look like an obstacle."""
    solid = surface(5, 4000)
    flying = np.array([[0.2, 0.0, 0.8], [1.0, 0.5, 0.7], [0.65, 0.05, 0.6]], np.float32)
    points = np.concatenate([solid, flying])
    strays = {4000, 4001, 4002}
    by_radius = set(clouds.radius_inliers(points, 0.05, 4).tolist())
    by_statistics = set(clouds.statistical_inliers(points, 8, 4.0).tolist())
    for kept in (by_radius, by_statistics):
        assert not strays & kept
        assert len(kept) > 0.99 * len(solid)


def test_radius_counts_other_points_only() -> None:
    points = np.array([[0, 0, 0], [0.1, 0, 0], [0.9, 0, 0]], np.float32)
    assert clouds.radius_inliers(points, 0.2, 1).tolist() == [0, 1]
    assert clouds.radius_inliers(points, 0.2, 2).tolist() == []
    assert clouds.radius_inliers(points, 0.2, 0).tolist() == [0, 1, 2]


@given(
    seeds,
    st.integers(1, 400),
    st.floats(0.01, 0.6),
    st.integers(1, 20),
    st.floats(0.0, 50.0),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_radius_counts_as_a_table_of_all_distances_does(
    seed: int, count: int, radius: float, neighbours: int, away: float, even: bool
) -> None:
    """Dense and sparse clouds, near and far from the origin, also with points just at the rim."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.5, 0.5, (count, 3))
    if even:
        points = np.round(points / radius) * radius
    points = (points + away).astype(np.float32)
    # In float64, as the exact positions of the float32 points give it.
    distance = cdist(points.astype(np.float64), points.astype(np.float64))
    expected = np.flatnonzero((distance <= radius).sum(axis=1) > neighbours)
    assert clouds.radius_inliers(points, radius, neighbours).tolist() == expected.tolist()


@given(st.floats(0.0, 70.0), st.floats(0.0, 70.0) | st.just(np.inf))
@settings(max_examples=30, deadline=None)
def test_a_range_chooses_the_same_readings_in_millimetres_and_in_metres(
    depth_min: float, depth_max: float
) -> None:
    """Every reading there is; a camera in metres and one in millimetres see the same scene."""
    mm = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    metres = np.multiply(mm, 0.001, dtype=np.float32)
    used = clouds.usable_readings(mm, depth_min, depth_max)
    assert np.array_equal(used, clouds.usable_readings(metres, depth_min, depth_max))
    assert not used[0, 0]
    well_inside = (mm > 1000 * depth_min + 0.01) & (mm < 1000 * depth_max - 0.01) & (mm > 0)
    well_outside = (mm < 1000 * depth_min - 0.01) | (mm > 1000 * depth_max + 0.01)
    assert used[well_inside].all() and not used[well_outside].any()
