"""Recorder, planner and policy share this FK: an error in it shifts every recorded pose."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics, UrdfError
from gensim2_control.limits import JointLimits
from gensim2_control.observation import STATE_NAMES, build_observation
from scipy.spatial.transform import Rotation

RNG = np.random.default_rng(7)
LIMITS = JointLimits.fr3()
RANDOM_Q = RNG.uniform(LIMITS.q_min, LIMITS.q_max, (25, 7))


@pytest.fixture(scope="module")
def plant(urdf_file: Path):  # type: ignore[no-untyped-def]
    """The same description in Drake, without the meshes."""
    from pydrake.multibody.parsing import Parser
    from pydrake.multibody.plant import MultibodyPlant

    text = re.sub(r"<(visual|collision)\b.*?</\1>", "", urdf_file.read_text(), flags=re.S)
    plant = MultibodyPlant(0.0)
    Parser(plant).AddModelsFromString(text, "urdf")
    plant.WeldFrames(plant.world_frame(), plant.GetFrameByName("base"))
    plant.Finalize()
    return plant


@pytest.mark.parametrize("link", ["fr3_link4", "fr3_hand", "fr3_hand_tcp", "fr3_leftfinger"])
def test_fk_and_jacobian_agree_with_drake(plant, kinematics, link: str) -> None:  # type: ignore[no-untyped-def]
    from pydrake.multibody.tree import JacobianWrtVariable

    context = plant.CreateDefaultContext()
    frame = plant.GetFrameByName(link)
    columns = [plant.GetJointByName(name).velocity_start() for name in ARM_JOINTS]
    for q in RANDOM_Q:
        for name, value in zip(ARM_JOINTS, q, strict=True):
            plant.GetJointByName(name).set_angle(context, value)
        expected = plant.CalcRelativeTransform(context, plant.world_frame(), frame)
        np.testing.assert_allclose(kinematics.fk(q, link), expected.GetAsMatrix4(), atol=1e-12)
        spatial = plant.CalcJacobianSpatialVelocity(
            context,
            JacobianWrtVariable.kV,
            frame,
            [0, 0, 0],
            plant.world_frame(),
            plant.world_frame(),
        )[:, columns]
        np.testing.assert_allclose(
            kinematics.jacobian(q, link), np.vstack([spatial[3:], spatial[:3]]), atol=1e-12
        )


def test_many_configurations_at_once(kinematics: Fr3Kinematics) -> None:
    batch = kinematics.fk(RANDOM_Q.reshape(5, 5, 7))
    assert batch.shape == (5, 5, 4, 4)
    np.testing.assert_allclose(batch[2, 3], kinematics.fk(RANDOM_Q[13]), atol=1e-14)


def test_the_root_is_base_and_the_tcp_is_between_the_fingertips(kinematics: Fr3Kinematics) -> None:
    assert kinematics.root == "base"
    np.testing.assert_array_equal(kinematics.fk(RANDOM_Q[0], "base"), np.eye(4))
    T_hand_tcp = np.linalg.inv(kinematics.fk(RANDOM_Q[0], "fr3_hand")) @ kinematics.fk(RANDOM_Q[0])
    np.testing.assert_allclose(T_hand_tcp[:3, 3], [0.0, 0.0, 0.1034], atol=1e-12)


def test_unknown_links_and_wrong_sizes_are_errors(kinematics: Fr3Kinematics) -> None:
    with pytest.raises(KeyError, match="no link 'panda_hand'"):
        kinematics.fk(RANDOM_Q[0], "panda_hand")
    with pytest.raises(ValueError, match="shape"):
        kinematics.fk(np.zeros(9))


@pytest.mark.parametrize(
    ("pattern", "replacement", "text"),
    [
        ("</robot>", "", "not XML"),
        ('name="fr3_joint3" type="revolute"', 'name="fr3_joint3" type="planar"', "fr3_joint3"),
        ('name="fr3_joint3"', 'name="joint3"', "missing: fr3_joint3"),
        ('<parent link="fr3_link2"', '<parent link="nowhere"', "nowhere"),
        ('<link name="base">', '<link name="island" /><link name="base">', "one tree"),
        ('<axis xyz="0 0 1"', '<axis xyz="0 0 0"', "no direction"),
        ('<axis xyz="0 0 1"', '<axis xyz="0 zero 1"', "not numbers"),
    ],
)
def test_broken_descriptions_are_refused(
    urdf_file: Path, pattern: str, replacement: str, text: str
) -> None:
    urdf = urdf_file.read_text()
    assert pattern in urdf
    with pytest.raises(UrdfError, match=text):
        Fr3Kinematics.from_urdf(urdf.replace(pattern, replacement, 1))


def test_observation_finds_joints_by_name_and_pins_frame_and_order(
    kinematics: Fr3Kinematics,
) -> None:
    """The public GenSim2 fed wxyz hand poses in simulation and xyzw flange poses on the robot."""
    q9 = np.concatenate([RANDOM_Q[3], [0.01, 0.03]])
    shuffle = RNG.permutation(9)
    names = [JOINTS[i] for i in shuffle]
    observation = build_observation(1.5, names, q9[shuffle], q9[shuffle] * 2, kinematics)
    T_base_tcp = kinematics.fk(RANDOM_Q[3], "fr3_hand_tcp")
    np.testing.assert_allclose(observation.q, RANDOM_Q[3])
    np.testing.assert_allclose(observation.dq, RANDOM_Q[3] * 2)
    np.testing.assert_allclose(observation.tcp_position, T_base_tcp[:3, 3])
    np.testing.assert_allclose(
        Rotation.from_quat(observation.tcp_quaternion).as_matrix(), T_base_tcp[:3, :3], atol=1e-12
    )
    assert observation.gripper == pytest.approx(0.02)
    vector = dict(zip(STATE_NAMES, observation.vector(), strict=True))
    assert len(vector) == 15
    assert vector["tcp_z"] == T_base_tcp[2, 3]
    assert vector["tcp_qw"] == observation.tcp_quaternion[3]
    assert vector["q7"] == RANDOM_Q[3][6]
    assert vector["gripper"] == observation.gripper


def test_equal_orientations_give_equal_quaternions(kinematics: Fr3Kinematics) -> None:
    """q and -q are the same rotation: a policy must not see the sign flip."""
    for q in RANDOM_Q:
        observation = build_observation(0.0, JOINTS, [*q, 0.0, 0.0], None, kinematics)
        assert observation.tcp_quaternion[3] >= 0


def test_incomplete_joint_states_are_refused(kinematics: Fr3Kinematics) -> None:
    with pytest.raises(ValueError, match="lacks fr3_finger_joint2"):
        build_observation(0.0, JOINTS[:8], np.zeros(8), None, kinematics)
    with pytest.raises(ValueError, match="not finite"):
        build_observation(0.0, JOINTS, [np.nan] * 9, None, kinematics)
    with pytest.raises(ValueError, match="9 names, 8 positions"):
        build_observation(0.0, JOINTS, np.zeros(8), None, kinematics)
