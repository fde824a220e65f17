"""LeRobotDataset v3: what is exported has its layout, and comes back as it was."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from episode_samples import sample_record, write_sample
from exchange_samples import (
    IMAGE,
    different,
    everything,
    kinematics,
    refused,
    run,
    write_many,
)
from gensim2_episodes.errors import SchemaError, StoreError
from gensim2_episodes.frame import Frame
from gensim2_episodes.lerobot_columns import (
    from_column,
    from_png_column,
    joined,
    statistics,
    to_column,
    to_png_column,
)
from gensim2_episodes.lerobot_export import export_lerobot
from gensim2_episodes.lerobot_import import LOSSY, import_lerobot
from gensim2_episodes.lerobot_layout import Feature, layout_of
from gensim2_episodes.manifest import Rates
from gensim2_episodes.reconstruct import poses
from gensim2_episodes.store import EpisodeStore
from gensim2_episodes.video_file import VideoReader, VideoWriter
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EpisodeStore:
    return write_many(tmp_path_factory.mktemp("store") / "data")


def exported(store: EpisodeStore, folder: Path, colour: str) -> Path:
    folder.mkdir()
    export_lerobot(store, store.episodes(), folder, kinematics(), colour)
    return folder


@pytest.fixture(scope="module")
def png(store: EpisodeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(store, tmp_path_factory.mktemp("png") / "data", "image")


@pytest.fixture(scope="module")
def video(store: EpisodeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(store, tmp_path_factory.mktemp("video") / "data", "video")


def info(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "meta" / "info.json").read_text()))


def edit_info(folder: Path, **changes: object) -> None:
    (folder / "meta" / "info.json").write_text(json.dumps(info(folder) | changes))


def test_png_round_trip_is_equal(store: EpisodeStore, png: Path, tmp_path: Path) -> None:
    before = everything(png) | everything(store.folder)
    assert import_lerobot(png, tmp_path / "back", kinematics()) == 3
    assert different(store, EpisodeStore(tmp_path / "back")) == {}
    assert everything(png) | everything(store.folder) == before


def test_video_round_trip_differs_in_the_images_and_says_so(
    store: EpisodeStore, video: Path, tmp_path: Path
) -> None:
    import_lerobot(video, tmp_path / "back", kinematics())
    back = EpisodeStore(tmp_path / "back")
    changed = {name: ["manifest", "image/wrist_camera"] for name in different(store, back)}
    assert different(store, back) == changed and len(changed) == 3
    for episode in back.episodes():
        original = store.open_episode(episode.episode_id).manifest
        assert episode.manifest == original.model_copy(update={"note": LOSSY})


def test_layout_on_disk(store: EpisodeStore, video: Path) -> None:
    files = {str(path.relative_to(video)) for path in video.rglob("*") if path.is_file()}
    assert files == {
        "data/chunk-000/file-000.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/gensim2/episodes.jsonl",
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "videos/observation.images.wrist_camera/chunk-000/file-000.mp4",
    }
    about = info(video)
    assert about["codebase_version"] == "v3.0" and about["fps"] == 10
    assert (about["total_episodes"], about["total_frames"], about["total_tasks"]) == (3, 78, 1)
    rows = pq.read_table(video / "data/chunk-000/file-000.parquet")
    columns = {key for key, feature in about["features"].items() if feature["dtype"] != "video"}
    assert {*rows.column_names} == columns and len(rows) == 78
    assert rows["index"].to_pylist() == [*range(78)]
    assert np.allclose(rows["timestamp"], np.array(rows["frame_index"]) / 10)
    episodes = pq.read_table(video / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [e["length"] for e in episodes] == [5, 70, 3]
    edges = [(e["dataset_from_index"], e["dataset_to_index"]) for e in episodes]
    assert edges == [(0, 5), (5, 75), (75, 78)]
    key = "videos/observation.images.wrist_camera/"
    assert [(e[f"{key}from_timestamp"], e[f"{key}to_timestamp"]) for e in episodes] == [
        (0.0, 0.5),
        (0.5, 7.5),
        (7.5, 7.8),
    ]
    assert [e["gensim2/episode_id"] for e in episodes] == [e.episode_id for e in store.episodes()]
    tasks = pq.read_table(video / "meta/tasks.parquet")
    assert tasks.to_pydict() == {"task_index": [0], "__index_level_0__": ["open the box"]}
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]


def test_columns_that_policies_read(store: EpisodeStore, png: Path) -> None:
    rows = pq.read_table(png / "data/chunk-000/file-000.parquet").combine_chunks()
    episode = store.open_episode(store.episodes()[1].episode_id)
    part = slice(5, 75)

    def column(key: str, *shape: int) -> np.ndarray:
        return from_column(rows[key].combine_chunks(), shape)[part]

    state, action = column("observation.state", 8), column("action", 8)
    assert state.dtype == action.dtype == np.float32
    assert np.allclose(state[:, :7], episode.joint_position[:, :7], atol=1e-6)
    assert np.allclose(state[:, 7], episode.gripper)
    assert np.allclose(action[:, :7], episode.action_joint_position, atol=1e-6)
    assert np.allclose(action[:, 7], episode.action_gripper)
    assert np.array_equal(column("observation.points.xyz", 8, 3), episode.cloud()[0])
    assert np.array_equal(column("observation.points.rgb", 8, 3), episode.cloud()[1])
    depth = column("observation.depth.wrist_camera", *IMAGE)
    assert np.array_equal(depth, episode.depths("wrist_camera"))
    K = column("camera.wrist_camera.intrinsics", 3, 3)
    assert np.allclose(K, [[1, 0, 2], [0, 1, 1.5], [0, 0, 1]])
    # The camera of the samples is the hand itself.
    T_base_cam = column("camera.wrist_camera.T_base_cam", 4, 4)
    expected = kinematics().fk(episode.joint_position[:, :7], "fr3_hand")
    assert np.allclose(poses(T_base_cam)[:, :3], expected[:, :3, 3], atol=1e-6)
    assert np.allclose(T_base_cam, expected, atol=1e-6)


def test_statistics_are_those_of_the_values(store: EpisodeStore, png: Path) -> None:
    stats = json.loads((png / "meta" / "stats.json").read_text())
    assert stats.keys() == info(png)["features"].keys()
    episodes = [store.open_episode(e.episode_id) for e in store.episodes()]
    q = np.concatenate([e.joint_position[:, :7] for e in episodes])
    for name, expected in (
        ("min", q.min(axis=0)),
        ("max", q.max(axis=0)),
        ("mean", q.mean(axis=0)),
        ("std", q.std(axis=0)),
    ):
        assert np.allclose(stats["observation.state"][name][:7], expected, atol=1e-5), name
    assert stats["observation.state"]["count"] == [78]
    pixels = np.concatenate([e.images("wrist_camera") for e in episodes]) / 255
    colour = stats["observation.images.wrist_camera"]
    assert np.shape(colour["mean"]) == (3, 1, 1)
    assert np.allclose(np.ravel(colour["mean"]), pixels.mean(axis=(0, 1, 2)))
    assert np.allclose(np.ravel(colour["std"]), pixels.std(axis=(0, 1, 2)))
    cloud = np.concatenate([e.cloud()[0] for e in episodes])
    assert np.allclose(stats["observation.points.xyz"]["min"], [cloud.min(axis=(0, 1))])
    assert np.shape(stats["observation.depth.wrist_camera"]["mean"]) == (1, 1)


def test_quantiles() -> None:
    feature = Feature("x", "float64", (1,), "x")
    halves = [statistics(feature, np.arange(s, s + 101.0)[:, None]) for s in (0, 100)]
    assert halves[0]["q01"] == 1 and halves[0]["q50"] == 50 and halves[1]["q90"] == 190
    assert joined(halves)["q50"] == 100 and joined(halves)["count"] == 202


values = st.sampled_from(["float32", "float64", "uint8", "uint16", "int64"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if dtype[0] == "f" else None,
    )
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_columns_round_trip(array: np.ndarray) -> None:
    column = to_column(array)
    assert len(column) == len(array)
    back = from_column(column, array.shape[1:])
    assert back.dtype == array.dtype and np.array_equal(back, array)
    half = from_column(column.slice(len(array) // 2), array.shape[1:])
    assert np.array_equal(half, array[len(array) // 2 :])
    with pytest.raises(StoreError, match="a column of"):
        from_column(column, (*array.shape[1:], 7))


@settings(max_examples=20, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(*[st.integers(1, 5)] * 3, st.just(3))))
def test_png_columns_round_trip(images: np.ndarray) -> None:
    assert np.array_equal(from_png_column(to_png_column(images)), images)


SIZE = (64, 96, 3)


def bars(frames: int) -> np.ndarray:
    """Pictures of which the encoder keeps enough: frame i has its bar 3 i pixels from the left."""
    images = np.full((frames, *SIZE), 30, np.uint8)
    for i in range(frames):
        images[i, :, 3 * i % 90 : 3 * i % 90 + 6] = 220
    return images


def test_video_frames_come_back_in_place(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", 10, SIZE)
    for part in (slice(0, 17), slice(17, 50)):
        writer.write(bars(50)[part])
    writer.close()
    reader = VideoReader(tmp_path / "v.mp4")
    for start, count in ((0, 5), (5, 10), (30, 20), (2, 3), (49, 1)):
        images = reader.read(start, count).astype(float)
        away = [np.abs(images - bars(80)[s : s + count]).mean() for s in range(50)]
        # Thirty frames on the bar is at the same place.
        assert int(np.argmin(away)) % 30 == start % 30 and min(away) < 12
    with pytest.raises(StoreError, match="ends at frame 50"):
        reader.read(45, 6)


def test_colours_keep_their_order_in_video(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", 10, SIZE)
    red = np.zeros((8, *SIZE), np.uint8)
    red[..., 0] = 200
    writer.write(red)
    writer.close()
    back = VideoReader(tmp_path / "v.mp4").read(0, 8).mean(axis=(0, 1, 2))
    assert np.allclose(back, [200, 0, 0], atol=8)


class FakeAv(ModuleType):
    """Decodes any file to ten bars, as the wheel `av` would a file of AV1."""

    FFmpegError = ValueError

    def open(self, path: str) -> FakeAv:
        return self

    def __enter__(self) -> FakeAv:
        return self

    def __exit__(self, *error: object) -> None: ...

    def decode(self, video: int) -> list[SimpleNamespace]:
        return [SimpleNamespace(to_ndarray=lambda format, b=bar: b) for bar in bars(10)]


def test_what_opencv_cannot_decode_is_left_to_av(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av1.mp4").write_bytes(b"not for OpenCV")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(StoreError, match="needs the wheel av"):
        VideoReader(tmp_path / "av1.mp4").read(0, 1)
    monkeypatch.setitem(sys.modules, "av", FakeAv("av"))
    assert np.array_equal(VideoReader(tmp_path / "av1.mp4").read(4, 3), bars(10)[4:7])
    with pytest.raises(StoreError, match="is missing"):
        VideoReader(tmp_path / "no.mp4")


def test_an_incomplete_video_is_noticed(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", 10, SIZE)
    writer.write(bars(9))
    writer.frames += 1
    with pytest.raises(StoreError, match="9 of 10 frames: is the disk full"):
        writer.close()


def test_large_data_sets_get_several_files(
    store: EpisodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("DATA_FILE_MB", "VIDEO_FILE_MB"):
        monkeypatch.setattr(f"gensim2_episodes.lerobot_export.{limit}", 0)
    folder = exported(store, tmp_path / "many", "video")
    assert len([*folder.glob("data/*/*.parquet")]) == 3
    assert len([*folder.glob("videos/*/*/*.mp4")]) > 1
    import_lerobot(folder, tmp_path / "back", kinematics())
    changed = different(store, EpisodeStore(tmp_path / "back"))
    assert {name for names in changed.values() for name in names} == {
        "manifest",
        "image/wrist_camera",
    }


def arm_names(data: dict[str, Any], *, joints: str = "panda_joint{}", gripper: str) -> None:
    for key in ("observation.state", "action"):
        names = [joints.format(number) for number in range(1, 8)]
        data["features"][key]["names"] = {"motors": [*names, gripper]}


def foreign(source: Path, folder: Path) -> Path:
    """A data set that somebody else may have made."""
    shutil.copytree(source, folder)
    shutil.rmtree(folder / "meta" / "gensim2")
    data = info(folder)
    arm_names(data, gripper="gripper_width")
    edit_info(folder, features=data["features"])
    return folder


def test_that_of_somebody_else(
    store: EpisodeStore, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = foreign(video, tmp_path / "foreign")
    assert import_lerobot(source, tmp_path / "data", kinematics()) == 3
    assert run(monkeypatch, "check", tmp_path / "data") == 0
    back = EpisodeStore(tmp_path / "data")
    by_length = {e.manifest.frames: e for e in back.episodes()}
    original = store.open_episode(store.episodes()[1].episode_id)
    episode = back.open_episode(by_length[70].episode_id)
    assert episode.manifest.instruction == "open the box" and episode.manifest.success
    assert episode.manifest.task == "OpenTheBox" and episode.manifest.rates.observation == 10
    for text in ("imported from the LeRobotDataset foreign", "success is assumed", LOSSY):
        assert text in episode.manifest.note
    q = original.joint_position[:, :7]
    assert np.allclose(episode.joint_position[:, :7], q, atol=1e-6)
    assert np.allclose(episode.action_gripper, original.action_gripper)
    assert np.allclose(episode.tcp_pose[:, :3], kinematics().fk(q)[:, :3, 3], atol=1e-5)
    assert np.allclose(episode.joint_velocity[1, :7], (q[2] - q[0]) / 0.2, atol=1e-4)
    assert episode.cameras == ("wrist_camera",) and not episode.has_cloud
    pictures = episode.images("wrist_camera").astype(float)
    true = original.images("wrist_camera").astype(float)
    assert np.abs(pictures - true).mean() < np.abs(pictures[1:] - true[:-1]).mean()


def test_names_of_somebody_else_that_say_no_arm(video: Path, tmp_path: Path) -> None:
    source = foreign(video, tmp_path / "foreign")
    data = info(source)
    for joints, gripper in (("motor_{}", "gripper"), ("joint_{}", "tool")):
        arm_names(data, joints=joints, gripper=gripper)
        edit_info(source, features=data["features"])
        with pytest.raises(StoreError, match="need seven ending in joint1 to joint7"):
            import_lerobot(source, tmp_path / f"to {gripper}", kinematics())
    data["features"]["action"]["names"] = data["features"]["observation.state"]["names"] = None
    edit_info(source, features=data["features"])
    with pytest.raises(StoreError, match="has no names"):
        import_lerobot(source, tmp_path / "to nothing", kinematics())


def test_what_does_not_fit_in_one_data_set(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path / "data", create=True)
    write_sample(store, "A", 1, image=(4, 6))
    write_sample(store, "B", 2, image=(4, 6), points=0)
    write_sample(store, "C", 3, image=(6, 6))
    write_sample(store, "D", 4, image=(5, 6))
    write_sample(store, "E", 5, image=(4, 6), rates=Rates(observation=20.0))
    a, b, c, d, e = (episode.manifest for episode in store.episodes())
    for manifests, colour, text in (
        ((a, b), "image", "have no cloud/.*filter --array cloud/"),
        ((a, c), "image", "image/wrist_camera has different sizes"),
        ((d,), "video", "6x5; a video needs even numbers. Use --colour png"),
        ((a, e), "image", "10, 20 Hz; LeRobot wants one whole rate"),
    ):
        with pytest.raises(StoreError, match=text):
            layout_of(manifests, colour)
    assert layout_of((d,), "image").fps == 10
    slow = a.model_copy(update={"rates": Rates(observation=1.25)})
    with pytest.raises(StoreError, match="one whole rate"):
        layout_of((slow,), "image")


def test_command_line(
    store: EpisodeStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, back = tmp_path / "lerobot", tmp_path / "back"
    to = ["--format", "lerobot"]
    assert run(monkeypatch, "export", *to, store.folder, out) == 0
    assert "3 episodes" in (text := capsys.readouterr().out) and "loses detail" in text
    assert run(monkeypatch, "import", *to, out, back) == 0
    assert f"note of 3 episodes: {LOSSY}" in capsys.readouterr().out
    shutil.rmtree(out)
    shutil.rmtree(back)
    assert run(monkeypatch, "export", *to, "--colour", "png", store.folder, out) == 0
    assert run(monkeypatch, "import", *to, out, back) == 0
    assert LOSSY not in capsys.readouterr().out
    assert different(store, EpisodeStore(back)) == {}
    assert "no LeRobotDataset" in refused(monkeypatch, capsys, "import", *to, back, tmp_path / "x")


def test_other_versions_are_refused(video: Path, tmp_path: Path) -> None:
    source = shutil.copytree(video, tmp_path / "source")
    edit_info(source, codebase_version="v2.1")
    with pytest.raises(SchemaError, match=r"v2\.1.*convert_dataset_v21_to_v30"):
        import_lerobot(source, tmp_path / "out", kinematics())
    for text in ("{", "[]", "{}", '{"codebase_version": "v3.0"}'):
        (source / "meta" / "info.json").write_text(text)
        with pytest.raises(SchemaError, match="damaged"):
            import_lerobot(source, tmp_path / "out", kinematics())
    assert not (tmp_path / "out").exists()


def test_a_frame_keeps_its_stamp_through_gaps(tmp_path: Path) -> None:
    """`timestamp` of LeRobot is regular; the true stamps are in a column of their own."""
    store = EpisodeStore(tmp_path / "data", create=True)
    write_sample(store, frames=1)
    first: Frame = store.open_episode(store.episodes()[0].episode_id).frame(0)
    with store.writer("Gap") as writer:
        for stamp_ns in (10**9, 3 * 10**9 + 1, 2**53 + 1):
            writer.append(Frame(**{**vars(first), "stamp_ns": stamp_ns}))
        writer.commit(sample_record("Gap"))
    folder = exported(store, tmp_path / "lerobot", "image")
    rows = pq.read_table(folder / "data/chunk-000/file-000.parquet")
    assert np.allclose(rows["timestamp"][:3], [0.0, 0.1, 0.2])
    import_lerobot(folder, tmp_path / "back", kinematics())
    assert different(store, EpisodeStore(tmp_path / "back")) == {}
