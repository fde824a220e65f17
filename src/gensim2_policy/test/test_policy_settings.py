"""Settings: presets, overrides, and what is said of those that do not fit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml
from gensim2_policy.settings import (
    PRESETS,
    Settings,
    SettingsError,
    _names,
    load_settings,
    make_settings,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gensim2_policy


@pytest.mark.parametrize("preset", PRESETS)
def test_saved_copy_of_a_preset_is_the_preset(preset: str) -> None:
    made = make_settings(preset)
    assert made.preset == preset
    assert load_settings(yaml.safe_load(yaml.safe_dump(made.model_dump(mode="json")))) == made
    for group, values in PRESETS[preset].items():
        for name, value in values.items():
            if not isinstance(value, dict | list):
                assert getattr(getattr(made, group), name) == value


def test_ppt_has_the_size_of_the_public_policy() -> None:
    made = make_settings("ppt")
    assert (made.model.width, made.model.heads, made.model.layers) == (512, 8, 4)
    assert (made.observation.steps, made.observation.points) == (3, 1024)
    assert (made.model.head.kind, made.model.head.train_steps, made.model.head.steps) == (
        "diffusion",
        100,
        10,
    )


def test_overrides_change_one_setting_each() -> None:
    made = make_settings(
        "ppt-tiny",
        ["train.rate=1e-4", "model.cloud.widths=[32, 64]", "train.amp=true", "train.steps=100_000"],
    )
    assert made.train.rate == 1e-4
    assert made.model.cloud.widths == (32, 64)
    assert made.train.amp is True
    assert made.train.steps == 100_000
    plain = make_settings("ppt-tiny").model_dump()
    for group, name in (("train", "rate"), ("train", "amp"), ("train", "steps")):
        plain[group][name] = made.model_dump()[group][name]
    plain["model"]["cloud"]["widths"] = (32, 64)
    assert made.model_dump() == plain


def test_overrides_do_not_leak_into_the_presets() -> None:
    before = make_settings("ppt")
    make_settings("ppt", ["model.cloud.widths=[8]", "model.head.kind=mlp"])
    assert make_settings("ppt") == before


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("train.rat=1", "setting 'train.rat' is unknown; did you mean 'train.rate'"),
        ("zzz=1", "setting 'zzz' is unknown$"),
        ("train=1", "setting 'train' is unknown"),
        ("preset=ppt", "setting 'preset' is unknown"),
        ("train.rate", "expected name=value"),
        ("train.rate=[1", "train.rate: .* cannot be read"),
        ("train.rate=2020-13-45", "train.rate: .* cannot be read"),
        ("train.rate=fast", "train.rate: .*number"),
        ("train.rate=.nan", "train.rate: "),
        ("train.clip=.inf", "train.clip: "),
        ("train.steps=0", "train.steps: .*greater than or equal to 1"),
        ("train.save_seconds=61", "train.save_seconds: "),
        ("model.head.kind=gan", "model.head.kind: .*'flow'"),
        ("model.heads=3", "width 128 is no multiple of 2 x 3 heads"),
        ("action.space=joints", "augment.shift: .*set it to 0"),
    ],
)
def test_override_that_does_not_fit(override: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        make_settings("ppt-tiny", [override])


def test_more_steps_of_inference_than_of_noise() -> None:
    with pytest.raises(SettingsError, match="steps 101 is more than train_steps 100"):
        make_settings("ppt", ["model.head.steps=101"])
    assert make_settings("ppt-tiny", ["model.head.steps=101"]).model.head.steps == 101


def test_pictures_cannot_follow_a_moved_scene() -> None:
    see = "observation.cameras=[wrist_camera]"
    with pytest.raises(SettingsError, match=r"augment.yaw and augment.shift: pictures cannot"):
        make_settings("ppt-tiny", [see])
    with pytest.raises(SettingsError, match="pictures cannot"):
        make_settings("ppt-tiny", [see, "augment.shift=0"])
    made = make_settings("ppt-tiny", [see, "augment.yaw=0", "augment.shift=0"])
    assert made.observation.cameras == ("wrist_camera",)


@pytest.mark.parametrize("preset", ["", "PPT", "x" * 1000])
def test_unknown_preset(preset: str) -> None:
    with pytest.raises(SettingsError, match="known: ppt, ppt-small, ppt-tiny") as caught:
        make_settings(preset)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("plain", [None, [], "text", {"unknown": 1}, {"train": {"unknown": 1}}])
def test_document_that_is_no_settings(plain: object) -> None:
    with pytest.raises(SettingsError):
        load_settings(plain)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from([*_names(Settings)]) | st.text(max_size=12), value=st.text(max_size=12))
@example("train.rate", "!!python/object:os.system {}")
@example("train.rate", "0001-99-99")
@example("train.rate", "{[]: 1}")
def test_any_text_is_taken_or_refused_in_words(name: str, value: str) -> None:
    try:
        made = make_settings("ppt-tiny", [f"{name}={value}"])
    except SettingsError as error:
        assert str(error)
    else:
        assert load_settings(made.model_dump(mode="json")) == made


def test_every_setting_is_read_somewhere() -> None:
    """No setting is inert: each is looked at by a module that is not the settings' own."""
    read = set()
    for file in Path(gensim2_policy.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                read.add((node.attr, file.name))
    # Through properties of the settings.
    derived = {"state_steps": "steps", "cloud_steps": "steps", "space": "width"}
    for name in {*_names(Settings)} - {"preset"}:  # only says where they come from
        last = name.rpartition(".")[2]
        wanted = {last, derived.get(last, last)}
        assert any(a in wanted and f != "settings.py" for a, f in read), f"{name} does nothing"
