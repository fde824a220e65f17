"""What a policy looks at in use is what it was trained on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gensim2_control.description import robot_description
from gensim2_control.hardware import HOME_Q, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_policy.acting import Policy, PolicyError, samples_of
from gensim2_policy.checkpoint import PolicyRecord, ScaleRecord
from gensim2_policy.features import STATE
from gensim2_policy.seen import NS, History, NotSeenError, Seen
from gensim2_policy.settings import Settings
from gensim2_policy.untrained import save_untrained
from gensim2_policy.windows import Windows
from policy_samples import STILL, FakeEncoder, demonstration, small_settings

KINEMATICS = Fr3Kinematics.from_urdf(robot_description())
PERIOD = NS // 10


def history(settings: Settings) -> History:
    """Joints that move evenly for two seconds, at 100 Hz."""
    made = History(settings.observation, KINEMATICS)
    for k in range(200):
        q = [*(np.array(HOME_Q) + 0.001 * k), 0.03, 0.02]
        made.joint_state(k * NS // 100, list(JOINTS), [float(x) for x in q])
    return made


def cloud(value: float, count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Points that all have the same coordinates, to be told apart."""
    return np.full((count, 3), value, np.float32), np.zeros((count, 3), np.uint8)


def test_steps_of_use_are_a_period_apart_however_often_it_is_asked() -> None:
    """The stride of the past is that of the training, and not that of the questions."""
    settings = small_settings("observation.state_steps=3", "observation.cloud_steps=2")
    past = history(settings)
    for k in range(20):
        past.cloud(k * PERIOD, *cloud(0.1 * k))
    seen = past.at(15 * PERIOD)
    assert np.allclose(seen.q - np.array(HOME_Q), [[0.13], [0.14], [0.15]], atol=1e-9)
    assert seen.points is not None and np.allclose(seen.points[:, 0, 0], [1.4, 1.5])
    assert np.allclose(seen.finger, 0.025) and seen.t == 1.5
    assert np.allclose(seen.tcp_pose[:, :3], KINEMATICS.fk(seen.q)[:, :3, 3])
    between = past.at(15 * PERIOD + 3 * NS // 1000)
    assert np.allclose(np.diff(between.q[:, 0]), 0.01)


def test_before_the_beginning_the_first_is_seen_again() -> None:
    settings = small_settings("observation.state_steps=3", "observation.cloud_steps=2")
    past = history(settings)
    for k in range(5):
        past.cloud(k * PERIOD, *cloud(0.1 * k))
    past.begin(4 * PERIOD)
    seen = past.at(4 * PERIOD)
    assert np.ptp(seen.q, axis=0).max() == 0.0
    assert seen.points is not None and np.allclose(seen.points[:, 0, 0], 0.4)


def test_what_is_missing_is_said() -> None:
    settings = small_settings("observation.cloud_steps=2")
    past = history(settings)
    with pytest.raises(NotSeenError, match="no cloud"):
        past.at(15 * PERIOD)
    past.cloud(10 * PERIOD, *cloud(0.1))
    with pytest.raises(NotSeenError, match="no cloud within"):
        past.at(15 * PERIOD)
    past.cloud(14 * PERIOD, *cloud(0.1, 30))
    past.cloud(15 * PERIOD, *cloud(0.1, 20))
    with pytest.raises(NotSeenError, match="different sizes"):
        past.at(15 * PERIOD)
    with pytest.raises(NotSeenError, match="no joint state"):
        past.at(50 * PERIOD)


@pytest.mark.parametrize(
    ("points", "text"),
    [(np.zeros((0, 3)), "empty"), (np.full((9, 3), np.nan), "9 of 9 points")],
    ids=["empty", "nan"],
)
def test_clouds_that_are_none_are_refused(points: np.ndarray, text: str) -> None:
    past = history(small_settings())
    with pytest.raises(ValueError, match=text):
        past.cloud(0, points.astype(np.float32), np.zeros(points.shape, np.uint8))


def seeing(*overrides: str) -> Settings:
    """Settings of a policy that looks through two cameras."""
    cameras = "observation.cameras=[left_camera,wrist_camera]"
    return small_settings(cameras, "observation.picture=[2,4]", *STILL, *overrides)


def picture(value: int) -> np.ndarray:
    return np.full((4, 8, 3), value, np.uint8)


def test_pictures_are_those_of_the_moment_of_the_cloud_in_the_order_of_the_training() -> None:
    past = history(seeing())
    for k in range(8, 13):
        past.picture(k * PERIOD, "wrist_camera", picture(k))
        past.picture(k * PERIOD + PERIOD // 10, "left_camera", picture(100 + k))
    past.cloud(10 * PERIOD, *cloud(0.1))
    seen = past.at(10 * PERIOD)
    assert seen.pictures is not None and seen.pictures.shape == (2, 2, 4, 3)
    assert seen.pictures[:, 0, 0, 0].tolist() == [110, 10]


def test_a_picture_of_another_moment_is_not_acted_on() -> None:
    """A camera that has failed is told, and which."""
    past = history(seeing("observation.cloud_steps=0"))
    past.picture(10 * PERIOD, "wrist_camera", picture(1))
    assert past.newest_ns is None
    with pytest.raises(NotSeenError, match="no picture of left_camera"):
        past.at(10 * PERIOD)
    past.picture(12 * PERIOD, "left_camera", picture(2))
    assert past.newest_ns == 10 * PERIOD
    past.picture(12 * PERIOD, "wrist_camera", picture(1))
    assert past.newest_ns == 12 * PERIOD and past.at(12 * PERIOD).pictures is not None
    with pytest.raises(NotSeenError, match=r"left_camera within 0\.2"):
        past.at(14 * PERIOD)
    past.begin(13 * PERIOD)
    assert past.newest_ns is None, "what was before the task is not looked at"
    with pytest.raises(ValueError, match="left_camera is empty"):
        past.picture(15 * PERIOD, "left_camera", np.zeros((0, 4, 3), np.uint8))


@pytest.mark.parametrize("space", ["tcp", "joints"])
def test_an_observation_in_use_is_a_window_of_the_training(space: str) -> None:
    """To the last number: frames, scales, order of the points, and no noise."""
    settings = small_settings(
        f"action.space={space}", *STILL, "observation.state_steps=3", "observation.cloud_steps=2"
    )
    d = demonstration()
    windows = Windows([d], settings, FakeEncoder())
    wanted = windows.batch(np.array([7]))
    record = PolicyRecord(
        settings=settings,
        state=ScaleRecord(
            offset=tuple(windows.normaliser.state.offset),
            scale=tuple(windows.normaliser.state.scale),
        ),
        action=ScaleRecord(
            offset=tuple(windows.normaliser.action.offset),
            scale=tuple(windows.normaliser.action.scale),
        ),
        tasks={d.task: d.instruction},
        step=0,
    )
    steps = slice(5, 8)
    assert d.cloud is not None and d.colour is not None
    seen = Seen(
        t=0.7,
        tcp_pose=d.tcp_pose[steps],
        q=d.q[steps],
        finger=d.finger[steps],
        points=np.asarray(d.cloud[6:8]),
        colours=np.asarray(d.colour[6:8]),
    )
    words = FakeEncoder().batch([d.instruction])
    found = samples_of(seen, record, d.domain, words)
    assert np.array_equal(found.state, wanted.state)
    assert np.array_equal(found.tcp, wanted.tcp)
    assert found.words is not None and np.array_equal(found.words, wanted.words)
    assert found.points is not None and wanted.points is not None
    # The demonstration holds a sample already; sampling it again keeps every point.
    assert np.allclose(np.sort(found.points, axis=2), np.sort(wanted.points, axis=2))


def test_a_policy_says_what_it_lacks(tmp_path: Path) -> None:
    policy = Policy(save_untrained(tmp_path / "run"))
    pose = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (2, 1))
    seen = Seen(0.0, pose, np.zeros((2, 7)), np.zeros(2))
    with pytest.raises(PolicyError, match="obs:=pointcloud"):
        policy.act(seen)
    with pytest.raises(PolicyError, match="the policy needs 2"):
        policy.act(Seen(0.0, seen.tcp_pose[:1], seen.q[:1], seen.finger[:1]))
    with pytest.raises(PolicyError, match="there is no GPU"):
        Policy(tmp_path / "run", device="cuda")
    with pytest.raises(PolicyError, match="knows sim"):
        Policy(tmp_path / "run", domain="mars")


def test_the_same_observation_and_seed_give_the_same_targets(tmp_path: Path) -> None:
    policy = Policy(save_untrained(tmp_path / "run"))
    points = np.random.default_rng(0).normal(size=(1, 50, 3)).astype(np.float32)
    pose = np.tile([0.4, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0], (2, 1))
    seen = Seen(2.0, pose, np.tile(HOME_Q, (2, 1)), np.zeros(2), points)
    chunks = []
    for seed in (1, 1, 2):
        policy.begin("", seed)
        chunks.append(policy.act(seen))
    one, same, other = chunks
    assert one.T_base_tcp is not None and same.T_base_tcp is not None
    assert np.array_equal(one.T_base_tcp, same.T_base_tcp) and np.array_equal(one.q, same.q)
    assert not np.array_equal(one.q, other.q)
    assert np.allclose(one.t, 2.0 + 0.1 * np.arange(1, 17))
    R = one.T_base_tcp[:, :3, :3]
    assert np.allclose(R @ R.swapaxes(1, 2), np.eye(3), atol=1e-9)
    assert len(one.q) == 16 and STATE == 17
