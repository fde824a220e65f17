"""Rigid transforms: geometry that must hold whatever the numbers are."""

import numpy as np
import pytest
from asset_samples import UNTIMED
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

lengths = st.floats(-5.0, 5.0)
points = st.tuples(lengths, lengths, lengths).map(np.array)
angles = st.floats(-3.2, 3.2)
axes = points.map(
    lambda v: v / np.linalg.norm(v) if np.linalg.norm(v) > 1e-3 else np.array([0.0, 0.0, 1.0])
)
transforms = st.builds(
    lambda p, axis, angle: se3.transform(p, Rotation.from_rotvec(axis * angle)),
    points, axes, angles,
)  # fmt: skip


@UNTIMED
@given(transforms, transforms, points)
def test_the_inverse_undoes_a_transform_and_composition_is_application(T_a_b, T_b_c, p):
    assert se3.inverse(T_a_b) @ T_a_b == pytest.approx(np.eye(4), abs=1e-9)
    there = se3.apply(T_a_b, p)
    assert se3.apply(se3.inverse(T_a_b), there) == pytest.approx(p, abs=1e-9)
    assert se3.apply(T_a_b @ T_b_c, p) == pytest.approx(
        se3.apply(T_a_b, se3.apply(T_b_c, p)), abs=1e-9
    )
    stack = se3.apply(T_a_b, np.broadcast_to(p, (2, 3, 3)))
    assert stack == pytest.approx(np.broadcast_to(there, (2, 3, 3)), abs=1e-9)


@UNTIMED
@given(transforms)
def test_a_quaternion_keeps_the_rotation_and_has_one_sign(T):
    q = se3.quat_xyzw(T)
    assert np.linalg.norm(q) == pytest.approx(1.0) and q[3] >= 0.0
    assert se3.from_xyz_quat(T[:3, 3], q) == pytest.approx(T, abs=1e-9)
    assert se3.from_xyz_quat(T[:3, 3], -q) == pytest.approx(T, abs=1e-9)


def test_quaternions_are_xyzw():
    half = np.sqrt(0.5)
    T = se3.from_xyz_quat([1, 2, 3], [0, 0, half, half])
    assert se3.apply(T, [1, 0, 0]) == pytest.approx([1, 3, 3])
    assert se3.quat_xyzw(T) == pytest.approx([0, 0, half, half])
    with pytest.raises(ValueError, match="zero norm"):
        se3.from_xyz_quat([0, 0, 0], [0, 0, 0, 0])


@UNTIMED
@given(points, angles, angles, angles)
def test_roll_pitch_yaw_turn_about_static_axes(p, roll, pitch, yaw):
    T = se3.from_xyz_rpy(p, [roll, pitch, yaw])
    expected = np.eye(3)
    for axis, angle in ((0, roll), (1, pitch), (2, yaw)):
        c, s = np.cos(angle), np.sin(angle)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        R = np.eye(3)
        R[i, i], R[i, j], R[j, i], R[j, j] = c, -s, s, c
        expected = R @ expected
    assert T[:3, :3] == pytest.approx(expected, abs=1e-9)
    assert T[:3, 3] == pytest.approx(p)


@UNTIMED
@given(angles, points)
def test_yaw_is_the_turn_about_z(yaw, p):
    T = se3.from_xyz_rpy(p, [0.0, 0.0, yaw])
    assert np.exp(1j * se3.yaw_of(T)) == pytest.approx(np.exp(1j * yaw), abs=1e-9)


@UNTIMED
@given(points, axes, angles, angles, points, lengths)
def test_a_turn_about_a_line_leaves_the_line_and_carries_the_rest_round_it(
    point, axis, one, two, p, along
):
    T = se3.about_line(point, axis, one)
    on_line = point + along * axis
    assert se3.apply(T, on_line) == pytest.approx(on_line, abs=1e-8)
    both = se3.about_line(point, axis, two) @ T
    assert both == pytest.approx(se3.about_line(point, axis, one + two), abs=1e-8)
    # Rodrigues' formula.
    v = p - point
    turned = (
        v * np.cos(one) + np.cross(axis, v) * np.sin(one) + axis * (axis @ v) * (1.0 - np.cos(one))
    )
    assert se3.apply(T, p) == pytest.approx(point + turned, abs=1e-8)
