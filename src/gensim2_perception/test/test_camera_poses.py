"""Camera poses: joints at the instant of the picture, static chains in any shape."""

import numpy as np
import pytest
from gensim2_control.joint_history import (
    JointHistory,
    JointsPendingError,
    JointsUnavailableError,
)
from gensim2_perception.camera_poses import (
    CameraPoses,
    Cause,
    PosePendingError,
    PoseUnavailableError,
)
from gensim2_perception.static_transforms import (
    StaticTransforms,
    TransformUnknownError,
    inverse,
    rigid,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

MS = 1_000_000
JOINTS = tuple(f"fr3_joint{i}" for i in range(1, 8))


def history(**options: float) -> JointHistory:
    return JointHistory(JOINTS, **options)


def random_transform(rng: np.random.Generator) -> np.ndarray:
    return rigid(rng.uniform(-1, 1, 3).tolist(), Rotation.random(rng=rng).as_quat().tolist())


# --- joint history


def test_a_sample_of_the_same_stamp_is_returned_to_the_bit() -> None:
    h = history()
    q = np.random.default_rng(0).uniform(-1, 1, 7)
    h.add(0, JOINTS, [0.0] * 7)
    h.add(10 * MS, JOINTS, q.tolist())
    h.add(20 * MS, JOINTS, [0.0] * 7)
    assert np.array_equal(h.at(10 * MS), q)


@given(st.integers(0, 50 * MS), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_between_samples_the_joints_move_evenly(stamp: int, seed: int) -> None:
    q0, dq = np.random.default_rng(seed).uniform(-1, 1, (2, 7))
    h = history()
    for k in range(6):
        h.add(k * 10 * MS, JOINTS, (q0 + dq * k * 0.01).tolist())
    assert np.allclose(h.at(stamp), q0 + dq * stamp * 1e-9, atol=1e-12)


def test_nothing_is_extrapolated_and_no_hole_is_bridged() -> None:
    """At 1 rad/s a pose guessed over 0.2 s puts the wrist cloud 10 cm off."""
    h = history(max_gap_s=0.05)
    with pytest.raises(JointsPendingError):
        h.at(0)
    h.add(100 * MS, JOINTS, [0.0] * 7)
    with pytest.raises(JointsPendingError):
        h.at(101 * MS)
    with pytest.raises(JointsUnavailableError, match="starts"):
        h.at(99 * MS)
    h.add(300 * MS, JOINTS, [1.0] * 7)
    with pytest.raises(JointsUnavailableError, match=r"hole of 0\.200 s"):
        h.at(200 * MS)


def test_joints_are_found_by_name() -> None:
    """A driver that lists the fingers first must not move the camera."""
    h = history()
    names = ["fr3_finger_joint1", *reversed(JOINTS), "fr3_finger_joint2"]
    h.add(0, names, [9.0, *reversed(range(7)), 9.0])
    assert h.at(0).tolist() == list(range(7))
    with pytest.raises(ValueError, match="lacks fr3_joint7"):
        h.add(1, JOINTS[:6], [0.0] * 6)
    with pytest.raises(ValueError, match="finite"):
        h.add(1, JOINTS, [np.nan] * 7)


def test_history_forgets_the_old_and_an_old_epoch() -> None:
    h = history(horizon_s=1.0)
    for k in range(300):
        assert not h.add(k * 10 * MS, JOINTS, [float(k)] * 7)
    with pytest.raises(JointsUnavailableError):
        h.at(500 * MS)
    assert h.at(2500 * MS)[0] == 250.0
    assert not h.add(2985 * MS, JOINTS, [0.0] * 7), "out of order is no jump"
    assert h.add(0, JOINTS, [7.0] * 7), "the clock was set back"
    with pytest.raises(JointsPendingError):
        h.at(2500 * MS)
    assert h.at(0)[0] == 7.0


def test_while_time_stands_still_the_newest_word_counts() -> None:
    h = history()
    h.add(0, JOINTS, [1.0] * 7)
    h.add(0, JOINTS, [2.0] * 7)
    assert h.at(0)[0] == 2.0


# --- static transforms


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_chains_compose_through_a_common_ancestor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    T_world_base, T_world_rig, T_rig_optical = (random_transform(rng) for _ in range(3))
    statics = StaticTransforms()
    statics.set("rig", "optical", T_rig_optical)
    statics.set("world", "base", T_world_base)
    statics.set("world", "rig", T_world_rig)
    expected = np.linalg.inv(T_world_base) @ T_world_rig @ T_rig_optical
    assert np.allclose(statics.lookup("base", "optical"), expected, atol=1e-12)
    assert np.allclose(statics.lookup("optical", "base"), np.linalg.inv(expected), atol=1e-12)
    assert np.allclose(statics.lookup("base", "base"), np.eye(4))
    assert np.allclose(inverse(expected) @ expected, np.eye(4), atol=1e-12)


def test_the_newest_calibration_counts() -> None:
    statics = StaticTransforms()
    for x in (1.0, 2.0):
        statics.set("base", "optical", rigid((x, 0, 0), (0, 0, 0, 1)))
    assert statics.lookup("base", "optical")[0, 3] == 2.0


def test_separate_trees_loops_and_bad_poses_are_named() -> None:
    statics = StaticTransforms()
    statics.set("base", "fr3_link0", np.eye(4))
    statics.set("fr3_hand", "optical", np.eye(4))
    with pytest.raises(TransformUnknownError, match="hangs under fr3_hand, base under base"):
        statics.lookup("base", "optical")
    with pytest.raises(TransformUnknownError):
        statics.mount("fr3_link0", ["fr3_hand"])
    with pytest.raises(ValueError, match="loop"):
        statics.set("optical", "fr3_hand", np.eye(4))
    with pytest.raises(ValueError, match="empty"):
        statics.set("", "optical", np.eye(4))
    with pytest.raises(ValueError, match=r"length 0\.5"):
        rigid((0, 0, 0), (0, 0, 0, 0.5))
    with pytest.raises(ValueError, match="finite"):
        rigid((0, np.nan, 0), (0, 0, 0, 1))


# --- poses


class SlidingHand:
    """A robot whose hand is q[0] metres ahead."""

    def fk(self, q: np.ndarray, link: str) -> np.ndarray:
        assert link == "fr3_hand"
        return rigid((q[0], 0, 0), (0, 0, 0, 1))


def wrist() -> CameraPoses:
    statics = StaticTransforms()
    # As a robot state publisher and a calibration put it: the hand itself has static ancestors.
    statics.set("base", "fr3_link0", np.eye(4))
    statics.set("fr3_link7", "fr3_link8", np.eye(4))
    statics.set("fr3_link8", "fr3_hand", np.eye(4))
    statics.set("fr3_hand", "wrist_link", rigid((0, 0, 0.1), (0, 0, 0, 1)))
    statics.set("wrist_link", "wrist_optical", rigid((0, 0.02, 0), (0, 0, 0, 1)))
    statics.set("fr3_link0", "left_optical", rigid((0, 1, 0), (0, 0, 0, 1)))
    return CameraPoses(statics, history(), SlidingHand())


def test_fixed_camera_needs_neither_joints_nor_kinematics() -> None:
    poses = wrist()
    poses.kinematics = None
    assert poses.at("left_optical", 5)[1, 3] == 1.0


def test_wrist_camera_rides_on_the_hand_at_the_stamp_of_the_image() -> None:
    poses = wrist()
    poses.joints.add(0, JOINTS, [0.0] * 7)
    poses.joints.add(10 * MS, JOINTS, [1.0] * 7)
    T = poses.at("wrist_optical", 4 * MS)
    assert np.allclose(T, rigid((0.4, 0.02, 0.1), (0, 0, 0, 1)))


def test_what_is_awaited_is_told_apart_from_what_is_lost() -> None:
    poses = wrist()
    poses.kinematics = None
    with pytest.raises(PosePendingError) as description:
        poses.at("wrist_optical", 10 * MS)
    poses.kinematics = SlidingHand()
    with pytest.raises(PosePendingError) as joints:
        poses.at("wrist_optical", 10 * MS)
    with pytest.raises(PosePendingError, match="/tf_static") as calibration:
        poses.at("right_optical", 10 * MS)
    causes = [e.value.cause for e in (description, joints, calibration)]
    assert causes == [Cause.DESCRIPTION, Cause.JOINTS, Cause.CALIBRATION]
    poses.joints.add(20 * MS, JOINTS, [0.0] * 7)
    with pytest.raises(PoseUnavailableError, match="starts"):
        poses.at("wrist_optical", 10 * MS)
