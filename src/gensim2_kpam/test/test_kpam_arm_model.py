"""The planner's arm is the body's arm: kinematics, limits, locked fingers."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_kpam.arm_model import ArmModel, strip_urdf
from gensim2_kpam.tool import HAND_LINK, TOOL_KEYPOINTS
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from kpam_scenes import HOME
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import MultibodyPlant

LIMITS = JointLimits.fr3()
SHARES = arrays(float, 7, elements={"min_value": 0.0, "max_value": 1.0})


def configuration(share: np.ndarray) -> np.ndarray:
    return LIMITS.q_min + share * (LIMITS.q_max - LIMITS.q_min)


@settings(max_examples=80, deadline=None)
@given(SHARES)
def test_kinematics_are_those_of_the_body(
    arm: ArmModel, kinematics: Fr3Kinematics, share: np.ndarray
) -> None:
    q = configuration(share)
    T_base_hand = arm.fk(q)
    assert np.allclose(T_base_hand, kinematics.fk(q, HAND_LINK), atol=1e-9)
    assert np.allclose(T_base_hand @ arm.T_hand_tcp, kinematics.fk(q), atol=1e-9)
    # Drake puts the angular rows first.
    assert np.allclose(
        arm.jacobian(q), np.roll(kinematics.jacobian(q, HAND_LINK), 3, axis=0), atol=1e-9
    )


def test_limits_are_inside_those_of_the_body(arm: ArmModel) -> None:
    assert arm.within_limits(HOME)
    for limit, inwards in ((LIMITS.q_min, 1.0), (LIMITS.q_max, -1.0)):
        for joint in range(7):
            q = HOME.copy()
            q[joint] = limit[joint]
            assert not arm.within_limits(q), joint
            q[joint] += 0.07 * inwards
            assert arm.within_limits(q), joint


def test_locked_fingers_stand_where_moving_ones_would(urdf: str) -> None:
    def fingers(text: str, opening: float | None) -> list[np.ndarray]:
        plant = MultibodyPlant(0.0)
        Parser(plant).AddModelsFromString(text, "urdf")
        plant.WeldFrames(plant.world_frame(), plant.GetFrameByName("base"))
        plant.Finalize()
        context = plant.CreateDefaultContext()
        q = HOME if opening is None else np.concatenate([HOME, [opening, opening]])
        plant.SetPositions(context, q)
        return [
            plant.GetFrameByName(f"fr3_{side}finger").CalcPoseInWorld(context).GetAsMatrix4()
            for side in ("left", "right")
        ]

    locked = fingers(strip_urdf(urdf, keep_collisions=False, finger=0.03), None)
    moving = fingers(strip_urdf(urdf, keep_collisions=False), 0.03)
    assert np.allclose(locked, moving, atol=1e-9)
    assert np.linalg.norm(locked[0][:3, 3] - locked[1][:3, 3]) > 0.05


def finger(urdf: str) -> tuple[np.ndarray, float, np.ndarray]:
    """Of the left finger in ``fr3_hand``: its root (3,), its way (m), bounds (2, 3) of its pad."""
    robot = ET.fromstring(urdf)
    joint = robot.find("joint[@name='fr3_finger_joint1']")
    assert joint is not None
    root = np.array([float(x) for x in joint.find("origin").attrib["xyz"].split()])  # type: ignore[union-attr]
    boxes = []
    for shape in robot.findall("link[@name='fr3_leftfinger']/collision"):
        size, centre = (
            np.array([float(x) for x in text.split()])
            for text in (
                shape.find("geometry/box").attrib["size"],  # type: ignore[union-attr]
                shape.find("origin").attrib["xyz"],  # type: ignore[union-attr]
            )
        )
        boxes.append(root + np.stack([centre - size / 2, centre + size / 2]))
    pad = max(boxes, key=lambda box: box[1, 2])  # what reaches farthest
    return root, float(joint.find("limit").attrib["upper"]), pad  # type: ignore[union-attr]


def test_tool_keypoints_are_where_the_description_has_the_fingers(arm: ArmModel, urdf: str) -> None:
    root, way, pad = finger(urdf)
    head, tail, side = (TOOL_KEYPOINTS[f"tool_{name}"] for name in ("head", "tail", "side"))
    # Between the pads, at the TCP.
    assert np.allclose(head, arm.T_hand_tcp[:3, 3], atol=0.002)
    assert pad[0, 2] < head[2] < pad[1, 2]
    # Between the fingers, farther back than their pads, not behind their roots.
    assert np.allclose(tail[:2], head[:2])
    assert root[2] < tail[2] < pad[0, 2]
    # In the pad of the open finger, beside the head.
    assert np.allclose(side[[0, 2]], head[[0, 2]])
    assert pad[0, 1] + way < side[1] < pad[1, 1] + way
