"""The predicates tell near hits from near misses, on a small part of what `bench` looks at."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef
from predicate_cases import Case, document, make_probe, predicate_table, table_of_file, tally
from predicate_drops import dropped_inside, dropped_on_top
from predicate_inside import OPENINGS, inside_cases
from predicate_motion import free_cases, hand_cases, openness_cases, settled_joint_cases
from predicate_places import lifted_cases, near_cases, on_top_cases, under_cases

Probes = dict[str, ArticulatedAsset]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Probes:
    """Loose things of a few centimetres."""
    folder = tmp_path_factory.mktemp("probes")
    return {name: make_probe(name, folder) for name in ("ball", "cube", "stick", "cup")}


@pytest.fixture(scope="module")
def urdf() -> str:
    """The robot."""
    return resolve_packages(robot_description())


@pytest.fixture(scope="module")
def world(urdf: str) -> World:
    """A world without pictures."""
    return World(urdf, WorldConfig(render=False))


@pytest.fixture
def rng() -> np.random.Generator:
    """The same in every test."""
    return np.random.default_rng(7)


def generated(category: str) -> ArticulatedAsset:
    """A generated asset that the table of the bench does not hold."""
    return AssetLibrary().load(AssetRef("procedural", category, "7"))


def check(cases: Iterable[Case], kinds: set[str]) -> None:
    """Hits and misses of these kinds, and all of them are told apart."""
    found = [*cases]
    assert {case.kind for case in found} == kinds
    assert [case for case in found if case.label != case.verdict] == []
    for counts in tally(found):
        assert counts.hits and counts.misses


@pytest.mark.parametrize("category", sorted(OPENINGS))
def test_inside_has_walls_around_and_does_not_stick_out(
    probes: Probes, rng: np.random.Generator, category: str
) -> None:
    """Walls and edges are found by rays."""
    check(inside_cases(generated(category), probes, rng), {"inside"})


def test_what_is_dropped_is_inside_where_it_lies_between_walls(
    world: World, probes: Probes, rng: np.random.Generator
) -> None:
    """Where it ends is left to the physics."""
    check(dropped_inside(world, generated("box_rotate"), probes["cube"], rng, 6), {"inside"})


def test_on_top_is_what_is_carried(world: World, probes: Probes, rng: np.random.Generator) -> None:
    """And not what hovers, or is beside the edge."""
    laptop = generated("laptop_rotate")
    check(on_top_cases(laptop, probes, rng), {"on_top"})
    dropped = [*dropped_on_top(world, laptop, probes["cube"], rng, 4)]
    assert dropped and all(case.label == case.verdict for case in dropped)


def test_near_under_and_lifted_are_measured_in_space(
    probes: Probes, rng: np.random.Generator
) -> None:
    """Half a percent decides, and height counts."""
    check(near_cases(generated("drawer"), probes, rng), {"near"})
    check(under_cases(generated("faucet"), probes, rng), {"under"})
    check(lifted_cases([*probes.values()], rng, 2), {"lifted"})


def test_joints_and_loose_things_are_compared_with_their_thresholds(
    world: World, rng: np.random.Generator
) -> None:
    """By positions and motions that are known."""
    drawer = generated("drawer")
    check(openness_cases(world, drawer, rng), {"openness_above", "openness_below"})
    check(settled_joint_cases(world, drawer, rng), {"settled"})
    check(free_cases(world, generated("box_move"), rng), {"settled", "upright"})


def test_held_is_pressed_by_both_fingers_and_released_is_untouched(
    world: World, urdf: str, probes: Probes, rng: np.random.Generator
) -> None:
    """By forces and gaps that are known."""
    cases = hand_cases(world, Fr3Kinematics.from_urdf(urdf), probes, rng, efforts=(0.4, 0.6))
    check(cases, {"held", "released"})


def test_the_table_counts_what_is_wrong(tmp_path: Path) -> None:
    """Of ten cases, one of each kind of error."""
    labels = [(True, True)] * 3 + [(True, False), (False, True)] + [(False, False)] * 5
    cases = [Case("inside", "x", str(i % 2), a, b, 0.0) for i, (a, b) in enumerate(labels)]
    (counts,) = tally(cases)
    assert (counts.hits, counts.misses, counts.missed, counts.false) == (4, 6, 1, 1)
    assert counts.precision == counts.recall == 0.75
    table = predicate_table([counts])
    assert table.splitlines()[-1] == "| `inside` | 4 | 6 | 2 | 75.0 % | 75.0 % |"
    file = tmp_path / "predicates.json"
    file.write_text(json.dumps(document(cases, {})))
    assert table_of_file(file) == table
