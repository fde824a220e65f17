"""Demonstrations: what the store holds is what is trained on; splits keep objects apart."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from gensim2_episodes.store import EpisodeStore
from gensim2_policy.demonstrations import (
    STILL,
    DataError,
    Demonstration,
    Source,
    load_demonstrations,
    moving,
    sampled,
    smaller,
    split,
)
from gensim2_policy.settings import ObservationSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_samples import demonstration, write_episode

SEEN = ObservationSettings(points=16)


def load(*sources: Source | Path, seen: ObservationSettings = SEEN, **options: Any) -> list:
    made = [s if isinstance(s, Source) else Source(s) for s in sources]
    return list(load_demonstrations(made, seen, **options))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a/b", Source(Path("a/b"))),
        ("a*2.5", Source(Path("a"), 2.5)),
        ("a@real", Source(Path("a"), 1.0, "real")),
        ("a@real*0", Source(Path("a"), 0.0, "real")),
    ],
)
def test_source_is_read(text: str, source: Source) -> None:
    assert Source.parse(text) == source


@pytest.mark.parametrize("text", ["", "*1", "a*x", "a*-1", "a*nan", "a*inf", "@real"])
def test_source_that_cannot_be_read(text: str) -> None:
    with pytest.raises(DataError, match=r"expected FOLDER\[@DOMAIN\]\[\*WEIGHT\]"):
        Source.parse(text)


def test_demonstration_is_what_was_recorded(tmp_path: Path) -> None:
    name = write_episode(tmp_path / "data", seed=3, points=16)
    (found,) = load(tmp_path / "data")
    d = demonstration(3)
    for field in ("tcp_pose", "q", "finger", "tcp_ref", "q_ref", "finger_ref"):
        assert np.array_equal(getattr(found, field), getattr(d, field)), field
    assert found.name == f"data/{name}"
    assert (found.task, found.instruction) == ("CloseBox", "close the box")
    assert found.instance == "procedural:box_rotate/3"
    assert (found.domain, found.weight) == ("sim", 1.0)
    assert found.cloud is not None and found.colour is not None
    assert d.cloud is not None and d.colour is not None
    for t in range(len(d)):
        order = np.lexsort(found.cloud[t].T), np.lexsort(d.cloud[t].T)
        assert np.array_equal(found.cloud[t][order[0]], d.cloud[t][order[1]])
        assert np.array_equal(found.colour[t][order[0]], d.colour[t][order[1]])


def test_only_successful_episodes_of_the_tasks(tmp_path: Path) -> None:
    write_episode(tmp_path, 0, success=False)
    write_episode(tmp_path, 1)
    write_episode(tmp_path, 2, task="OpenBox")
    assert [d.task for d in load(tmp_path)] == ["CloseBox", "OpenBox"]
    assert [d.task for d in load(tmp_path, tasks=["OpenBox"])] == ["OpenBox"]
    assert load(tmp_path, tasks=["PushBox"]) == []


def test_domain_is_that_of_the_body_unless_it_is_named(tmp_path: Path) -> None:
    write_episode(tmp_path / "a")
    write_episode(tmp_path / "b", simulated=False)
    assert [d.domain for d in load(tmp_path / "a", tmp_path / "b")] == ["sim", "real"]
    assert [d.domain for d in load(Source(tmp_path / "a", 1.0, "lab"))] == ["lab"]


def test_source_without_weight_is_left_out(tmp_path: Path) -> None:
    write_episode(tmp_path / "a", 0)
    write_episode(tmp_path / "b", 1)
    found = load(Source(tmp_path / "a", 0.0), Source(tmp_path / "b", 2.0))
    assert [(d.instance, d.weight) for d in found] == [("procedural:box_rotate/1", 2.0)]


def test_demonstrations_know_their_data_set(tmp_path: Path) -> None:
    for parent, seed in (("a", 0), ("b", 1)):
        write_episode(tmp_path / parent / "data", seed)
    found = load(tmp_path / "a" / "data", tmp_path / "b" / "data")
    assert [d.source for d in found] == [0, 1]


def test_steps_are_a_period_apart_whatever_the_rate_of_the_recording(tmp_path: Path) -> None:
    """In the public policy the steps of training and of use were not equally long."""
    write_episode(tmp_path, seed=0, frames=13, hz=20.0)
    (name,) = [e.episode_id for e in EpisodeStore(tmp_path).episodes()]
    reader = EpisodeStore(tmp_path).open_episode(name)
    for period, every in ((0.05, 1), (0.1, 2), (0.2, 4)):
        seen = ObservationSettings(points=16, period=period)
        (d,) = load(tmp_path, seen=seen)
        stamps = reader.time[::every]
        assert np.allclose(np.diff(stamps), period)
        assert np.array_equal(d.tcp_pose, reader.tcp_pose[::every])
        assert np.array_equal(d.q_ref, reader.action_joint_position[::every])
        assert d.cloud is not None and len(d) == len(d.cloud) == len(stamps)
        lowest = reader.cloud(slice(None, None, every))[0].min(1)
        whole = load(tmp_path, seen=ObservationSettings(points=40, period=period))[0]
        assert whole.cloud is not None and np.array_equal(whole.cloud.min(1), lowest)


def motion(speeds: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Commands, fingers and joints of an arm that moves by so much in each step."""
    way = np.concatenate([[0.0], np.cumsum(speeds)])
    tcp = np.tile([0.3, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0], (len(way), 1))
    tcp[:, 0] += way
    return tcp, np.full(len(way), 0.04), np.tile(np.linspace(-1.0, 1.0, 9), (len(way), 1))


