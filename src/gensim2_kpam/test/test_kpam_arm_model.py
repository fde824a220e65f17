"""The planner's arm is the body's arm: kinematics, limits, locked fingers."""

from __future__ import annotations

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


def test_tool_keypoints_lie_on_the_fingers(arm: ArmModel) -> None:
    """Near the TCP between the tips, behind it between the roots, and on one open finger."""
    head, tail, side = (TOOL_KEYPOINTS[f"tool_{name}"] for name in ("head", "tail", "side"))
    assert np.allclose(head, arm.T_hand_tcp[:3, 3], atol=0.005)
    assert np.allclose(tail[:2], head[:2])
    assert 0.02 < head[2] - tail[2] < 0.05
    assert 0.04 < side[1] < 0.07  # where an open finger is
    assert np.allclose(side[[0, 2]], head[[0, 2]])
