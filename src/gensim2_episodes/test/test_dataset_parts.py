"""`dataset merge`, `split` and `filter`: every episode is where it should be, or nothing is."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from episode_samples import write_sample
from exchange_samples import different, everything, refused, run
from gensim2_episodes.copying import copy_episodes
from gensim2_episodes.errors import DatasetWriteError
from gensim2_episodes.manifest import ObjectRecord, Outcome, SceneRecord
from gensim2_episodes.selection import SplitBy, split_episodes
from gensim2_episodes.staging import staged
from gensim2_episodes.store import EpisodeStore


def scene(asset: str) -> SceneRecord:
    pose = (0.6, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0)
    thing = ObjectRecord(name="box", category="box_rotate", asset=asset, pose=pose)
    return SceneRecord(objects=(thing,))


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 episodes of 4 boxes, 2 failed; 3 of one drawer."""
    folder = tmp_path_factory.mktemp("pattern") / "data"
    store = EpisodeStore(folder, create=True)
    for seed in range(12):
        outcome = Outcome.TIMEOUT if seed in (4, 7) else Outcome.SUCCESS
        box = scene(f"procedural:box_rotate/{seed % 4}")
        write_sample(store, "OpenBox", seed, frames=1 + seed % 3, outcome=outcome, scene=box)
    for seed in range(3):
        drawer = scene("partnet:drawer/19179")
        points = 0 if seed else 8
        write_sample(store, "OpenDrawer", seed, scene=drawer, controller="policy", points=points)
    return folder


@pytest.fixture
def dataset(pattern: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pattern, tmp_path / "data")


def names(folder: Path) -> list[str]:
    return [episode.episode_id for episode in EpisodeStore(folder).episodes()]


def seeds(folder: Path, task: str = "OpenBox") -> list[int]:
    found = EpisodeStore(folder).episodes()
    return [e.manifest.seed for e in found if e.manifest.task == task]


