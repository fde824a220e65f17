"""Motions around the actuation pose: GenSim2's, and along the object's own joint."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_kpam.motions import JointAxis
from gensim2_kpam.solver_config import NAMED_MOTIONS, Motion, parse_solver
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kpam_scenes import Array, angle_between, pose_error
from public_solvers import SOLVERS
from scipy.spatial.transform import Rotation

from gensim2_kpam import motions
from gensim2_tasks import se3

NUMBERS = arrays(float, 3, elements={"min_value": -1.0, "max_value": 1.0})
T_PART = se3.transform((0.6, 0.1, 0.2), Rotation.from_euler("xyz", [1.5, 0.2, -0.7]))
T_TOOL = se3.transform((0.5, -0.1, 0.3), Rotation.from_euler("xyz", [3.0, 0.1, 0.6]))


def unit(v: Array) -> Array:
    norm = float(np.linalg.norm(v))
    return v / norm if norm > 0.1 else np.array([0.0, 0.0, 1.0])


def test_pre_motions_are_written_outwards_and_executed_inwards() -> None:
    """CloseBox: [x +0.06, z -0.15] is first 15 cm back, then 6 cm aside, then the goal."""
    pre = parse_solver(SOLVERS["CloseBox"].yaml(), "f").pre_actuation_motions
    first, second = motions.pre_poses(T_TOOL, pre, T_PART, "x")
    x, z = T_TOOL[:3, 0], T_TOOL[:3, 2]
    assert np.allclose(second[:3, 3], T_TOOL[:3, 3] + 0.06 * x)
    assert np.allclose(first[:3, 3], T_TOOL[:3, 3] + 0.06 * x - 0.15 * z)
    assert np.allclose([first[:3, :3], second[:3, :3]], T_TOOL[:3, :3])


def test_without_pre_motions_there_is_no_pre_pose() -> None:
    assert motions.pre_poses(T_TOOL, (), T_PART, "x") == []


@pytest.mark.parametrize(("kind", "axis"), [("translate_x", 0), ("translate_y", 1)])
def test_post_translations_are_in_the_hand_frame(kind: str, axis: int) -> None:
    T = motions.post_pose(T_TOOL, Motion(kind=kind, value=0.1), T_PART, "x")
    assert np.allclose(T[:3, 3] - T_TOOL[:3, 3], 0.1 * T_TOOL[:3, axis])
    assert np.allclose(T[:3, :3], T_TOOL[:3, :3])


@pytest.mark.parametrize("name", NAMED_MOTIONS)
def test_named_motions_are_in_base_whatever_the_hand_does(name: str) -> None:
    T = motions.post_pose(T_TOOL, Motion(kind=name), T_PART, "x")
    assert np.allclose(T[:3, 3] - T_TOOL[:3, 3], NAMED_MOTIONS[name])
    assert np.allclose(T[:3, :3], T_TOOL[:3, :3])
    assert np.allclose(T_TOOL, se3.transform(T_TOOL[:3, 3], T_TOOL[:3, :3]))  # untouched


def test_named_motions_go_where_their_names_say() -> None:
    """Base: x away from the robot, y to its left, z up."""
    ways = {name: np.flatnonzero(v).tolist() for name, v in NAMED_MOTIONS.items()}
    assert ways == {
        **{"move-up": [2], "move-down": [2], "move-left": [1], "move-right": [1]},
        **{"move-forward": [0], "move-backward": [0]},
    }
    for ahead, back in (("up", "down"), ("left", "right"), ("forward", "backward")):
        step = np.array(NAMED_MOTIONS[f"move-{ahead}"])
        assert step.sum() > 0.0
        assert np.allclose(step, -np.array(NAMED_MOTIONS[f"move-{back}"]))


@settings(max_examples=50, deadline=None)
@given(st.floats(-2.0, 2.0), st.sampled_from("xyz"), NUMBERS, st.booleans())
def test_rotate_turns_about_an_axis_of_the_part(
    angle: float, axis: str, point: Array, pre: bool
) -> None:
    T_tool = se3.transform(point, T_TOOL[:3, :3])
    motion = Motion(kind="rotate", value=angle)
    if pre:
        (T,) = motions.pre_poses(T_tool, (motion,), T_PART, axis)
    else:
        T = motions.post_pose(T_tool, motion, T_PART, axis)
    # Seen from the part, everything turns about its axis, and nothing else happens.
    before, after = (se3.inverse(T_PART) @ pose for pose in (T_tool, T))
    turn = Rotation.from_euler(axis, angle).as_matrix()
    assert np.allclose(after[:3, :3], turn @ before[:3, :3], atol=1e-9)
    assert np.allclose(after[:3, 3], turn @ before[:3, 3], atol=1e-9)


@settings(max_examples=80, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, st.floats(-2.5, 2.5), st.floats(0.0, 1.0))
def test_the_contact_follows_a_hinge_on_its_arc(
    point: Array, direction: Array, contact: Array, amount: float, share: float
) -> None:
    joint = JointAxis(point, unit(direction), prismatic=False)
    p_contact = 0.1 * contact
    poses, moved = motions.follow_joint(T_TOOL, p_contact, joint, amount, share)
    assert len(poses) == len(moved) >= 3
    assert moved[0] == 0.0
    assert moved[-1] == pytest.approx(amount)
    assert np.max(np.abs(np.diff(moved))) <= motions.JOINT_STEP + 1e-9
    path = np.array([se3.apply(T, p_contact) for T in poses])
    arms = path - point
    along = arms @ joint.direction
    radial = arms - np.outer(along, joint.direction)
    assert np.allclose(along, along[0], atol=1e-9)  # in one plane
    radius = np.linalg.norm(radial, axis=1)
    assert np.allclose(radius, radius[0], atol=1e-9)  # on one circle
    turned = Rotation.from_rotvec(joint.direction * amount).as_matrix()
    assert np.allclose(arms[-1], turned @ arms[0], atol=1e-9)  # as far as the joint
    # The hand turns by its share, about the same axis.
    for T, m in zip(poses, moved, strict=True):
        R = Rotation.from_matrix(T[:3, :3] @ T_TOOL[:3, :3].T)
        assert np.allclose(R.as_rotvec(), joint.direction * m * share, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, NUMBERS, st.floats(-0.4, 0.4), st.floats(0.0, 1.0))
def test_the_contact_follows_a_slide_without_turning(
    direction: Array, contact: Array, amount: float, share: float
) -> None:
    joint = JointAxis(np.zeros(3), unit(direction), prismatic=True)
    poses, moved = motions.follow_joint(T_TOOL, contact, joint, amount, share)
    for T, m in zip(poses, moved, strict=True):
        assert np.allclose(T[:3, 3] - T_TOOL[:3, 3], m * joint.direction, atol=1e-12)
        assert np.allclose(T[:3, :3], T_TOOL[:3, :3])
    assert np.max(np.abs(np.diff(moved))) <= motions.JOINT_STEP_LINEAR + 1e-9
    assert moved[-1] == pytest.approx(amount)


def test_full_share_carries_the_hand_rigidly() -> None:
    joint = JointAxis(np.array([0.7, 0.0, 0.1]), np.array([0.0, 1.0, 0.0]), prismatic=False)
    poses, _ = motions.follow_joint(T_TOOL, np.array([0.0, 0.0, 0.1]), joint, 0.8, 1.0)
    assert np.allclose(poses[-1], joint.displacement(0.8) @ T_TOOL, atol=1e-9)
    distance, angle = pose_error(poses[0], T_TOOL)
    assert (distance, angle) == pytest.approx((0.0, 0.0), abs=1e-7)
    assert angle_between(poses[-1][:3, 1], joint.direction) == pytest.approx(
        angle_between(T_TOOL[:3, 1], joint.direction)
    )
