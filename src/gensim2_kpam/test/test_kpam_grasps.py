"""Grasps of a rigid object from its geometry."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
import trimesh
from gensim2_kpam.grasps import JITTER, TCP, TIP, WIDEST, centre_of_mass, find_grasps
from gensim2_kpam.hand_shape import surface_points
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef
from gensim2_tasks.procedural.household import GENERATORS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]


def block(x: float, y: float, z: float, at: tuple[float, float, float] = (0, 0, 0)) -> Array:
    corners = np.array([*product((-0.5, 0.5), repeat=3)])
    return corners * [x, y, z] + at


def ball(radius: float) -> Array:
    vertices = trimesh.creation.icosphere(2, radius).vertices
    return np.add(vertices, [0.4, 0.0, radius])


def test_the_centre_of_mass_counts_volumes() -> None:
    pieces = [block(0.1, 0.1, 0.1), block(0.1, 0.1, 0.3, at=(1.0, 0.0, 0.0))]
    assert centre_of_mass(pieces) == pytest.approx([0.75, 0.0, 0.0])


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 0.06), st.floats(0.01, 0.2), st.floats(0.01, 0.2), st.integers(0, 99))
def test_fingers_close_across_a_box_and_stay_above_the_table(
    x: float, y: float, z: float, seed: int
) -> None:
    box = block(x, y, z, at=(0.4, 0.1, 0.5 * z))
    grasps = find_grasps([box], np.random.default_rng(seed))
    assert grasps
    for grasp in grasps:
        T = grasp.T_base_hand
        assert np.allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-9)
        assert np.linalg.det(T[:3, :3]) > 0.0
        tips = T @ np.array([[0, 0], [0.04, -0.04], [TCP + TIP] * 2, [1, 1]])
        assert tips[2].min() > 0.0
        assert grasp.width <= WIDEST
        # In the frame of the hand the box is between the fingers, as far apart as it is wide.
        across = (box - T[:3, 3]) @ T[:3, 1]
        middle = 0.5 * (across.min() + across.max())
        assert np.ptp(across) >= grasp.width - 1e-6
        assert abs(middle) < 0.5 * np.ptp(across)
    # Good ones early; in a looser order than that of their cost, for neighbours fail alike.
    above = [g.cost for g in grasps if g.T_base_hand[2, 2] < -0.87]
    assert all(a <= b + JITTER for a, b in combinations(above, 2))


def test_a_ball_that_is_too_wide_offers_nothing_and_a_smaller_one_does() -> None:
    assert not find_grasps([ball(0.04)], np.random.default_rng(0))
    assert find_grasps([ball(0.033)], np.random.default_rng(0))


def test_a_pen_on_the_table_is_taken_with_level_fingers() -> None:
    turn = trimesh.transformations.rotation_matrix(np.pi / 2, [0, 1, 0])
    pen = trimesh.creation.cylinder(0.006, 0.12, sections=16, transform=turn)
    vertices = np.add(pen.vertices, [0.4, 0.0, 0.006])
    grasp = find_grasps([vertices], np.random.default_rng(0))[0]
    assert abs(grasp.T_base_hand[2, 1]) < 0.05
    assert grasp.T_base_hand[2, 2] < -0.9


def test_of_a_wide_cup_the_wall_is_held() -> None:
    """Four walls and a floor: the fingers find room on both sides of a wall."""
    wide, wall, height = 0.09, 0.005, 0.1
    out = 0.5 * (wide - wall)
    pieces = [
        block(wide, wide, wall, at=(0.4, 0.0, 0.5 * wall)),
        block(wall, wide, height, at=(0.4 - out, 0.0, 0.5 * height)),
        block(wall, wide, height, at=(0.4 + out, 0.0, 0.5 * height)),
        block(wide, wall, height, at=(0.4, -out, 0.5 * height)),
        block(wide, wall, height, at=(0.4, out, 0.5 * height)),
    ]
    grasps = find_grasps(pieces, np.random.default_rng(0))
    walls = [g for g in grasps if g.width == pytest.approx(wall, abs=1e-6)]
    assert len(walls) > 20
    assert all(g.width <= WIDEST for g in grasps)


def test_the_same_seed_gives_the_same_grasps() -> None:
    one, other = (find_grasps([ball(0.03)], np.random.default_rng(7)) for _ in range(2))
    assert all(
        np.array_equal(a.T_base_hand, b.T_base_hand) for a, b in zip(one, other, strict=True)
    )


def check_grasps(asset: ArticulatedAsset) -> None:
    at = np.array([0.4, 0.0, asset.rest_height()])
    pieces = [v + at for _, v in asset.hulls]
    grasps = find_grasps(pieces, np.random.default_rng(0))
    assert len(grasps) > 20 and min(grasp.width for grasp in grasps) <= WIDEST


@pytest.mark.parametrize("category", sorted(GENERATORS))
def test_there_are_grasps_of_every_household_thing(category: str, library: AssetLibrary) -> None:
    for seed in range(2):
        check_grasps(library.load(AssetRef("procedural", category, str(seed))))


@pytest.mark.parametrize("category", sorted(GENERATORS))
def test_there_are_grasps_of_downloaded_things(category: str, real_library: AssetLibrary) -> None:
    if not real_library.keys(category):
        pytest.skip("none among the downloaded assets")
    check_grasps(real_library.load(real_library.find(category, category)))


def test_the_surface_of_a_flat_shelf_has_points() -> None:
    """Collision meshes of downloaded drawers have such ones."""
    shelf = np.array([(x, y, 0.0) for x in (0.0, 0.2) for y in (0.0, 0.3)])
    points = surface_points([shelf], 0.05)
    assert np.ptp(points, axis=0) == pytest.approx([0.2, 0.3, 0.0])
