"""A switch changes what it is for and nothing else; what was asked for is found in the record."""

import dataclasses
import json

import numpy as np
import pytest
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.conditions import AS_USUAL, draw_conditions
from gensim2_tasks.randomisation import (
    KINDS,
    Lights,
    Randomisation,
    RandomisationError,
    Range,
    Variation,
)
from gensim2_tasks.specs import TaskSpec
from pydantic import ValidationError

NAMES = ("box", "clutter_1")
NONE = Randomisation()
EVERYTHING = Variation(("all",)).of_task(NONE)
# Where each kind shows in the conditions.
SHOWN = {
    "mass": lambda c: c.of("box").mass,
    "friction": lambda c: c.of("box").friction,
    "damping": lambda c: (c.of("box").joint_friction, c.of("box").joint_damping),
    "lights": lambda c: c.lights,
    "textures": lambda c: (c.table, c.of("box").tint),
    "cameras": lambda c: c.camera_offset("eye").tolist(),
    "depth": lambda c: c.depth,
}


def test_nothing_differs_unless_somebody_asks_for_it():
    for name in ("OpenBox", "StoreAppleInBucket"):
        assert Variation().of_task(load_task(name).randomise) == NONE
    drawn = draw_conditions(NONE, 3, NAMES)
    assert drawn.record(("eye",)) == {}
    assert all(shown(drawn) == shown(AS_USUAL) for shown in SHOWN.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_switch_changes_its_own_kind_only(kind):
    alone = draw_conditions(Variation((kind,)).of_task(NONE), 3, NAMES)
    every = draw_conditions(EVERYTHING, 3, NAMES)
    for other, shown in SHOWN.items():
        expected = every if other == kind else AS_USUAL
        assert shown(alone) == shown(expected), other
    assert SHOWN[kind](alone) != SHOWN[kind](AS_USUAL)
    assert SHOWN[kind](draw_conditions(EVERYTHING, 4, NAMES)) != SHOWN[kind](every)


def test_what_stands_about_changes_nothing_for_the_objects_of_the_task():
    few, many = (draw_conditions(EVERYTHING, 3, names) for names in (NAMES[:1], NAMES))
    assert few.of("box") == many.of("box") and few.table == many.table


def test_drawn_numbers_are_within_their_ranges():
    wanted = Randomisation(mass=Range(low=0.5, high=0.6), lights=Lights(tint=0.2))
    drawn = [draw_conditions(wanted, seed, NAMES) for seed in range(100)]
    masses = [d.of("box").mass for d in drawn]
    assert 0.5 <= min(masses) < 0.51 and 0.59 < max(masses) <= 0.6
    tints = np.array([d.lights.tint for d in drawn])
    assert tints.min() >= 0.8 and tints.max() <= 1.0


def test_cameras_are_off_by_what_is_recorded():
    drawn = draw_conditions(EVERYTHING, 3, NAMES)
    record = drawn.record(("left", "right"))["cameras"]
    assert record["left"] != record["right"]
    assert record["left"]["xyz"] == drawn.camera_offset("left")[:3, 3].tolist()
    assert 0.0 < np.abs(record["left"]["xyz"]).max() <= EVERYTHING.cameras.distance


def test_the_noise_of_pictures_differs_by_camera_and_step():
    drawn = draw_conditions(EVERYTHING, 3, NAMES)
    numbers = {drawn.depth_rng(c, n).random() for c in ("left", "right") for n in (0, 20, 40)}
    assert len(numbers) == 6
    assert drawn.depth_rng("left", 20).random() in numbers


@pytest.mark.parametrize(
    "variation",
    [Variation(), Variation(("none",), 0), Variation(("mass", "depth"), 4, "test")],
)
def test_what_was_asked_for_is_found_in_the_record(variation):
    assert Variation.recorded(json.loads(json.dumps(variation.record()))) == variation


def test_an_older_record_is_one_of_nothing():
    assert Variation.recorded({}) == Variation()


@pytest.mark.parametrize(
    "record",
    [{"randomise": "mass"}, {"randomise": ["mas"]}, {"clutter": 99}, {"split": "x"}, {"split": []}],
)
def test_a_record_that_cannot_be_understood_is_refused(record):
    with pytest.raises(RandomisationError):
        Variation.recorded(record)


@pytest.mark.parametrize("text", ["mas", "all,mass", "none,all", ""])
def test_switches_that_make_no_sense_are_refused(text):
    with pytest.raises(RandomisationError):
        Variation.parse(text)


def test_a_misspelt_switch_is_told_the_right_one():
    with pytest.raises(RandomisationError, match="did you mean 'mass'"):
        Variation(("mas",))


def test_a_task_file_has_ranges_of_its_own_which_a_switch_takes_up():
    document = load_task("OpenBox").model_dump()
    document["randomise"] = {"mass": {"low": 2.0, "high": 3.0}, "clutter": {"low": 1, "high": 2}}
    own = TaskSpec.model_validate(document).randomise
    assert Variation().of_task(own) == own
    assert Variation(("all",)).of_task(own).mass == own.mass
    assert Variation(("depth",)).of_task(own).mass is None
    assert Variation(clutter=0).of_task(own).clutter.high == 0
    assert Variation(("none",)).of_task(own) == Randomisation(clutter=own.clutter)
    document["randomise"]["mass"] = {"low": 3.0, "high": 2.0}
    with pytest.raises(ValidationError, match="above"):
        TaskSpec.model_validate(document)


def test_the_record_of_everything_is_plain():
    drawn = draw_conditions(EVERYTHING, 2, NAMES)
    record = drawn.record(("eye",))
    assert json.loads(json.dumps(record)) == record
    assert {*record} == {"objects", "lights", "table", "cameras", "depth"}
    assert {*record["objects"]["box"]} == {f.name for f in dataclasses.fields(drawn.of("box"))}
