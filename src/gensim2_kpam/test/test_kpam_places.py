"""Where a held object can be put down."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from gensim2_kpam.hand_pose import hand_rotations
from gensim2_kpam.places import OVER_RIM, Held, Place, Region
from gensim2_kpam.places import find_places as every_place
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

Array = NDArray[np.float64]
DOWN = np.array([0.0, 0.0, -1.0])
NOTHING = np.empty((0, 3))
HAND = se3.transform((0.4, 0.0, 0.3), hand_rotations()[0])


def block(x: float, y: float, z: float) -> Held:
    """A box between the fingertips."""
    corners = np.array([*product((-0.5, 0.5), repeat=3)]) * [x, y, z] + [0.0, 0.0, 0.1034]
    return Held((corners,), np.array([0.0, 0.0, 0.1034]), np.eye(4))


def find_places(held: Held, region: Region, rotations: Array, T: Array) -> list[Place]:
    return list(every_place(held, region, rotations, T, NOTHING))


def at(place: Place, held: Held, T_base_hand: Array) -> Array:
    """Vertices (N, 3) of what is held in the box, were the hand there."""
    return se3.apply(T_base_hand, np.concatenate(held.pieces))


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.floats(0.02, 0.3)] * 3),
    st.tuples(*[st.floats(0.02, 0.2)] * 3),
    st.floats(-3.14, 3.14),
    st.booleans(),
)
def test_what_is_let_go_is_between_the_walls(
    size: tuple[float, float, float],
    half: tuple[float, float, float],
    yaw: float,
    front: bool,
) -> None:
    held = block(*size)
    T = se3.transform((0.6, 0.1, 0.3), Rotation.from_euler("z", yaw).as_matrix())
    inwards = T[:3, 0] if front else DOWN
    region = Region.box(T, np.array(half), (inwards,))
    for place in find_places(held, region, hand_rotations()[::5], HAND)[:40]:
        p = se3.apply(se3.inverse(T), at(place, held, place.T_base_hand))
        assert np.all(np.abs(p[:, :2]) <= np.array(half[:2]) + 1e-9)
        assert p[:, 2].min() >= -half[2]
        assert p[:, 2].min() <= half[2] + OVER_RIM[-1] + 1e-6
        # Before it goes in it is outside of the opening, and straight in front of it.
        way = place.T_base_hand[:3, 3] - place.T_base_before[:3, 3]
        assert np.allclose(np.cross(way, inwards), 0.0, atol=1e-9)
        out = se3.apply(se3.inverse(T), at(place, held, place.T_base_before))
        assert (out[:, 0].max() < -half[0]) if front else (out[:, 2].min() > half[2])
        if front:
            assert p[:, 2].max() <= half[2] + 1e-9


def test_what_is_too_large_has_no_place() -> None:
    region = Region.box(se3.transform((0.6, 0.0, 0.1)), np.array([0.05, 0.05, 0.05]), (DOWN,))
    assert find_places(block(0.03, 0.03, 0.03), region, hand_rotations(), HAND)
    assert not find_places(block(0.15, 0.15, 0.15), region, hand_rotations(), HAND)


def test_a_long_thing_goes_upright_into_a_narrow_bin() -> None:
    region = Region.box(se3.transform((0.6, 0.0, 0.1)), np.array([0.06, 0.06, 0.1]), (DOWN,))
    held = block(0.25, 0.03, 0.01)
    found = find_places(held, region, hand_rotations(), HAND)
    assert found
    assert np.ptp(at(found[0], held, found[0].T_base_hand)[:, 2]) > 0.2


def test_on_a_surface_it_is_put_down_and_not_dropped() -> None:
    region = Region.box(
        se3.transform((0.6, 0.0, 0.1)), np.array([0.1, 0.1, 0.05]), (DOWN,), drop=False
    )
    held = block(0.04, 0.04, 0.06)
    found = find_places(held, region, hand_rotations(), HAND)
    assert found
    for place in found:
        lowest = at(place, held, place.T_base_hand)[:, 2].min()
        assert 0.05 < lowest < 0.055
        assert place.T_base_hand[2, 2] < -0.9


def test_a_bar_over_the_opening_is_gone_around() -> None:
    """As the handle of a bucket is: what goes in and the hand pass it on a side."""
    T = se3.transform((0.6, 0.0, 0.1))
    slanted = np.array([1.0, 0.0, -1.0]) / np.sqrt(2.0)
    bar = np.column_stack([np.full(41, 0.6), np.linspace(-0.1, 0.1, 41), np.full(41, 0.32)])
    held = block(0.05, 0.05, 0.05)
    for inwards, possible in ((DOWN, False), (slanted, True)):
        region = Region.box(T, np.array([0.06, 0.06, 0.1]), (inwards,))
        found = list(every_place(held, region, hand_rotations(), HAND, bar))
        down = [p for p in found if p.T_base_hand[2, 2] < -0.95]
        assert not down
        assert bool(found) or not possible


def test_nothing_is_stood_up_where_it_would_be_in_the_way_of_the_lid() -> None:
    """A box of crackers is higher than a drawer is deep: upright it cannot be shut in."""
    T = se3.transform((0.6, 0.1, 0.1))
    tall = block(0.05, 0.03, 0.18)
    for lidded in (False, True):
        region = replace(Region.box(T, np.array([0.15, 0.15, 0.05]), (DOWN,)), lidded=lidded)
        places = find_places(tall, region, hand_rotations(), HAND)
        heights = [np.ptp(at(p, tall, p.T_base_hand)[:, 2]) for p in places]
        assert heights and (max(heights) > 0.15) != lidded
        assert not lidded or max(heights) <= 0.1
