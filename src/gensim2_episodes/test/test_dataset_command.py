"""The command `dataset`: finds every kind of damage, and draws what is there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from episode_samples import write_sample
from gensim2_episodes.dataset_cli import main
from gensim2_episodes.manifest import Outcome
from gensim2_episodes.store import EpisodeStore
from gensim2_episodes.viewpoint import Viewpoint
from matplotlib.image import imread


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["dataset", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pattern") / "data"
    store = EpisodeStore(folder, create=True)
    write_sample(store, "OpenBox", seed=1, frames=5)
    write_sample(store, "OpenBox", seed=2, frames=3, outcome=Outcome.NOT_ACHIEVED)
    write_sample(store, "CloseLaptop", seed=1, frames=2, points=0)
    return folder


@pytest.fixture
def dataset(pattern: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pattern, tmp_path / "data")


def episode(dataset: Path, index: int = 0) -> Path:
    return EpisodeStore(dataset).episodes()[index].path


def test_info(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(episode(dataset), dataset / "episodes" / ".partial-OpenBox-1")
    assert run(monkeypatch, "info", dataset) == 0
    text = capsys.readouterr().out
    assert "gensim2_episodes v1" in text and "not_achieved 1" in text
    assert "cloud (8 points)" in text and "Apache-2.0" in text and "numpy 2" in text
    assert "partial" in text and ".partial-OpenBox-1" in text
    row = next(line for line in text.splitlines() if "OpenBox" in line)
    assert [cell.strip() for cell in row.split("│")[1:5]] == ["OpenBox", "2", "1", "8"]


def test_check_of_a_sound_data_set(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(episode(dataset), dataset / "episodes" / ".partial-OpenBox-1")
    assert run(monkeypatch, "check", dataset) == 0
    text = capsys.readouterr().out
    assert "3 of 3 episodes are sound, 1 partial (skipped)" in text


def edit_manifest(path: Path, change: Callable[[dict], object]) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


def flip_a_bit(path: Path) -> None:
    chunk = path / "data.zarr" / "observation" / "joint_position" / "c" / "0" / "0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)


def rewrite(path: Path, array: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    import zarr

    target = zarr.open_group(path / "data.zarr", mode="r+")[array]
    target[:] = change(target[:])


def gap(stamps: np.ndarray) -> np.ndarray:
    stamps[2:] += 100_000_000
    return stamps


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "bit": (flip_a_bit, "cannot be read"),
    "chunk": (
        lambda p: (p / "data.zarr/cloud/xyz/c/0/0/0").unlink(),
        "cloud/xyz: 1 of 1 chunks are missing",
    ),
    "truncated": (
        lambda p: (p / "data.zarr/observation/gripper/c/0").write_bytes(b"\0\1"),
        "cannot be read",
    ),
    "array": (lambda p: shutil.rmtree(p / "data.zarr/action"), "is missing on disk"),
    "all": (lambda p: shutil.rmtree(p / "data.zarr"), "cannot be opened"),
    "manifest": (lambda p: (p / "manifest.json").write_text("{}"), "not valid"),
    "no manifest": (lambda p: (p / "manifest.json").unlink(), "cannot be read"),
    "frames": (
        lambda p: edit_manifest(p, lambda m: m.update(frames=4)),
        "expected float64 (4,)",
    ),
    "unlisted": (
        lambda p: edit_manifest(p, lambda m: m["arrays"].pop("observation/tcp_pose")),
        "lists no observation/tcp_pose",
    ),
    "reason": (
        lambda p: edit_manifest(p, lambda m: m.update(reason="but")),
        "outcome success with the reason",
    ),
    "rate": (
        lambda p: edit_manifest(p, lambda m: m["rates"].update(observation=7.0)),
        "off a multiple of the period",
    ),
    "not finite": (
        lambda p: rewrite(p, "action/joint_position", lambda a: np.full_like(a, np.nan)),
        "not finite",
    ),
    "quaternion": (lambda p: rewrite(p, "action/tcp_pose", lambda a: 2 * a), "length 1"),
    "gap": (lambda p: rewrite(p, "stamp_ns", gap), "time does not agree"),
    "order": (lambda p: rewrite(p, "stamp_ns", lambda a: a[::-1]), "do not increase"),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_check_finds_damage(
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    text: str,
) -> None:
    victim = episode(dataset, 1)
    damage(victim)
    assert run(monkeypatch, "check", dataset) == 1
    output = capsys.readouterr().out
    assert text in output and victim.name in output
    assert "2 of 3 episodes are sound" in output


def test_check_counts_missing_frames(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = episode(dataset, 1)
    rewrite(victim, "stamp_ns", gap)
    rewrite(victim, "time", lambda t: np.where(np.arange(len(t)) >= 2, t + 0.1, t))
    assert run(monkeypatch, "check", dataset) == 1
    assert "1 frames are missing at 10 Hz, 0 according to the manifest" in capsys.readouterr().out
    edit_manifest(victim, lambda m: m["recording"].update(dropped=1))
    assert run(monkeypatch, "check", dataset) == 0


def test_errors_are_one_line_without_traceback(tmp_path: Path) -> None:
    for arguments in (["info", tmp_path], ["check", tmp_path / "no"], ["show", tmp_path]):
        command = [sys.executable, "-m", "gensim2_episodes.dataset_cli", *map(str, arguments)]
        end = subprocess.run(command, capture_output=True, text=True, check=False)
        assert end.returncode == 1 and end.stdout == ""
        assert end.stderr.startswith("error: ") and end.stderr.count("\n") == 1
        assert "is not a data set" in end.stderr


def test_show_draws_the_first_success_of_each_task(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dataset.parent / "pictures"
    assert run(monkeypatch, "show", dataset, "--out", out) == 0
    pictures = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(pictures) == 4 == len(list(out.iterdir()))
    assert {p.name.split("-")[0] for p in pictures} == {"OpenBox", "CloseLaptop"}
    for picture in pictures:
        pixels = imread(picture)
        assert min(pixels.shape[:2]) > 500 and pixels[..., :3].std() > 0.02


def test_show_one_episode_with_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = EpisodeStore(tmp_path / "data", create=True)
    plain = write_sample(store, frames=1)
    name = write_sample(store, "CloseBox", frames=20, image=(6, 8))
    assert run(monkeypatch, "show", tmp_path / "data", "CloseB", "--out", tmp_path / "b") == 0
    assert run(monkeypatch, "show", tmp_path / "data", plain, "--out", tmp_path / "a") == 0
    tall, small = (
        imread(next((tmp_path / folder).glob(f"{which}*_sheet.png")))
        for folder, which in (("b", name), ("a", plain))
    )
    assert tall.shape[0] > small.shape[0] and tall.shape[1] > small.shape[1]
    capsys.readouterr()
    for wrong, text in (("Nothing", "is unknown"), ("", None), ("C", None)):
        assert run(monkeypatch, "show", tmp_path / "data", wrong, "--out", tmp_path) == bool(text)
        assert text is None or text in capsys.readouterr().err


def test_projection() -> None:
    view = Viewpoint("x", eye=(2.0, 0.0, 0.5), target=(0.0, 0.0, 0.5), field=1.0)
    where, scale = view.project([[0, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1.0], [1, 0.25, 0.5]])
    # From +x, base y points to the right; nearer things are larger.
    assert np.allclose(where, [[0, 0], [1, 0], [0, 1], [1, 0]]) and np.allclose(scale, [2, 2, 2, 4])
    assert np.isnan(view.project([3.0, 0.0, 0.5])[0]).all()
    assert np.allclose(view.depth([[0, 1, 2], [1.5, 1, 2]]), [2.0, 0.5])
    points = np.array([[0.1, -0.4, 0.0], [0.9, 0.4, 0.7], [0.5, 0.0, 0.2]])
    for given in (points, points[:1]):
        fitted = view.fitted(given)
        where, _ = fitted.project(given)
        assert np.abs(where).max() < 0.9 and fitted.field >= view.field
        assert np.allclose(np.subtract(fitted.eye, fitted.target), (2.0, 0.0, 0.0))
