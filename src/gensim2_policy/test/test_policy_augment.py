"""Augmentation moves the whole scene: what was consistent before is so afterwards.

The public policy turned clouds, and left states and labels where they were.
"""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.description import robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_policy.augment import Moved, thinned
from gensim2_policy.settings import AugmentSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gensim2_policy import features

B, S, H = 3, 2, 4
seeds = st.integers(0, 2**31).map(np.random.default_rng)


def moved_poses(poses: np.ndarray, moved: Moved) -> np.ndarray:
    """Poses (B, N, 7) of the moved scene, by their definition."""
    out = poses.copy()
    for b in range(len(poses)):
        turn = Rotation.from_euler("z", moved.yaw[b])
        out[b, :, :3] = turn.apply(poses[b, :, :3]) + moved.shift[b]
        out[b, :, 3:] = (turn * Rotation.from_quat(poses[b, :, 3:])).as_quat()
    return out


def poses(rng: np.random.Generator, count: int) -> np.ndarray:
    quaternion = Rotation.random(B * count, random_state=int(rng.integers(2**31))).as_quat()
    return np.concatenate(
        [rng.uniform(-1.0, 1.0, (B, count, 3)), quaternion.reshape(B, count, 4)], -1
    )


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_states_actions_and_clouds_move_together(rng: np.random.Generator) -> None:
    moved = Moved.draw(AugmentSettings(yaw=3.0, shift=0.3), B, rng)
    now, ref, q = poses(rng, S), poses(rng, H), rng.normal(size=(B, S, 7))
    finger, finger_ref = rng.normal(size=(B, S)), rng.normal(size=(B, H))
    q_ref = rng.normal(size=(B, H, 7))
    turned = q + np.eye(7)[0] * moved.yaw[:, None, None]
    now_moved, ref_moved = moved_poses(now, moved), moved_poses(ref, moved)
    assert np.allclose(
        moved.states(features.states(now, q, finger)), features.states(now_moved, turned, finger)
    )
    actions = features.tcp_actions(now[:, -1], ref, q[:, -1], q_ref, finger_ref)
    again = moved.actions(actions, "tcp")
    joints = turned[:, -1], q_ref + np.eye(7)[0] * moved.yaw[:, None, None]
    assert np.allclose(
        again, features.tcp_actions(now_moved[:, -1], ref_moved, *joints, finger_ref)
    )
    # Where an action leads lies at the same place of the cloud as before.
    T = features.tcp_targets(now[:, -1], actions)
    T_moved = features.tcp_targets(now_moved[:, -1], again)
    cloud = rng.normal(size=(B, 1, 20, 3)).astype(np.float32)
    cloud_moved = moved.points(cloud)
    for k in range(H):
        before = np.einsum("bji,bnj->bni", T[:, k, :3, :3], cloud[:, 0] - T[:, k, None, :3, 3])
        after = np.einsum(
            "bji,bnj->bni", T_moved[:, k, :3, :3], cloud_moved[:, 0] - T_moved[:, k, None, :3, 3]
        )
        assert np.allclose(before, after, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_joints_of_a_turned_scene_reach_its_poses(rng: np.random.Generator) -> None:
    """The first joint turns about the axis of base, so that a turned scene needs another angle."""
    arm = Fr3Kinematics.from_urdf(robot_description())
    yaw = rng.uniform(-0.5, 0.5, 1)
    moved = Moved(yaw, np.zeros((1, 3)))
    q = rng.uniform(-1.0, 1.0, (1, S, 7)) * 0.5 + np.array([0, 0, 0, -1.8, 0, 1.8, 0])
    finger = np.zeros((1, S))

    def states(q: np.ndarray) -> np.ndarray:
        T = arm.fk(q)
        quaternion = Rotation.from_matrix(T[..., :3, :3].reshape(-1, 3, 3)).as_quat()
        pose = np.concatenate([T[..., :3, 3], quaternion.reshape(1, S, 4)], -1)
        return features.states(pose, q, finger)

    turned = q.copy()
    turned[..., 0] += yaw[0]
    assert np.allclose(moved.states(states(q)), states(turned), atol=1e-9)
    actions = features.joint_actions(q[:, -1], q, finger)
    assert np.allclose(
        moved.actions(actions, "joints"), features.joint_actions(turned[:, -1], turned, finger)
    )


def test_draws_stay_within_their_ranges_and_differ() -> None:
    moved = Moved.draw(AugmentSettings(yaw=0.2, shift=0.05), 500, np.random.default_rng(0))
    assert 0.18 < np.abs(moved.yaw).max() <= 0.2 and abs(moved.yaw.mean()) < 0.02
    assert 0.045 < np.abs(moved.shift[:, :2]).max() <= 0.05 and not moved.shift[:, 2].any()
    assert len(np.unique(moved.yaw)) == 500
    none = Moved.draw(AugmentSettings(yaw=0.0, shift=0.0), 5, np.random.default_rng(0))
    cloud = np.random.default_rng(1).normal(size=(5, 1, 4, 3)).astype(np.float32)
    assert np.array_equal(none.points(cloud), cloud)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 60), st.floats(0.01, 1.0))
def test_thinned_clouds_keep_their_share_and_order(
    rng: np.random.Generator, count: int, keep: float
) -> None:
    points = np.zeros((B, S, count, 3), np.float32)
    index = thinned(points, keep, rng)
    assert index.shape == (B, count)
    for row in index:
        left = np.unique(row)
        assert len(left) >= max(1, int(keep * count))
        assert np.array_equal(row[: len(left)], left)


@pytest.mark.parametrize("count", [1, 7])
def test_nothing_is_thinned_where_all_is_kept(count: int) -> None:
    index = thinned(np.zeros((2, 1, count, 3), np.float32), 1.0, np.random.default_rng(0))
    assert np.array_equal(index, np.tile(np.arange(count), (2, 1)))
