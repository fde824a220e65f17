"""MCAP files: the messages are those of the graph, and episodes come back as they were."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from control_msgs.msg import JointTrajectoryControllerState
from episode_samples import PERIOD_NS, START_NS, sample_frame
from exchange_samples import URDF, different, everything, kinematics, refused, run, write_many
from gensim2_episodes.episode_messages_node import (
    camera_from_msg,
    cloud_from_msg,
    image_from_msg,
    joints_from_msg,
    reference_from_msg,
)
from gensim2_episodes.errors import StoreError
from gensim2_episodes.manifest import CameraRecord
from gensim2_episodes.mcap_exchange_node import export_mcap, import_mcap
from gensim2_episodes.mcap_file import McapWriter, read_attachment, read_samples
from gensim2_episodes.mcap_messages_node import static_samples
from gensim2_episodes.message_definitions import message_definition
from gensim2_episodes.store import EpisodeStore
from mcap.reader import make_reader
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2
from tf2_msgs.msg import TFMessage

from gensim2_tasks import se3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EpisodeStore:
    return write_many(tmp_path_factory.mktemp("store") / "data")


@pytest.fixture(scope="module")
def files(store: EpisodeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcap") / "files"
    folder.mkdir()
    export_mcap(store, store.episodes(), folder, kinematics(), URDF.read_text())
    return folder


def test_round_trip_is_equal(store: EpisodeStore, files: Path, tmp_path: Path) -> None:
    before = everything(store.folder) | everything(files)
    assert import_mcap(files, tmp_path / "back") == 3
    assert different(store, EpisodeStore(tmp_path / "back")) == {}
    assert everything(store.folder) | everything(files) == before
    one = files / f"{store.episodes()[1].episode_id}.mcap"
    assert import_mcap(one, tmp_path / "one") == 1
    (episode,) = EpisodeStore(tmp_path / "one").episodes()
    assert episode.manifest == store.episodes()[1].manifest


def test_topics_are_those_of_the_graph(store: EpisodeStore, files: Path) -> None:
    episode = store.episodes()[1]
    path = files / f"{episode.episode_id}.mcap"
    count = Counter((s.topic.name, s.topic.kind.split("/")[-1]) for s in read_samples(path))
    assert count == {
        ("/robot_description", "String"): 1,
        ("/tf_static", "TFMessage"): 1,
        ("/tf", "TFMessage"): 70,
        ("/joint_states", "JointState"): 70,
        ("/fr3_arm_controller/controller_state", "JointTrajectoryControllerState"): 70,
        ("/fr3_gripper/controller_state", "JointTrajectoryControllerState"): 70,
        ("/points", "PointCloud2"): 70,
        ("/wrist_camera/color/camera_info", "CameraInfo"): 70,
        ("/wrist_camera/color/image_raw", "Image"): 70,
        ("/wrist_camera/aligned_depth_to_color/image_raw", "Image"): 70,
        ("/episode/tcp_pose", "PoseStamped"): 70,
        ("/episode/commanded_tcp_pose", "PoseStamped"): 70,
        ("/episode/observation/gripper", "Float64MultiArray"): 70,
        ("/episode/truth/openness", "Float64MultiArray"): 70,
        ("/episode/truth/joint_position", "Float64MultiArray"): 70,
        ("/episode/truth/keypoints", "Float64MultiArray"): 70,
    }


def test_the_recorder_would_hear_what_was_recorded(store: EpisodeStore, files: Path) -> None:
    episode = store.episodes()[1]
    expected = sample_frame(4, image=(12, 16), depth=True)
    heard = {
        s.topic.name: s.data
        for s in read_samples(files / f"{episode.episode_id}.mcap")
        if s.stamp_ns == START_NS + 4 * PERIOD_NS
    }
    joints = deserialize_message(heard["/joint_states"], JointState)
    assert joints.header.stamp.sec == 12 and joints.header.stamp.nanosec == 700_000_000
    assert np.array_equal(joints_from_msg(joints).position, expected.q)
    arm = deserialize_message(
        heard["/fr3_arm_controller/controller_state"], JointTrajectoryControllerState
    )
    assert np.array_equal(reference_from_msg(arm).position, expected.q_ref)
    assert np.array_equal(reference_from_msg(arm).velocity, expected.dq_ref)
    cloud = deserialize_message(heard["/points"], PointCloud2)
    xyz, rgb = cloud_from_msg(cloud)
    assert cloud.header.frame_id == "base"
    assert np.array_equal(xyz, expected.cloud_xyz) and np.array_equal(rgb, expected.cloud_rgb)
    image = deserialize_message(heard["/wrist_camera/color/image_raw"], Image)
    assert np.array_equal(image_from_msg(image), expected.images["wrist_camera"])
    depth = deserialize_message(heard["/wrist_camera/aligned_depth_to_color/image_raw"], Image)
    assert (depth.encoding, depth.height, depth.width, depth.step) == ("16UC1", 12, 16, 32)
    info = deserialize_message(heard["/wrist_camera/color/camera_info"], CameraInfo)
    recorded = episode.manifest.cameras["wrist_camera"]
    found = camera_from_msg(info)
    assert found.intrinsics == recorded.intrinsics and found.width == recorded.width
    assert info.header.frame_id == "wrist_camera_color_optical_frame"


def test_transforms_lead_from_base_to_tool_and_cameras(store: EpisodeStore, files: Path) -> None:
    episode = store.episodes()[1]
    parents: dict[str, str] = {}
    poses: dict[str, np.ndarray] = {}
    for sample in read_samples(files / f"{episode.episode_id}.mcap"):
        if not sample.topic.name.startswith("/tf") or sample.stamp_ns > START_NS:
            continue
        for transform in deserialize_message(sample.data, TFMessage).transforms:
            parents[transform.child_frame_id] = transform.header.frame_id
            t, r = transform.transform.translation, transform.transform.rotation
            poses[transform.child_frame_id] = np.array([t.x, t.y, t.z, r.x, r.y, r.z, r.w])
    T, frame = np.eye(4), "wrist_camera_color_optical_frame"
    while frame != "base":
        T = se3.from_xyz_quat(poses[frame][:3], poses[frame][3:]) @ T
        frame = parents[frame]
    q = store.open_episode(episode.episode_id).joint_position[0, :7]
    assert np.allclose(T, kinematics().fk(q, "fr3_hand"))
    assert "fr3_hand_tcp" in parents


def test_cameras_on_the_table_are_fixed_to_base() -> None:
    camera = CameraRecord(
        width=4,
        height=3,
        intrinsics=(1, 0, 2, 0, 1, 1.5, 0, 0, 1),
        frame="left_optical",
        parent="base",
        T_parent_cam=(1, 0, 0, 0.4, 0, 1, 0, 0.5, 0, 0, 1, 0.6, 0, 0, 0, 1),
    )
    unknown = camera.model_copy(update={"T_parent_cam": None, "parent": "", "frame": "lost"})
    cameras = {"left": camera, "lost": unknown}
    *_, last = static_samples(5, kinematics(), "<robot/>", cameras)
    transforms = deserialize_message(last.data, TFMessage).transforms
    assert "lost" not in {t.child_frame_id for t in transforms}
    (found,) = (t for t in transforms if t.child_frame_id == "left_optical")
    place = found.transform.translation
    assert found.header.frame_id == "base" and (place.x, place.y, place.z) == (0.4, 0.5, 0.6)


def test_files_say_how_to_read_and_play_them(files: Path) -> None:
    path = sorted(files.iterdir())[0]
    with path.open("rb") as file:
        reader = make_reader(file)
        assert reader.get_header().profile == "ros2"
        summary = reader.get_summary()
        assert summary is not None and summary.statistics is not None
        durable = {
            c.topic
            for c in summary.channels.values()
            if "durability: transient_local" in c.metadata["offered_qos_profiles"]
        }
        assert durable == {"/tf_static", "/robot_description"}
        assert {c.message_encoding for c in summary.channels.values()} == {"cdr"}
        schemas = {s.name: s for s in summary.schemas.values()}
        assert {s.encoding for s in schemas.values()} == {"ros2msg"}
    assert b"MSG: std_msgs/Header" in schemas["sensor_msgs/msg/JointState"].data


def test_definitions_hold_all_that_they_use() -> None:
    text = message_definition("tf2_msgs/msg/TFMessage")
    parts = [line.removeprefix("MSG: ") for line in text.splitlines() if line.startswith("MSG: ")]
    assert parts == [
        "geometry_msgs/TransformStamped",
        "std_msgs/Header",
        "geometry_msgs/Transform",
        "builtin_interfaces/Time",
        "geometry_msgs/Vector3",
        "geometry_msgs/Quaternion",
    ]
    with pytest.raises(StoreError, match="is not installed"):
        message_definition("nobody_msgs/msg/Nothing")


def test_command_line(
    store: EpisodeStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    to = ["--format", "mcap"]
    assert run(monkeypatch, "export", *to, store.folder, tmp_path / "bags") == 0
    names = sorted(f"{e.episode_id}.mcap" for e in store.episodes())
    assert sorted(p.name for p in (tmp_path / "bags").iterdir()) == names
    assert run(monkeypatch, "import", *to, tmp_path / "bags", tmp_path / "back") == 0
    assert different(store, EpisodeStore(tmp_path / "back")) == {}
    line = refused(monkeypatch, capsys, "import", *to, store.folder, tmp_path / "new")
    assert "holds no .mcap file" in line and not (tmp_path / "new").exists()


def test_files_of_others_and_doubles_are_refused(files: Path, tmp_path: Path) -> None:
    with McapWriter(tmp_path / "bag.mcap") as writer:
        for sample in list(read_samples(sorted(files.iterdir())[0]))[:3]:
            writer.write(sample)
    assert read_attachment(tmp_path / "bag.mcap", "manifest.json") is None
    with pytest.raises(StoreError, match="was not exported from here"):
        import_mcap(tmp_path / "bag.mcap", tmp_path / "out")
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("a.mcap", "b.mcap"):
        (twice / name).write_bytes(sorted(files.iterdir())[0].read_bytes())
    with pytest.raises(StoreError, match=r"b\.mcap is the second of episode"):
        import_mcap(twice, tmp_path / "out2")


def test_a_file_that_lacks_a_topic_or_the_end(files: Path, tmp_path: Path) -> None:
    path = sorted(files.iterdir())[0]
    manifest = read_attachment(path, "manifest.json")
    assert manifest is not None
    samples = list(read_samples(path))
    last = max(sample.stamp_ns for sample in samples)
    for name, keep, text in (
        ("cloud", lambda s: s.topic.name != "/points", "no cloud/rgb, cloud/xyz"),
        ("joints", lambda s: s.topic.name != "/joint_states", "0 of 5 frames"),
        (
            "arm",
            lambda s: "arm" not in s.topic.name,
            "no action/joint_position, action/joint_velocity",
        ),
        ("end", lambda s: s.stamp_ns < last, "4 of 5 frames"),
    ):
        with McapWriter(tmp_path / f"{name}.mcap") as writer:
            writer.attach("manifest.json", "application/json", manifest, 0)
            for sample in filter(keep, samples):
                writer.write(sample)
        with pytest.raises(StoreError, match=text):
            import_mcap(tmp_path / f"{name}.mcap", tmp_path / f"out {name}")
        assert EpisodeStore(tmp_path / f"out {name}").episodes() == []
