"""Data sets of the public GenSim2: zarr v2 folders as its collector writes them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from exchange_samples import everything, kinematics, refused, run
from gensim2_episodes.errors import SchemaError, StoreError
from gensim2_episodes.gensim2_import import import_gensim2
from gensim2_episodes.inverse_kinematics import joints_at
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeStore
from scipy.spatial.transform import Rotation

HOME = np.array([0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854])
ENDS = (9, 13)
POINTS = 20
LZ4 = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 0, "blocksize": 0}


def joints() -> np.ndarray:
    """(14, 7): one more than there are frames; each action leads to the next."""
    steps = np.random.default_rng(3).normal(scale=0.05, size=(ENDS[-1] + 1, 7))
    return np.asarray(HOME + np.cumsum(steps, axis=0))


def arrays() -> dict[str, np.ndarray]:
    """A data set of two episodes: hand in the world, quaternion wxyz, action in base."""
    rng = np.random.default_rng(4)
    frames = ENDS[-1]
    T_base_hand = kinematics().fk(joints(), "fr3_hand")
    turn = Rotation.from_matrix(T_base_hand[:, :3, :3])
    state = np.zeros((frames, 15), np.float32)
    state[:, :3] = T_base_hand[:-1, :3, 3] + [-0.615, 0, 0]
    state[:, 3:7] = turn.as_quat()[:-1, [3, 0, 1, 2]]
    state[:, 7:14] = joints()[:-1]
    state[:, 14] = 0.03
    action = np.zeros((frames, 7))
    action[:, :3] = T_base_hand[1:, :3, 3]
    action[:, 3:6] = turn.as_euler("xyz")[1:]
    action[:, 6] = np.arange(frames) % 2
    return {
        "data/obs/state": state,
        "data/action": action,
        "data/obs/pointcloud/pos": rng.normal(size=(frames, POINTS, 3)).astype(np.float32),
        "data/obs/pointcloud/colors": rng.integers(0, 256, (frames, POINTS, 3), np.uint8),
        "data/obs/image/wrist": rng.integers(0, 256, (frames, 6, 8, 4), np.uint8),
        "meta/episode_ends": np.array(ENDS),
        "meta/episode_descriptions": np.array(["Open the box.", "x" * 100], dtype="U100"),
        "meta/env_names": np.array(["OpenBox", "CloseBox"], dtype="U50"),
    }


def write(folder: Path, parts: dict[str, np.ndarray]) -> Path:
    root = zarr.open_group(folder, mode="w", zarr_format=2)
    for name, values in parts.items():
        data = name.startswith("data/")
        root.create_array(
            name,
            data=values,
            chunks=(5, *values.shape[1:]),
            compressors=LZ4 if data else None,
        )
    return folder


def imported(tmp_path: Path, parts: dict[str, np.ndarray]) -> list[EpisodeReader]:
    """The episodes in the order in which they lie there."""
    source = write(tmp_path / "source", parts)
    before = everything(source)
    assert import_gensim2(source, tmp_path / "data", kinematics()) == 2
    assert everything(source) == before
    store = EpisodeStore(tmp_path / "data")
    episodes = sorted(store.episodes(), key=lambda e: e.manifest.seed)
    return [store.open_episode(e.episode_id) for e in episodes]


def test_robot_clouds_and_images(tmp_path: Path) -> None:
    parts = arrays()
    for episode, part in zip(imported(tmp_path, parts), (slice(0, 9), slice(9, 13)), strict=True):
        q = joints()[:-1][part]
        assert np.allclose(episode.joint_position[:, :7], q, atol=1e-6)
        assert np.allclose(episode.joint_position[:, 7:], 0.03)
        tcp = kinematics().fk(q)
        assert np.allclose(episode.tcp_pose[:, :3], tcp[:, :3, 3], atol=1e-5)
        # The command of a frame is where the next one is.
        q_ref = joints()[1:][part]
        # Of the last one only the pose is known, which many joint positions have.
        assert np.allclose(episode.action_joint_position[:-1], q_ref[:-1], atol=1e-4)
        T_base_ref = kinematics().fk(q_ref)
        assert np.allclose(episode.action_tcp_pose[:, :3], T_base_ref[:, :3, 3], atol=1e-6)
        turned = Rotation.from_quat(episode.action_tcp_pose[:, 3:]).as_matrix()
        assert np.allclose(turned, T_base_ref[:, :3, :3], atol=1e-6)
        switch = parts["data/action"][part, 6]
        assert np.array_equal(episode.action_gripper, 0.04 * switch)
        assert np.allclose(episode.time, 0.8 * np.arange(len(q)))
        xyz, rgb = episode.cloud()
        assert np.array_equal(xyz, parts["data/obs/pointcloud/pos"][part])
        assert np.array_equal(rgb, parts["data/obs/pointcloud/colors"][part])
        pictures = parts["data/obs/image/wrist"][part, ..., :3]
        assert np.array_equal(episode.images("wrist_camera"), pictures)


def test_manifest_says_what_is_missing(tmp_path: Path) -> None:
    first, second = (episode.manifest for episode in imported(tmp_path, arrays()))
    assert (first.task, first.instruction) == ("OpenBox", "Open the box.")
    assert (second.task, first.rates.observation) == ("CloseBox", 1.25)
    assert first.scene.parameters == {
        "source": {"format": "gensim2", "folder": "source", "episode": 0}
    }
    for text in (
        "imported from the GenSim2 data set source",
        "stamps are nominal",
        "seed, objects, camera parameters and predicates are unknown",
        "success is assumed",
    ):
        assert text in first.note and text in second.note
    assert "cut at 100 letters" in second.note and "cut at" not in first.note
    assert "hand poses" not in first.note and "reach" not in first.note


def test_without_clouds_and_images(tmp_path: Path) -> None:
    parts = {name: a for name, a in arrays().items() if name.split("/")[1:2] != ["obs"]}
    parts["data/obs/state"] = arrays()["data/obs/state"]
    first, _ = imported(tmp_path, parts)
    assert not first.has_cloud and first.cameras == ()
    assert "no clouds; no images" in first.manifest.note


def moved(parts: dict[str, np.ndarray]) -> None:
    parts["data/obs/state"][:, 0] += 0.1


def in_base(parts: dict[str, np.ndarray]) -> None:
    parts["data/obs/state"][:, 0] += 0.615


def far(parts: dict[str, np.ndarray]) -> None:
    parts["data/action"][3, :3] = [3.0, 0.0, 0.0]


def metres(parts: dict[str, np.ndarray]) -> None:
    parts["data/action"][:, 6] *= 0.035


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (moved, "recorded hand poses are up to 0.100 m off those of the joints"),
        (in_base, "recorded hand poses were in base, not in the world"),
        (far, "1 of 9 commanded poses are out of reach"),
        (metres, "the commanded gripper was taken as a finger position"),
    ],
)
def test_other_conventions_are_noted(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray]], None], text: str
) -> None:
    parts = arrays()
    change(parts)
    first, _ = imported(tmp_path, parts)
    assert text in first.manifest.note
    if change is metres:
        assert np.allclose(first.action_gripper, parts["data/action"][:9, 6])
    assert first.manifest.rates.physics == (None if change is in_base else 100.0)


def test_joints_for_a_pose() -> None:
    robot = kinematics()
    rng = np.random.default_rng(5)
    for _ in range(20):
        q = HOME + rng.uniform(-0.4, 0.4, 7)
        wanted = robot.fk(q, "fr3_hand")
        found, error = joints_at(robot, wanted, q + rng.uniform(-0.2, 0.2, 7), "fr3_hand")
        assert error < 1e-8 and np.allclose(robot.fk(found, "fr3_hand"), wanted, atol=1e-7)
    wanted[:3, 3] = [0.0, 0.0, 5.0]
    assert 1.0 < joints_at(robot, wanted, HOME, "fr3_hand")[1] < 6.0


def drop(name: str) -> Callable[[Path], object]:
    return lambda folder: shutil.rmtree(folder / name)


def replace(name: str, values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        write(folder, arrays() | {name: np.asarray(values)})

    return change


def halve(folder: Path) -> None:
    chunk = folder / "data/action/0.0"
    chunk.write_bytes(chunk.read_bytes()[: chunk.stat().st_size // 2])


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no state": (drop("data/obs/state"), "has no data/obs/state"),
    "no ends": (drop("meta/episode_ends"), "has no meta/episode_ends"),
    "no group": (lambda f: (f / ".zgroup").unlink(), "cannot be opened as zarr v2"),
    "chunk": (lambda f: (f / "data/action/1.0").unlink(), "1 of 3 chunks are missing"),
    "bytes": (halve, r"data/action/0\.0 is not whole"),
    "short": (replace("data/action", np.zeros((12, 7))), r"shape \(12, 7\), not \(13, 7\)"),
    "narrow": (replace("data/obs/state", np.zeros((13, 14))), r"not \(13, 15\)"),
    "ends": (replace("meta/episode_ends", [9, 4]), "does not increase"),
    "texts": (replace("meta/env_names", ["One"]), "2 descriptions and 1 names"),
    "nan": (
        replace("data/obs/pointcloud/pos", np.full((13, POINTS, 3), np.nan, np.float32)),
        "not finite in frames 0 to 8; leave that episode out",
    ),
}


@pytest.mark.parametrize(("damage", "text"), BROKEN.values(), ids=BROKEN)
def test_damage_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    text: str,
) -> None:
    source = write(tmp_path / "source", arrays())
    damage(source)
    with pytest.raises(StoreError, match=text) as error:
        import_gensim2(source, tmp_path / "direct", kinematics())
    out = tmp_path / "out"
    line = refused(monkeypatch, capsys, "import", "--format", "gensim2", source, out)
    assert re.search(text, line)
    assert not out.exists() and list(tmp_path.glob(".*")) == []
    if text.startswith("has no"):
        assert error.type is SchemaError


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "source", arrays())
    out = tmp_path / "data"
    assert run(monkeypatch, "import", "--format", "gensim2", source, out) == 0
    text = capsys.readouterr().out
    assert "2 episodes" in text and "note of 1 episodes: imported from the GenSim2" in text
    assert run(monkeypatch, "check", out) == 0
    line = refused(monkeypatch, capsys, "import", "--format", "gensim2", tmp_path / "no", out)
    assert "does not exist" in line