def test_split_and_merge_give_the_same_again(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(dataset)
    a, b, m = (tmp_path / "new" / name for name in "abm")
    assert run(monkeypatch, "split", dataset, a, b, "--share", 0.25, "--seed", 3) == 0
    assert len(names(a)) == 11 and len(names(b)) == 4 and not {*names(a)} & {*names(b)}
    assert run(monkeypatch, "merge", m, b, a, b) == 0
    assert different(EpisodeStore(dataset), EpisodeStore(m)) == {}
    assert everything(dataset) == before
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["a", "b", "m"]


def test_files_are_shared_by_hard_links(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "merge", tmp_path / "m", dataset) == 0
    chunk = f"episodes/{names(dataset)[0]}/data.zarr/observation/gripper/c/0"
    assert (tmp_path / "m" / chunk).samefile(dataset / chunk)
    shutil.rmtree(dataset)
    assert run(monkeypatch, "check", tmp_path / "m") == 0


def test_files_are_copied_where_there_are_no_hard_links(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    episodes = EpisodeStore(dataset).episodes()
    EpisodeStore(tmp_path / "m", create=True)
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    copy_episodes(episodes, tmp_path / "m")
    assert different(EpisodeStore(dataset), EpisodeStore(tmp_path / "m")) == {}
    chunk = f"episodes/{names(dataset)[0]}/data.zarr/observation/gripper/c/0"
    assert not (tmp_path / "m" / chunk).samefile(dataset / chunk)


def test_split_by_instance_tears_no_object_apart(pattern: Path) -> None:
    episodes = EpisodeStore(pattern).episodes()
    held = set()
    for seed in range(8):
        a, b = split_episodes(episodes, 0.3, seed, SplitBy.INSTANCE)
        assert [*a, *b] != [] and sorted(e.episode_id for e in [*a, *b]) == sorted(
            e.episode_id for e in episodes
        )
        objects = [{e.manifest.scene.objects[0].asset for e in part} for part in (a, b)]
        # One box of four, with its three episodes; the only drawer stays in the first part.
        assert not objects[0] & objects[1] and len(b) == 3
        held |= objects[1]
    assert len(held) > 1


def test_split_depends_on_names_and_seed_only(pattern: Path) -> None:
    episodes = EpisodeStore(pattern).episodes()
    parts = [split_episodes(episodes, 0.4, seed, SplitBy.EPISODE)[1] for seed in range(5)]
    for seed, part in enumerate(parts):
        again = split_episodes(episodes[::-1], 0.4, seed, SplitBy.EPISODE)[1]
        assert again[::-1] == part and len(part) == 5 + 1
        boxes = [e for e in episodes if e.manifest.task == "OpenBox"]
        alone = split_episodes(boxes, 0.4, seed, SplitBy.EPISODE)[1]
        assert alone == [e for e in part if e.manifest.task == "OpenBox"]
    assert len({tuple(e.episode_id for e in part) for part in parts}) > 1


@pytest.mark.parametrize(
    ("options", "boxes", "drawers"),
    [
        (["--task", "OpenBox"], range(12), []),
        (["--task", "*Drawer", "--task", "Nothing"], [], range(3)),
        (["--failure"], [4, 7], []),
        (["--outcome", "timeout", "--outcome", "canceled"], [4, 7], []),
        (["--success", "--asset", "*box_rotate/[03]"], [0, 3, 8, 11], []),
        (["--controller", "pol*"], [], range(3)),
        (["--array", "cloud/xyz"], range(12), [0]),
        (["--array", "cloud/xyz", "--array", "image/*", "--array", "cloud/rgb"], None, None),
        (["--min-frames", "3"], [2, 5, 8, 11], range(3)),
        (["--before", "2020-01-01"], None, None),
        (["--after", "2020-01-01T12:00:00"], range(12), range(3)),
    ],
)
def test_filter(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    boxes: range | list[int] | None,
    drawers: range | list[int] | None,
) -> None:
    out = tmp_path / "out"
    if boxes is None or drawers is None:
        assert "no episode of" in refused(monkeypatch, capsys, "filter", dataset, out, *options)
        assert not out.exists()
        return
    assert run(monkeypatch, "filter", dataset, out, *options) == 0
    assert seeds(out) == [*boxes] and seeds(out, "OpenDrawer") == [*drawers]


def test_filter_by_time_takes_from_after_to_before(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = [datetime.fromisoformat(e.manifest.created) for e in EpisodeStore(dataset).episodes()]
    middle = sorted(created)[6].astimezone(timezone.utc).replace(tzinfo=None)
    # typer reads whole seconds.
    moment = middle.replace(microsecond=0) + timedelta(seconds=1)
    text = moment.isoformat()
    before = sum(c.replace(tzinfo=None) < moment for c in created)
    code = run(monkeypatch, "filter", dataset, tmp_path / "b", "--before", text)
    assert code == 0 and len(names(tmp_path / "b")) == before
    code = run(monkeypatch, "filter", dataset, tmp_path / "a", "--after", text)
    assert code == (0 if before < len(created) else 2)
    if code == 0:
        assert len(names(tmp_path / "a")) == len(created) - before


def test_damaged_and_incomplete_episodes_are_passed_over_and_named(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second, *rest = names(dataset)
    (dataset / "episodes" / first / "manifest.json").write_text("{}")
    (dataset / "episodes" / second).rename(dataset / "episodes" / f".partial-{second}")
    assert run(monkeypatch, "merge", tmp_path / "m", dataset) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("passed over: ") for line in lines)
    assert second in lines[0] and first in lines[1]
    assert names(tmp_path / "m") == rest


def test_different_episodes_of_one_name_are_refused(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = shutil.copytree(dataset, tmp_path / "other")
    manifest = other / "episodes" / names(other)[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 0', '"seed": 77'))
    line = refused(monkeypatch, capsys, "merge", tmp_path / "m", dataset, other)
    assert "different episodes of the same name" in line and not (tmp_path / "m").exists()


def test_what_cannot_be_split(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for share in (0, 1, -0.5, "nan"):
        line = refused(monkeypatch, capsys, "split", dataset, a, b, "--share", share)
        assert "between 0 and 1" in line
    assert run(monkeypatch, "filter", dataset, tmp_path / "d", "--task", "OpenDrawer") == 0
    capsys.readouterr()
    line = refused(monkeypatch, capsys, "split", tmp_path / "d", a, b, "--by", "instance")
    assert "only one instance" in line
    assert "named twice" in refused(monkeypatch, capsys, "split", dataset, a, a)
    assert not a.exists() and not b.exists()


def test_a_target_that_exists_is_not_touched(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    (tmp_path / "file").write_text("also precious")
    (tmp_path / "empty").mkdir()
    before = everything(tmp_path)
    for target, text in (("full", "it holds 'thesis.txt'"), ("file", "is no folder")):
        for command in (
            ["merge", tmp_path / target, dataset],
            ["filter", dataset, tmp_path / target],
            ["split", dataset, tmp_path / "new", tmp_path / target],
            ["export", "--format", "lerobot", dataset, tmp_path / target],
            ["import", "--format", "mcap", dataset, tmp_path / target],
        ):
            assert text in refused(monkeypatch, capsys, *command)
    assert everything(tmp_path) == before and not (tmp_path / "new").exists()
    assert run(monkeypatch, "merge", tmp_path / "empty", dataset) == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_nothing_is_left_of_what_did_not_finish(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "there").mkdir()
    targets = (tmp_path / "there" / "a", tmp_path / "deep" / "er" / "b")
    with pytest.raises(error), staged(*targets) as (first, second):
        (first / "file").write_text("half")
        (second / "folder").mkdir()
        raise error
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_the_first_of_two_goes_when_the_second_cannot_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename: Callable[[Path, Path], Path] = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if target.name == "b":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with (
        pytest.raises(DatasetWriteError, match="No space left"),
        staged(tmp_path / "a", tmp_path / "b") as (first, _),
    ):
        (first / "file").write_text("whole")
    assert list(tmp_path.iterdir()) == []