@pytest.mark.parametrize(
    ("speeds", "kept"),
    [
        ([0.01] * 4, [0, 1, 2, 3, 4]),
        ([0.01, 0, 0, 0, 0, 0.01], [0, 1, 2, 3, 6]),
        ([0, 0, 0, 0, 0.01, 0, 0, 0, 0], [0, 1, 2, 5, 6, 7, 8, 9]),
        ([0, 0, 0, 0], [0, 1, 2, 3, 4]),
    ],
    ids=["moving", "middle", "beginning and end", "never"],
)
def test_long_rests_are_left_out_before_the_last_motion(
    speeds: list[float], kept: list[int]
) -> None:
    assert moving(*motion(speeds), rest=2).tolist() == kept
    tcp, finger, q = motion([0.0] * len(speeds))
    for values in (finger, q[:, 3]):
        values += np.concatenate([[0.0], np.cumsum(speeds)])
        assert moving(tcp, finger, q, rest=2).tolist() == kept
        values -= np.concatenate([[0.0], np.cumsum(speeds)])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.0004, 0.0015, 0.01]), min_size=1, max_size=40),
    st.integers(1, 4),
)
def test_nothing_that_has_moved_is_left_out(speeds: list[float], rest: int) -> None:
    """However slowly: from one kept step to the next no more is left out than counts as rest."""
    tcp, finger, q = motion(speeds)
    kept = moving(tcp, finger, q, rest)
    assert kept[0] == 0 and kept[-1] == len(tcp) - 1
    for one, other in pairwise(kept):
        left = tcp[one:other, 0]
        assert np.ptp(left) < STILL


@pytest.mark.parametrize("period", [0.04, 0.07, 0.12])
def test_period_that_the_recording_does_not_have(tmp_path: Path, period: float) -> None:
    write_episode(tmp_path, hz=20.0)
    with pytest.raises(DataError, match=r"20 frames per second.*set it to a multiple of 0.05"):
        load(tmp_path, seen=ObservationSettings(period=period))


def test_no_data_set_and_another_schema(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path / "none")):
        load(tmp_path / "none")
    write_episode(tmp_path / "data")
    file = tmp_path / "data" / "dataset.json"
    plain = json.loads(file.read_text())
    version = next(key for key in plain if "version" in key)
    file.write_text(json.dumps(plain | {version: 99}))
    with pytest.raises(DataError, match="99"):
        load(tmp_path / "data")


def test_modality_that_was_not_recorded(tmp_path: Path) -> None:
    write_episode(tmp_path, points=0)
    with pytest.raises(DataError, match="has no point clouds; collect with obs:=pointcloud, or"):
        load(tmp_path)
    assert load(tmp_path, seen=ObservationSettings(cloud_steps=0))[0].cloud is None
    with pytest.raises(DataError, match="has no pictures of left_camera"):
        load(tmp_path, seen=ObservationSettings(cloud_steps=0, cameras=("left_camera",)))


def test_pictures_are_madesmaller(tmp_path: Path) -> None:
    write_episode(tmp_path, frames=3, image=(8, 12))
    seen = ObservationSettings(cloud_steps=0, cameras=("wrist_camera",), picture=(4, 6))
    (d,) = load(tmp_path, seen=seen)
    assert d.pictures is not None and d.pictures.shape == (3, 1, 4, 6, 3)
    (name,) = [e.episode_id for e in EpisodeStore(tmp_path).episodes()]
    whole = EpisodeStore(tmp_path).open_episode(name).images("wrist_camera")
    assert abs(int(d.pictures[1, 0, 0, 0, 0]) - whole[1, :2, :2, 0].mean()) <= 0.5
    assert np.array_equal(smaller(whole, (8, 12)), whole)


