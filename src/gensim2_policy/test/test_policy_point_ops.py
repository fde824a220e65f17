"""Operations on sets of points, against definitions written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gensim2_policy.point_ops import ball_neighbours, farthest_points, gather
from hypothesis import given, settings
from hypothesis import strategies as st


def cloud(batch: int, count: int, seed: int) -> torch.Tensor:
    return torch.rand(batch, count, 3, generator=torch.Generator().manual_seed(seed))


sizes = st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(0, 2**31))


@settings(max_examples=30, deadline=None)
@given(sizes, st.integers(1, 4), st.integers(0, 4), st.integers(1, 5))
def test_gather_picks_rows(size: tuple[int, int, int], rows: int, more: int, width: int) -> None:
    batch, count, seed = size
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(batch, count, width))
    shape = (batch, rows, more) if more else (batch, rows)
    index = rng.integers(0, count, shape)
    picked = gather(torch.from_numpy(values), torch.from_numpy(index)).numpy()
    assert np.array_equal(picked, np.stack([v[i] for v, i in zip(values, index, strict=True)]))


@settings(max_examples=30, deadline=None)
@given(sizes, st.floats(0.01, 1.0))
def test_each_farthest_point_is_the_farthest(size: tuple[int, int, int], share: float) -> None:
    points = cloud(*size)
    count = max(1, int(share * size[1]))
    index = farthest_points(points, count)
    assert index.shape == (size[0], count) and (index[:, 0] == 0).all()
    for row, chosen in zip(points.numpy(), index.numpy(), strict=True):
        for k in range(1, count):
            distance = np.linalg.norm(row[:, None] - row[chosen[:k]], axis=-1).min(1)
            assert distance[chosen[k]] == pytest.approx(distance.max(), abs=1e-6)


def test_any_first_part_of_a_sample_is_one() -> None:
    points = cloud(2, 50, 0)
    assert torch.equal(farthest_points(points, 20)[:, :7], farthest_points(points, 7))


@pytest.mark.parametrize("count", [0, -1, 6])
def test_more_farthest_points_than_there_are(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} of 5 points"):
        farthest_points(cloud(1, 5, 0), count)


def by_hand(centres: np.ndarray, points: np.ndarray, radius: float, count: int) -> list[set[int]]:
    found = []
    for centre in centres:
        distance = np.linalg.norm(points - centre, axis=1)
        order = np.argsort(distance)[:count]
        found.append({*order[distance[order] <= radius].tolist(), int(order[0])})
    return found


@settings(max_examples=30, deadline=None)
@given(sizes, st.integers(1, 40), st.floats(0.05, 2.0))
def test_neighbours_are_the_nearest_within_the_radius(
    size: tuple[int, int, int], count: int, radius: float
) -> None:
    points = cloud(*size).double()
    centres = points[:, ::3]
    near = ball_neighbours(centres, points, radius, count)
    assert near.shape == (size[0], centres.shape[1], min(count, size[1]))
    for row in range(size[0]):
        expected = by_hand(centres[row].numpy(), points[row].numpy(), radius, count)
        assert [{*each.tolist()} for each in near[row]] == expected


def test_lonely_centre_gets_its_nearest_point_again_and_again() -> None:
    points = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]])
    near = ball_neighbours(torch.zeros(1, 1, 3), points, 0.1, 3)
    assert near.tolist() == [[[0, 0, 0]]]


def test_half_precision_of_the_network_leaves_neighbours_alone() -> None:
    points = 0.5 + 0.2 * cloud(2, 200, 0)
    exact = ball_neighbours(points[:, :50], points, 0.03, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ball_neighbours(points[:, :50], points, 0.03, 8), exact)
