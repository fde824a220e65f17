"""The free part of the way ends before anything comes near, however thin that is."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from gensim2_kpam.approach import Approach, ApproachCheck
from gensim2_kpam.collision_model import CollisionModel
from gensim2_kpam.plan import HandBlocked, PlanFailure
from gensim2_kpam.planner_config import PlannerConfig
from kpam_scenes import Array

CONFIG = PlannerConfig()
PATH = np.linspace(0.0, 0.6, 18)[:, None] * np.ones(7)
STEP = 0.003  # rad, between the configurations that are looked at
PART = ("fr3_leftfinger", "object/part")
BODY = ("fr3_leftfinger", "object/body")
ELBOW = ("fr3_link4", "object/body")


class Corridor:
    """A model by which something is near in intervals of the first joint."""

    def __init__(self, *places: tuple[float, float, tuple[str, str]]) -> None:
        self.places = places

    def allow_contact(self, allowed: bool) -> None:
        assert not allowed

    def contacts(self, q: Array, part_q: float, margin: float) -> list[tuple[str, str]]:
        assert margin == CONFIG.near_clearance
        return [pair for low, high, pair in self.places if low <= q[0] <= high]

    def in_collision(self, q: Array, part_q: float, margin: float) -> bool:
        return bool(self.contacts(q, part_q, margin))

    @staticmethod
    def are_hand_and_part(pairs: list[tuple[str, str]]) -> bool:
        return all(pair == PART for pair in pairs)


def walk(model: Corridor, *, grasp: bool = False) -> Approach | PlanFailure:
    """A coarse look."""
    return check(model, grasp=grasp).until_touch(PATH)


def check(model: Corridor, *, grasp: bool = False) -> ApproachCheck:
    return ApproachCheck(cast(CollisionModel, model), CONFIG, 0.0, grasp)


def test_it_ends_right_before_the_part() -> None:
    approach = walk(Corridor((0.4, 0.6, PART)))
    assert isinstance(approach, Approach)
    assert 0.4 - STEP <= approach.path[-1, 0] < 0.4
    assert np.max(np.diff(approach.path, axis=0)) <= STEP + 1e-9


@pytest.mark.parametrize("place", np.linspace(0.01, 0.58, 40))
@pytest.mark.parametrize("pair", [PART, BODY])
def test_nothing_thin_is_stepped_over(place: float, pair: tuple[str, str]) -> None:
    """Something that is near for one configuration only."""
    model = Corridor((place, place + STEP, pair), (0.59, 0.6, PART))
    found = walk(model)
    if isinstance(found, Approach):
        found = check(model).rest(PATH, found)
    if pair == BODY:
        assert isinstance(found, HandBlocked)
        assert "object/body" in found.reason
    else:
        assert isinstance(found, Approach)
        assert found.unchecked == ()
        assert place - STEP <= found.path[-1, 0] < place


def test_a_free_approach_is_free_all_the_way() -> None:
    model = Corridor((0.5, 0.6, PART))
    approach = walk(model)
    assert isinstance(approach, Approach)
    assert len(approach.unchecked) > len(approach.path) // 2  # a coarse look is a cheap one
    checked = check(model).rest(PATH, approach)
    assert isinstance(checked, Approach)
    assert checked.unchecked == ()
    assert np.array_equal(checked.path, approach.path)


def test_a_way_without_contact_goes_to_its_end() -> None:
    for grasp in (False, True):
        approach = walk(Corridor(), grasp=grasp)
        assert isinstance(approach, Approach)
        assert np.array_equal(approach.path[-1], PATH[-1])


@pytest.mark.parametrize(
    ("pair", "begin", "poses"), [(BODY, 0.0, 18), (BODY, 0.3, 10), (ELBOW, 0.3, None)]
)
def test_what_the_hand_meets_holds_for_other_elbows_too(
    pair: tuple[str, str], begin: float, poses: int | None
) -> None:
    """With as many of the last poses; what the elbow meets does not."""
    failure = walk(Corridor((begin, 0.6, pair)))
    assert isinstance(failure, PlanFailure)
    assert isinstance(failure, HandBlocked) == (poses is not None)
    if isinstance(failure, HandBlocked):
        assert failure.poses == poses


def test_a_grasp_must_be_free_to_its_end() -> None:
    failure = walk(Corridor((0.55, 0.6, PART)), grasp=True)
    assert isinstance(failure, PlanFailure)
    assert failure.reason.startswith("grasp pose: ")