def test_damaged_data_is_named(tmp_path: Path) -> None:
    name = write_episode(tmp_path, frames=3)
    for file in (tmp_path / "episodes" / name / "data.zarr" / "cloud" / "xyz" / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(DataError, match="cloud/xyz"):
        load(tmp_path)


def test_points_that_are_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store refuses to write them, so that only another program could have."""
    from gensim2_episodes.reader import EpisodeReader

    write_episode(tmp_path / "data", frames=3)
    real = EpisodeReader.cloud

    def spoilt(reader: EpisodeReader, *frames: slice) -> tuple[np.ndarray, np.ndarray]:
        xyz, rgb = real(reader, *frames)
        xyz[1, 2] = np.nan
        return xyz, rgb

    monkeypatch.setattr(EpisodeReader, "cloud", spoilt)
    with pytest.raises(DataError, match="points that are not finite; look at it with"):
        load(tmp_path / "data", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_clouds_are_mapped_and_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_episode(tmp_path / "data")
    cache = tmp_path / "cache"
    first = load(tmp_path / "data", cache=cache)[0].cloud
    monkeypatch.setattr("gensim2_policy.demonstrations.sampled", lambda *_: pytest.fail("again"))
    second = load(tmp_path / "data", cache=cache)[0].cloud
    assert getattr(second, "_mmap", None) is not None
    assert np.array_equal(first, second)
    assert all(file.suffix == ".npy" and "partial" not in file.name for file in cache.iterdir())


@pytest.mark.parametrize("damage", ["empty", "cut", "short", "gone", "text", "other points"])
def test_damaged_cache_is_made_again(tmp_path: Path, damage: str) -> None:
    write_episode(tmp_path / "data")
    cache = tmp_path / "cache"
    good = np.array(load(tmp_path / "data", cache=cache)[0].cloud)
    file = next(cache.glob("*xyz.npy"))
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "short":
        np.save(file, good[:4])
    elif damage == "other points":
        np.save(file, good[:, :5])
    else:
        file.write_bytes({"empty": b"", "cut": data[:-50], "text": b"hello"}[damage])
    assert np.array_equal(load(tmp_path / "data", cache=cache)[0].cloud, good)
    assert np.array_equal(np.load(file), good)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 80), st.integers(1, 100), st.integers(0, 2**31))
def test_samples_are_spread_and_ordered(count: int, points: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = rng.normal(size=(2, count, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (2, count, 3), dtype=np.uint8)
    found, colours = sampled(xyz, rgb, points)
    assert found.shape == colours.shape == (2, points, 3)
    for t in range(2):
        row = {tuple(p): tuple(c) for p, c in zip(xyz[t], rgb[t], strict=True)}
        assert [row[tuple(p)] for p in found[t]] == [tuple(c) for c in colours[t]]
        least = min(count, points)
        assert np.array_equal(found[t], found[t][np.arange(points) % least])
        for k in range(1, least):
            nearest = np.linalg.norm(xyz[t][:, None] - found[t][:k], axis=-1).min(1)
            mine = np.linalg.norm(found[t][k] - found[t][:k], axis=-1).min()
            assert mine >= nearest.max() - 1e-4


# Splits

tables = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 6), st.integers(1, 3)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[:2],
)


def episodes(table: list[tuple[str, int, int]]) -> list[Demonstration]:
    """Episodes of tasks with objects, each object in some of them."""
    one = demonstration(0, 1)
    return [
        dataclasses.replace(
            one, task=task, instance=f"box/{instance}", name=f"d/{task}{instance}{k}"
        )
        for task, instance, count in table
        for k in range(count)
    ]


@settings(max_examples=150, deadline=None)
@given(tables, st.floats(0.05, 0.9), st.integers(0, 20), st.randoms())
def test_split_keeps_objects_apart(table: list, share: float, seed: int, random: Random) -> None:
    every = episodes(table)
    training, validation = split(every, share, seed)
    assert sorted(d.name for d in training + validation) == sorted(d.name for d in every)
    # A task with one object only is split by episode; its object is of the training.
    count = {task: len({i for t, i, _ in table if t == task}) for task in "ABC"}
    held = {d.instance for d in validation if count[d.task] > 1}
    assert not held & {d.instance for d in training}
    assert {d.task for d in training} == {d.task for d in every}
    # Names decide, and not their order.
    random.shuffle(every)
    again, _ = split(every, share, seed)
    assert {d.name for d in again} == {d.name for d in training}


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_split_gives_about_the_share_of_every_task(share: float) -> None:
    every = episodes([("A", i, 2) for i in range(20)] + [("B", 100 + i, 1) for i in range(8)])
    _, validation = split(every, share, 0)
    assert len({d.instance for d in validation if d.task == "A"}) == round(20 * share)
    assert len({d.instance for d in validation if d.task == "B"}) == max(1, round(8 * share))


def test_split_depends_on_the_seed_and_may_hold_nothing() -> None:
    every = episodes([("A", i, 1) for i in range(20)])
    held = [{d.name for d in split(every, 0.2, seed)[1]} for seed in range(5)]
    assert len({frozenset(names) for names in held}) > 1
    assert split(every, 0.0, 0) == (every, [])
    assert split(every[:1], 0.5, 0) == (every[:1], [])
