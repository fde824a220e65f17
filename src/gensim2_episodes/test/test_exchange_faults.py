"""Damage, other versions and full disks: one line, exit code 2, nothing half written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from episode_samples import write_sample
from exchange_samples import IMAGE, refused, run
from gensim2_episodes.store import EpisodeStore

FORMATS = ("lerobot", "mcap")


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, and what it is in other formats."""
    folder = tmp_path_factory.mktemp("pattern")
    store = EpisodeStore(folder / "store", create=True)
    for seed in range(2):
        write_sample(store, seed=seed, frames=4, image=IMAGE, depth=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in FORMATS:
            where = (folder / "store", folder / name)
            assert run(monkeypatch, "export", "--format", name, *where) == 0
    return folder


@pytest.fixture
def data(pattern: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pattern, tmp_path / "data")


def truncate(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def edit_manifests(folder: Path, change: Callable[[list[dict]], object]) -> None:
    path = folder / "meta/gensim2/episodes.jsonl"
    manifests = [json.loads(line) for line in path.read_text().splitlines()]
    change(manifests)
    path.write_text("".join(json.dumps(manifest) + "\n" for manifest in manifests))


ROWS = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
VIDEO = "videos/*/chunk-000/file-000.mp4"
DAMAGES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "rows gone": ("lerobot", lambda f: (f / ROWS).unlink(), "missing or damaged"),
    "rows cut": ("lerobot", lambda f: truncate(f / ROWS), "missing or damaged"),
    "rows empty": ("lerobot", lambda f: truncate(f / ROWS, 0), "missing or damaged"),
    "episodes gone": ("lerobot", lambda f: (f / EPISODES).unlink(), "has no meta/episodes"),
    "episodes cut": ("lerobot", lambda f: truncate(f / EPISODES), "missing or damaged"),
    "tasks gone": ("lerobot", lambda f: (f / "meta/tasks.parquet").unlink(), "missing or"),
    "info cut": ("lerobot", lambda f: truncate(f / "meta/info.json"), "info.json is damaged"),
    "video gone": ("lerobot", lambda f: first(f, VIDEO).unlink(), "mp4 is missing"),
    "video cut": ("lerobot", lambda f: truncate(first(f, VIDEO)), "mp4 is damaged"),
    "manifests cut": (
        "lerobot",
        lambda f: truncate(f / "meta/gensim2/episodes.jsonl", 0.7),
        "episodes.jsonl is damaged, or was written by another version",
    ),
    "other schema": (
        "lerobot",
        lambda f: edit_manifests(f, lambda m: m[1].update(schema_version=2)),
        "written by another version",
    ),
    "episode lost": ("lerobot", lambda f: edit_manifests(f, lambda m: m.pop()), "not as in its"),
    "frames": (
        "lerobot",
        lambda f: edit_manifests(f, lambda m: m[0].update(frames=5)),
        "episode 0 is not as in its manifest",
    ),
    "array": (
        "lerobot",
        lambda f: edit_manifests(f, lambda m: m[0]["arrays"].update(new=m[0]["arrays"]["time"])),
        "no column gensim2.new",
    ),
    "name": (
        "lerobot",
        lambda f: edit_manifests(f, lambda m: m[0].update(episode_id="../../out")),
        "no name of an episode",
    ),
    "bag cut": ("mcap", lambda f: truncate(first(f, "*.mcap")), "cannot be read, or is damaged"),
    "bag empty": ("mcap", lambda f: truncate(first(f, "*.mcap"), 0), "cannot be read, or is"),
    "bag flipped": ("mcap", lambda f: flip(first(f, "*.mcap")), "damaged"),
    "no bag": ("mcap", lambda f: first(f, "*.mcap").write_text("hello"), "cannot be read, or"),
}


@pytest.mark.parametrize(("of", "damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_damage(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    of: str,
    damage: Callable[[Path], object],
    text: str,
) -> None:
    damage(data / of)
    line = refused(monkeypatch, capsys, "import", "--format", of, data / of, tmp_path / "out")
    assert (text in line and str(data) in line) or "no name of an episode" in line
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_damaged_episode_cannot_be_exported(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    truncate(first(data / "store", "episodes/*/data.zarr/observation/tcp_pose/c/0/0"))
    for to in FORMATS:
        line = refused(
            monkeypatch, capsys, "export", "--format", to, data / "store", tmp_path / "o"
        )
        assert "observation/tcp_pose cannot be read" in line
        assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_other_schema_and_no_data_set(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = data / "store" / "dataset.json"
    other = json.loads(record.read_text()) | {"schema_version": 9}
    out = tmp_path / "out"
    for content, text in ((json.dumps(other), "version 9"), ("{", "damaged")):
        record.write_text(content)
        for command in (
            ["merge", out, data / "store"],
            ["split", data / "store", out, tmp_path / "b"],
            ["filter", data / "store", out],
            ["export", "--format", "lerobot", data / "store", out],
        ):
            assert text in refused(monkeypatch, capsys, *command)
    record.unlink()
    assert "is not a data set" in refused(monkeypatch, capsys, "merge", out, data / "store")
    EpisodeStore(tmp_path / "empty", create=True)
    line = refused(monkeypatch, capsys, "filter", tmp_path / "empty", out)
    assert "holds no complete episode" in line and not out.exists()


@pytest.fixture
def small_device(tmp_path: Path) -> Iterator[Path]:
    """A device of 200 kB."""
    folder = tmp_path / "device"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to be root and allowed to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "command",
    [
        ["merge", "OUT", "BIG"],
        ["export", "--format", "lerobot", "BIG", "OUT"],
        ["export", "--format", "lerobot", "--colour", "png", "BIG", "OUT"],
        ["export", "--format", "mcap", "BIG", "OUT"],
        ["import", "--format", "lerobot", "LEROBOT", "OUT"],
        ["import", "--format", "mcap", "MCAP", "OUT"],
    ],
    ids=" ".join,
)
def test_a_full_device(small_device: Path, tmp_path: Path, command: list[str]) -> None:
    """In a process of its own, whose standard error is all that anybody prints there."""
    store = EpisodeStore(tmp_path / "big", create=True)
    write_sample(store, frames=150, image=(32, 48), points=500)
    places = {
        "OUT": small_device / "out",
        "BIG": tmp_path / "big",
        "LEROBOT": tmp_path / "lerobot",
        "MCAP": tmp_path / "mcap",
    }
    with pytest.MonkeyPatch.context() as monkeypatch:
        if command[0] == "import":
            of = command[2]
            assert (
                run(monkeypatch, "export", "--format", of, places["BIG"], places[of.upper()]) == 0
            )
    words = [str(places.get(word, word)) for word in command]
    end = subprocess.run(
        [sys.executable, "-m", "gensim2_episodes.dataset_cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert end.returncode == 2 and end.stdout == "", end.stderr
    assert end.stderr.startswith("error: ") and end.stderr.count("\n") == 1, end.stderr
    assert "No space left" in end.stderr or "disk full" in end.stderr
    assert list(small_device.iterdir()) == []
