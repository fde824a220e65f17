"""What the tests of `dataset merge|split|filter|export|import` share."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from episode_samples import write_sample
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.dataset_cli import main
from gensim2_episodes.store import EpisodeStore

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
IMAGE = (12, 16)


def kinematics() -> Fr3Kinematics:
    return Fr3Kinematics.from_urdf(URDF.read_text())


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of `dataset` with some arguments."""
    monkeypatch.setattr(sys, "argv", ["dataset", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> str:
    """The one line with which `dataset` refuses some arguments."""
    capsys.readouterr()
    assert run(monkeypatch, *arguments) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1, (out, error)
    return error


def write_many(folder: Path) -> EpisodeStore:
    """Two tasks, one with two objects and more keypoints; images, depth and clouds."""
    store = EpisodeStore(folder, create=True)
    for seed, frames in ((1, 70), (2, 3)):
        write_sample(store, "OpenBox", seed, frames=frames, image=IMAGE, depth=True)
    write_sample(store, "CloseBox", 3, frames=5, image=IMAGE, depth=True, objects=2)
    return store


def different(one: EpisodeStore, other: EpisodeStore) -> dict[str, list[str]]:
    """The arrays, and "manifest", that differ between equally named episodes."""
    names = [episode.episode_id for episode in one.episodes()]
    assert names == [episode.episode_id for episode in other.episodes()]
    found: dict[str, list[str]] = {}
    for name in names:
        a, b = one.open_episode(name), other.open_episode(name)
        wrong = [] if a.manifest == b.manifest else ["manifest"]
        paths = a.manifest.arrays.keys() | b.manifest.arrays.keys()
        wrong += [
            path
            for path in sorted(paths)
            if path not in a or path not in b or not np.array_equal(a.read(path), b.read(path))
        ]
        if wrong:
            found[name] = wrong
    return found


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file below a folder: whether somebody touched it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(f): (f.stat().st_size, f.stat().st_mtime_ns) for f in files}
