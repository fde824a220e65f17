"""Numbers of states and actions: rotations survive them, and actions lead where they came from."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_policy.normaliser import LEAST, Scale
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from gensim2_policy import features


def poses(rng: np.random.Generator, *shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    quaternion = Rotation.random(count, random_state=int(rng.integers(2**31))).as_quat()
    flat = np.hstack([rng.uniform(-1.0, 1.0, (count, 3)), quaternion])
    return flat.reshape(*shape, 7)


seeds = st.integers(0, 2**31).map(np.random.default_rng)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_two_columns_are_a_rotation(rng: np.random.Generator) -> None:
    R = features.rotation_of(poses(rng, 4, 3))
    assert np.allclose(R @ R.swapaxes(-1, -2), np.eye(3)) and np.allclose(np.linalg.det(R), 1.0)
    assert np.allclose(features.matrix_of(features.columns_of(R)), R)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_any_two_columns_give_a_rotation(rng: np.random.Generator) -> None:
    R = features.matrix_of(3.0 * rng.normal(size=(5, 6)))
    assert np.allclose(R @ R.swapaxes(-1, -2), np.eye(3)) and np.allclose(np.linalg.det(R), 1.0)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_quaternions_are_x_y_z_w_and_their_sign_means_nothing(rng: np.random.Generator) -> None:
    pose = poses(rng, 3)
    other = pose * np.r_[1, 1, 1, -1, -1, -1, -1]
    x, y, z, w = pose[0, 3:]
    assert np.allclose(features.rotation_of(pose)[0, 0, 0], 1.0 - 2.0 * (y * y + z * z))
    assert np.allclose(features.rotation_of(pose)[0, 1, 0], 2.0 * (x * y + z * w))
    q, finger = rng.normal(size=(3, 7)), rng.normal(size=3)
    assert np.allclose(features.states(pose, q, finger), features.states(other, q, finger))


def test_states_have_their_width() -> None:
    rng = np.random.default_rng(0)
    pose, q, finger = poses(rng, 2, 5), rng.normal(size=(2, 5, 7)), rng.normal(size=(2, 5))
    made = features.states(pose, q, finger)
    assert made.shape == (2, 5, features.STATE)
    assert np.array_equal(made[..., :3], pose[..., :3]) and np.array_equal(made[..., 9], finger)
    assert np.array_equal(made[..., 10:], q)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_actions_of_the_tcp_lead_to_the_commands(rng: np.random.Generator) -> None:
    now, ref, finger = poses(rng, 2), poses(rng, 2, 4), rng.normal(size=(2, 4))
    q, q_ref = rng.normal(size=(2, 7)), rng.normal(size=(2, 4, 7))
    actions = features.tcp_actions(now, ref, q, q_ref, finger)
    T = features.tcp_targets(now, actions)
    again, finger_again = features.joint_targets(q, actions)
    assert actions.shape == (2, 4, 17) and np.allclose(again, q_ref)
    assert np.allclose(T[..., :3, 3], ref[..., :3])
    assert np.allclose(T[..., :3, :3], features.rotation_of(ref))
    assert np.array_equal(finger_again, finger)
    assert np.array_equal(T[..., 3, :], np.broadcast_to([0.0, 0.0, 0.0, 1.0], (2, 4, 4)))


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_actions_of_joints_lead_to_the_commands(rng: np.random.Generator) -> None:
    q, ref, finger = rng.normal(size=(2, 7)), rng.normal(size=(2, 4, 7)), rng.normal(size=(2, 4))
    actions = features.joint_actions(q, ref, finger)
    again, finger_again = features.joint_targets(q, actions)
    assert actions.shape == (2, 4, 8)
    assert np.allclose(again, ref) and np.array_equal(finger_again, finger)


def test_to_stay_is_no_motion() -> None:
    now = poses(np.random.default_rng(0), 1)
    q = np.ones((1, 7))
    action = features.tcp_actions(now, now[:, None], q, q[:, None], np.full((1, 1), 0.04))
    assert np.allclose(action[..., features.TCP_COLUMNS], [0, 0, 0, 1, 0, 0, 0, 1, 0])
    assert np.allclose(action[..., 9:], [0.04, 0, 0, 0, 0, 0, 0, 0])


values = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=3, max_side=6),
    elements=st.floats(-1e3, 1e3, width=32),
)


@settings(max_examples=50, deadline=None)
@given(values)
def test_scale_brings_what_it_was_fitted_to_within_one(array: np.ndarray) -> None:
    scale = Scale.fit(array)
    scaled = scale.apply(array)
    assert np.abs(scaled).max() <= 1.0 + 1e-6
    assert np.allclose(scale.undo(scaled), array, atol=1e-9)
    wide = np.ptp(array.reshape(-1, array.shape[-1]), 0) > 2.0 * LEAST
    flat = scaled.reshape(-1, array.shape[-1])
    assert np.allclose(flat.max(0)[wide], 1.0) and np.allclose(flat.min(0)[wide], -1.0)


def test_what_hardly_moves_is_not_blown_up() -> None:
    scale = Scale.fit(np.array([[1.0, 0.0], [1.0, 1e-6]]))
    assert np.array_equal(scale.scale, [LEAST, LEAST])
    assert np.abs(scale.apply(np.array([[1.0, 1e-6]]))).max() < 1e-2


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.array([[np.nan]]), np.array([[np.inf]])])
def test_scale_of_nothing_or_of_nonsense(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite values"):
        Scale.fit(bad)
