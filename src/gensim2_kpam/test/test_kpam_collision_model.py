"""What counts as a collision, and with what."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_kpam.collision_model import CollisionModel
from gensim2_kpam.plan import SceneObject
from gensim2_tasks.assets import AssetLibrary
from kpam_scenes import HOME, Array, draw, moved

from gensim2_tasks import se3

FAR = se3.transform((5.0, 0.0, 0.0))
# Reaching down: the fingers dip into the table.
INTO_TABLE = np.array([0.0, 0.9, 0.0, -1.6, 0.0, 2.5, 0.785])
# Folded: the hand meets the arm.
FOLDED = np.array([0.0, -0.5, 0.0, -3.0, 0.0, 0.6, 0.785])


@pytest.fixture(scope="module")
def scene(library: AssetLibrary) -> SceneObject:
    return draw("OpenDrawer", library, 3)


@pytest.fixture
def model(urdf: str, scene: SceneObject) -> CollisionModel:
    model = CollisionModel(urdf, scene.asset)
    model.place(FAR, 0.04)
    return model


def at_fingertips(kinematics: Fr3Kinematics, scene: SceneObject, q: Array) -> Array:
    """T_base_root that brings the handle of the object between the fingertips."""
    p_tip = kinematics.fk(q)[:3, 3]
    return moved(scene, p_tip - scene.keypoints["articulated_object_head"]).T_base_root


def test_the_robot_alone(model: CollisionModel) -> None:
    assert not model.in_collision(HOME, 0.0)
    assert not model.in_collision(HOME, 0.0, margin=0.01)
    assert model.in_collision(INTO_TABLE, 0.0)
    assert {body for pair in model.contacts(INTO_TABLE, 0.0, 0.0) for body in pair} <= {
        *("world", "fr3_hand", "fr3_leftfinger", "fr3_rightfinger")
    }
    assert model.in_collision(FOLDED, 0.0)
    assert "fr3_" in model.named_contacts(FOLDED, 0.0, 0.0)


def test_an_object_in_the_hand_collides_until_it_is_placed_elsewhere(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    T = at_fingertips(kinematics, scene, HOME)
    for _ in range(2):
        model.place(T, 0.0)
        assert model.in_collision(HOME, scene.joint_position)
        assert "object/" in model.named_contacts(HOME, scene.joint_position, 0.0)
        model.place(FAR, 0.0)
        assert not model.in_collision(HOME, scene.joint_position)
        assert model.contacts(HOME, scene.joint_position, 0.005) == []


def gap(model: CollisionModel, T: Array, direction: Array, finger: float, part_q: float) -> float:
    """How far (m) an object that touches must be moved away along a direction to be free."""
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        model.place(se3.transform(middle * direction) @ T, finger)
        low, high = (middle, high) if model.in_collision(HOME, part_q) else (low, middle)
    return high


def test_a_margin_sees_what_is_near(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    T, away = at_fingertips(kinematics, scene, HOME), np.array([1.0, 0.0, 0.0])
    free = gap(model, T, away, 0.0, scene.joint_position)
    model.place(se3.transform((free + 0.004) * away) @ T, 0.0)
    assert not model.in_collision(HOME, scene.joint_position)
    assert not model.in_collision(HOME, scene.joint_position, margin=0.001)
    assert model.in_collision(HOME, scene.joint_position, margin=0.01)


def test_open_fingers_need_their_room(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    """An object beside the fingertips must keep off by as much as the finger has moved."""
    p_tip = kinematics.fk(HOME)[:3, 3]
    low, high = scene.asset.bounds(scene.joint_position)
    T = se3.transform(p_tip - 0.5 * (low + high))
    T[2, 3] = p_tip[2] + 0.01 - high[2]  # it reaches the tips, but not the hand
    away = np.array([0.0, 1.0, 0.0])
    closed, opened = (gap(model, T, away, f, scene.joint_position) for f in (0.0, 0.04))
    assert opened - closed == pytest.approx(0.04, abs=0.001)


def test_allowed_contact_is_that_of_hand_and_moving_part_only(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    # Pulled out far, the handle is away from the body of the cabinet.
    drawer = scene.asset.tree.moving.limits[1]
    keypoint = scene.asset.keypoints(drawer)["articulated_object_head"]
    T = se3.transform(kinematics.fk(HOME)[:3, 3] - keypoint)
    T[2, 3] += 0.01  # not deep in the front
    model.place(T, 0.0)
    assert model.touches_part_only(HOME, drawer, 0.0)
    assert model.in_collision(HOME, drawer)
    model.allow_contact(True)
    assert not model.in_collision(HOME, drawer)
    # Farther in, the hand is in the body of the cabinet.
    deep = T.copy()
    deep[0, 3] -= 0.25
    model.place(deep, 0.0)
    assert model.in_collision(HOME, drawer)
    model.allow_contact(False)
    model.place(T, 0.0)
    assert model.in_collision(HOME, drawer)


def test_the_arm_may_not_touch_the_moving_part_even_when_the_hand_may(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    elbow = kinematics.fk(HOME, "fr3_link4")[:3, 3]
    part = scene.asset.keypoints(scene.joint_position)["articulated_object_head"]
    model.place(se3.transform(elbow - part), 0.0)
    model.allow_contact(True)
    assert model.in_collision(HOME, scene.joint_position)
    assert not model.touches_part_only(HOME, scene.joint_position, 0.0)


def test_the_joint_of_the_object_counts(
    model: CollisionModel, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    """A drawer that is pulled out meets a hand that the closed one does not."""
    closed, opened = (scene.asset.joint_position(o) for o in (0.0, 1.0))
    keypoint = scene.asset.keypoints(opened)["articulated_object_head"]
    model.place(se3.transform(kinematics.fk(HOME)[:3, 3] - keypoint), 0.0)
    assert model.in_collision(HOME, opened)
    assert not model.in_collision(HOME, closed)


def test_what_stands_around_is_met_until_it_is_gone(
    urdf: str, kinematics: Fr3Kinematics, scene: SceneObject
) -> None:
    model = CollisionModel(urdf, None)
    there = dataclasses.replace(
        scene, T_base_root=at_fingertips(kinematics, scene, HOME), name="chest"
    )
    model.surround([there])
    assert "object/chest" in model.named_contacts(HOME, 0.0, 0.0)
    model.surround([dataclasses.replace(there, T_base_root=FAR)])
    assert not model.in_collision(HOME, 0.0)
    model.surround([there])
    model.surround([])
    assert not model.in_collision(HOME, 0.0)


def test_what_is_held_goes_with_the_hand(urdf: str, scene: SceneObject) -> None:
    """A rod that reaches from the fingers to below the table, held in two heights."""
    model = CollisionModel(urdf, None)
    rod = np.array([*product((-0.005, 0.005), (-0.005, 0.005), (0.1, 0.7))])
    assert not model.in_collision(HOME, 0.0)
    model.hold([rod])
    assert ("held", "world") in {tuple(sorted(p)) for p in model.contacts(HOME, 0.0, 0.0)}
    model.hold([rod * [1.0, 1.0, 0.2]])
    assert not model.in_collision(HOME, 0.0)
    model.hold([])
    assert not model.in_collision(HOME, 0.0)
