"""Contacts and grasps that move a part of an object, from its geometry."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest
from gensim2_kpam.hand_shape import hand_points, hull_of
from gensim2_kpam.motions import JointAxis
from gensim2_kpam.part_contacts import (
    PRESS_SLOPE,
    PUSH_CONE,
    Contact,
    MovingPart,
    find_contacts,
    motion_of,
)
from gensim2_kpam.part_grasps import find_part_grasps
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gensim2_tasks import se3

Array = NDArray[np.float64]
# A chest with its hinge at the back (x = 0.8) on top, whose lid reaches over the front.
HINGE = JointAxis(np.array([0.8, 0.0, 0.2]), np.array([0.0, 1.0, 0.0]), prismatic=False)
UPWARDS = 1.0  # of the joint: the front of the lid rises
# A door in a plane x = 0.6 with its hinge at y = 0.2; it opens towards the robot.
DOOR_HINGE = JointAxis(np.array([0.6, 0.2, 0.0]), np.array([0.0, 0.0, 1.0]), prismatic=False)


def block(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Array:
    return np.array([*product(x, y, z)])


def lid(overhang: float, thickness: float = 0.02) -> Array:
    return block((0.5 - overhang, 0.8), (-0.14, 0.14), (0.2, 0.2 + thickness))


CHEST = block((0.5, 0.8), (-0.14, 0.14), (0.0, 0.199))
LEAF = block((0.6, 0.62), (-0.2, 0.2), (0.02, 0.4))
BAR = block((0.54, 0.555), (-0.17, -0.155), (0.1, 0.3))
WALL = block((0.63, 0.9), (-0.25, 0.25), (0.0, 0.45))


def touched(contact: Contact) -> Array:
    return se3.apply(contact.T_base_hand, contact.p_hand)


@settings(max_examples=6, deadline=None)
@given(st.floats(0.015, 0.04), st.floats(0.008, 0.04), st.integers(0, 99))
def test_contacts_move_the_lid_and_no_hand_is_in_anything(
    overhang: float, thickness: float, seed: int
) -> None:
    part = lid(overhang, thickness)
    rng = np.random.default_rng(seed)
    pushes, presses = find_contacts(MovingPart.of([part], [CHEST], HINGE, UPWARDS), rng)
    found = [*islice(pushes, 40), *islice(presses, 40)]
    assert {c.kind for c in found} == {"push", "press"}
    for contact in found:
        p, into = touched(contact), contact.press / np.linalg.norm(contact.press)
        motion = UPWARDS * motion_of(p[None], HINGE)[0]
        along = float(into @ motion / np.linalg.norm(motion))
        if contact.kind == "push":
            assert along > PUSH_CONE - 0.02  # of the finger, which is just off the face
            # From below, where the lid reaches over the front of the chest.
            assert into[2] > 0.9 and p[0] < 0.5
        else:
            assert abs(along) < PRESS_SLOPE + 0.02
        points = se3.apply(contact.T_base_hand, hand_points(closed=True, apart=0.008))
        for piece in (part, CHEST):
            rows = hull_of(piece).equations
            assert not np.any(np.all(points @ rows[:, :3].T + rows[:, 3] < -1e-4, axis=1))
        assert points[:, 2].min() > 0.0


def test_a_lid_without_an_edge_to_reach_under_is_pressed() -> None:
    rng = np.random.default_rng(0)
    pushes, presses = find_contacts(MovingPart.of([lid(0.0)], [CHEST], HINGE, UPWARDS), rng)
    assert [*pushes] == []
    # On its front, and never on what the joint does not hold.
    fronts = [c for c in islice(presses, 30) if c.press[0] > 1e-4]
    assert fronts and all(touched(c)[2] > 0.2 for c in fronts)


def test_shutting_is_pushing_from_above() -> None:
    rng = np.random.default_rng(1)
    opened = se3.apply(HINGE.displacement(1.2), lid(0.02))
    pushes, _ = find_contacts(MovingPart.of([opened], [CHEST], HINGE, -UPWARDS), rng)
    best = next(pushes)
    motion = -motion_of(touched(best)[None], HINGE)[0]
    assert best.press @ motion > 0.0


@pytest.mark.parametrize("seed", range(3))
def test_the_bar_of_a_door_is_found_beside_the_leaf(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grasps = [
        *islice(find_part_grasps(MovingPart.of([LEAF, BAR], [WALL], DOOR_HINGE, 1.0), rng), 60)
    ]
    assert grasps
    for grasp in grasps:
        p = touched(grasp)
        assert grasp.width == pytest.approx(0.015, abs=0.03) and np.all(np.abs(grasp.press) == 0)
        # Its middle is within the bar or the edge of the leaf, and never behind the leaf.
        assert p[0] < 0.62 and p[1] < 0.1
    on_bar = [g for g in grasps if touched(g)[0] < 0.57]
    assert len(on_bar) > len(grasps) / 2


def test_what_is_wider_than_the_hand_offers_no_grasp() -> None:
    rng = np.random.default_rng(0)
    thick = block((0.55, 0.65), (-0.2, 0.2), (0.02, 0.4))
    assert [*find_part_grasps(MovingPart.of([thick], [], DOOR_HINGE, 1.0), rng)] == []


def test_the_same_seed_finds_the_same() -> None:
    def found() -> list[Array]:
        rng = np.random.default_rng(5)
        kinds = find_contacts(MovingPart.of([lid(0.02)], [CHEST], HINGE, UPWARDS), rng)
        return [c.T_base_hand for kind in kinds for c in islice(kind, 5)]

    assert np.array_equal(found(), found())


def test_a_flat_piece_has_a_hull() -> None:
    flat = block((0.5, 0.8), (-0.1, 0.1), (0.1, 0.1))
    hull = hull_of(np.unique(flat, axis=0))
    assert hull.points[:, 2].min() < 0.1 < hull.points[:, 2].max()
    assert np.ptp(hull.points[:, 2]) < 1e-3
    assert hull_of(np.unique(flat, axis=0)[:3]).volume < 1e-4
