"""Quaternions here are (x, y, z, w): scipy, which uses the same order, is the judge."""

import math

import numpy as np
import tf_transformations as tft
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

angles = st.floats(-math.pi, math.pi)
quaternions = (
    st.tuples(*[st.floats(-1, 1)] * 4)
    .filter(lambda q: math.hypot(*q) > 0.1)
    .map(lambda q: np.asarray(q) / math.hypot(*q))
)


def angle_between(a: np.ndarray, b: Rotation) -> float:
    return float((Rotation.from_quat(a).inv() * b).magnitude())


def test_the_order_is_x_y_z_w() -> None:
    np.testing.assert_allclose(tft.quaternion_from_euler(math.pi, 0, 0), [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(tft.quaternion_from_matrix(np.eye(4)), [0, 0, 0, 1])


@settings(deadline=None)
@given(angles, angles, angles, st.sampled_from([("sxyz", "xyz"), ("szyx", "zyx"), ("rzyx", "ZYX")]))
def test_euler_angles(a: float, b: float, c: float, axes: tuple[str, str]) -> None:
    reference = Rotation.from_euler(axes[1], [a, b, c])
    quaternion = tft.quaternion_from_euler(a, b, c, axes[0])
    assert angle_between(quaternion, reference) < 1e-6
    np.testing.assert_allclose(
        tft.euler_matrix(a, b, c, axes[0])[:3, :3], reference.as_matrix(), atol=1e-9
    )
    back = tft.quaternion_from_euler(*tft.euler_from_quaternion(quaternion, axes[0]), axes[0])
    assert angle_between(back, reference) < 1e-5


@settings(deadline=None)
@given(quaternions, quaternions)
def test_quaternion_algebra(p: np.ndarray, q: np.ndarray) -> None:
    product = Rotation.from_quat(p) * Rotation.from_quat(q)
    assert angle_between(tft.quaternion_multiply(p, q), product) < 1e-6
    assert angle_between(tft.quaternion_inverse(p), Rotation.from_quat(p).inv()) < 1e-6
    np.testing.assert_allclose(tft.quaternion_conjugate(p), p * [-1, -1, -1, 1])
    matrix = tft.quaternion_matrix(p)
    np.testing.assert_allclose(matrix[:3, :3], Rotation.from_quat(p).as_matrix(), atol=1e-9)
    assert angle_between(tft.quaternion_from_matrix(matrix), Rotation.from_quat(p)) < 1e-6


@settings(deadline=None)
@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_divides_the_shorter_arc(p: np.ndarray, q: np.ndarray, ratio: float) -> None:
    found = tft.quaternion_slerp(p, q, ratio)
    whole = angle_between(p, Rotation.from_quat(q))
    assert abs(angle_between(p, Rotation.from_quat(found)) - ratio * whole) < 1e-5


def test_matrices() -> None:
    turn = tft.quaternion_about_axis(math.pi / 2, (0, 0, 1))
    pose = tft.concatenate_matrices(tft.translation_matrix((1, 2, 3)), tft.quaternion_matrix(turn))
    np.testing.assert_allclose(pose @ [1, 0, 0, 1], [1, 3, 3, 1], atol=1e-12)
    np.testing.assert_allclose(tft.inverse_matrix(pose) @ pose, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(tft.translation_from_matrix(pose), [1, 2, 3])
    scale, shear, euler, translation = tft.decompose_matrix(pose)
    rebuilt = tft.compose_matrix(scale, shear, euler, translation)
    np.testing.assert_allclose(rebuilt, pose, atol=1e-12)
    np.testing.assert_allclose(euler, [0, 0, math.pi / 2], atol=1e-12)
    assert tft.is_same_transform(pose, 2 * pose)
    angle, axis, _ = tft.rotation_from_matrix(tft.rotation_matrix(0.3, (0, 1, 0), (1, 0, 0)))
    np.testing.assert_allclose(angle * np.asarray(axis), [0, 0.3, 0], atol=1e-12)


@settings(deadline=None)
@given(st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3))
def test_random_rotations_are_unit_and_repeatable(rand: tuple) -> None:
    quaternion = tft.random_quaternion(rand)
    assert abs(tft.vector_norm(quaternion) - 1) < 1e-12
    np.testing.assert_array_equal(quaternion, tft.random_quaternion(rand))


def test_vectors() -> None:
    for directed, degrees in ((True, 135), (False, 45)):
        angle = tft.angle_between_vectors((1, 0, 0), (-1, 1, 0), directed=directed)
        assert abs(angle - math.radians(degrees)) < 1e-12
    rows = np.array([[3.0, 4.0], [0.0, 2.0]])
    np.testing.assert_allclose(tft.unit_vector(rows, axis=1), [[0.6, 0.8], [0.0, 1.0]])
    np.testing.assert_allclose(tft.vector_norm(rows, axis=1), [5, 2])
