"""Reading URDF, and forward kinematics against Drake."""

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import MultibodyPlant
from robot_state_publisher.model import RobotModel, UrdfError, parse_urdf
from scipy.spatial.transform import Rotation
from tf2_ros.geometry import IDENTITY, Rigid, compose

FR3 = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"


def matrix(transform: Rigid) -> np.ndarray:
    result = np.eye(4)
    result[:3, 3] = transform[0]
    result[:3, :3] = Rotation.from_quat(transform[1]).as_matrix()
    return result


def link_poses(model: RobotModel, positions: dict[str, float]) -> dict[str, np.ndarray]:
    """T_root_link of all links, by walking the joints."""
    poses: dict[str, Rigid] = {model.root: IDENTITY}
    todo = list(model.joints)
    while todo:
        joint = todo.pop(0)
        if joint.parent not in poses:
            todo.append(joint)
            continue
        position = positions.get(joint.name, 0.0)
        poses[joint.child] = compose(poses[joint.parent], joint.transform(position))
    return {link: matrix(pose) for link, pose in poses.items()}


def drake_poses(urdf: str, model: RobotModel, positions: dict[str, float]) -> dict:
    """The same from Drake."""
    plant = MultibodyPlant(0.0)
    parser = Parser(plant)
    (instance,) = parser.AddModelsFromString(urdf, "urdf")
    plant.Finalize()
    context = plant.CreateDefaultContext()
    for name, position in positions.items():
        joint = plant.GetJointByName(name, instance)
        plant.SetPositions(
            context, _with(plant.GetPositions(context), joint.position_start(), position)
        )
    root = plant.GetBodyByName(model.root, instance)
    return {
        link: plant.CalcRelativeTransform(
            context, root.body_frame(), plant.GetBodyByName(link, instance).body_frame()
        ).GetAsMatrix4()
        for link in {model.root, *(joint.child for joint in model.joints)}
    }


def _with(values: np.ndarray, index: int, value: float) -> np.ndarray:
    changed = values.copy()
    changed[index] = value
    return changed


numbers = st.floats(-2, 2)
vectors = st.tuples(numbers, numbers, numbers)


@st.composite
def robots(draw: st.DrawFn) -> tuple[str, dict[str, float]]:
    """A random tree of links as URDF, and positions for its joints."""
    count = draw(st.integers(1, 6))
    parts, positions = ["<robot name='r'><link name='l0'/>"], {}
    for i in range(1, count + 1):
        kind = draw(st.sampled_from(["revolute", "continuous", "prismatic", "fixed"]))
        parent = draw(st.integers(0, i - 1))
        axis = draw(vectors.filter(lambda v: math.hypot(*v) > 0.1))
        limit = "<limit lower='-9' upper='9' effort='1' velocity='1'/>"
        xyz, rpy, axis_text = (
            quoteattr(" ".join(map(repr, v))) for v in (draw(vectors), draw(vectors), axis)
        )
        parts.append(
            f"<link name='l{i}'/><joint name='j{i}' type='{kind}'>"
            f"<parent link='l{parent}'/><child link='l{i}'/><origin xyz={xyz} rpy={rpy}/>"
            f"<axis xyz={axis_text}/>{limit}</joint>"
        )
        if kind != "fixed":
            positions[f"j{i}"] = draw(numbers)
    return "".join(parts) + "</robot>", positions


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(robots())
def test_random_robots_move_as_in_drake(robot: tuple[str, dict[str, float]]) -> None:
    urdf, positions = robot
    model = parse_urdf(urdf)
    expected = drake_poses(urdf, model, positions)
    found = link_poses(model, positions)
    assert set(found) == set(expected)
    for link, pose in expected.items():
        # Drake takes an axis that is within 1e-8 of a coordinate axis for that one.
        np.testing.assert_allclose(found[link], pose, atol=1e-6, err_msg=link)


@pytest.mark.skipif(not FR3.is_file(), reason="the package gensim2 is not beside this one")
def test_the_fr3_moves_as_in_drake() -> None:
    text = FR3.read_text(encoding="utf-8")
    model = parse_urdf(text)
    # Drake needs no meshes for kinematics, and there may be no package path for them.
    tree = ElementTree.fromstring(text)
    for link in tree.findall("link"):
        for mesh in [*link.findall("visual"), *link.findall("collision")]:
            link.remove(mesh)
    text = ElementTree.tostring(tree, encoding="unicode")
    rng = np.random.default_rng(1)
    names = [f"fr3_joint{i}" for i in range(1, 8)] + ["fr3_finger_joint1", "fr3_finger_joint2"]
    assert [joint.name for joint in model.movable] == names
    assert model.root == "base"
    for _ in range(5):
        positions = dict(zip(names, rng.uniform(0.0, 0.04, 9), strict=True))
        positions.update(zip(names[:7], rng.uniform(-1.5, 1.5, 7), strict=True))
        expected = drake_poses(text, model, positions)
        found = link_poses(model, positions)
        for link, pose in expected.items():
            np.testing.assert_allclose(found[link], pose, atol=1e-9, err_msg=link)


def robot(body: str) -> str:
    return f"<robot name='r'><link name='a'/><link name='b'/>{body}</robot>"


def joint(inner: str = "", kind: str = "revolute", parent: str = "a", child: str = "b") -> str:
    return (
        f"<joint name='j' type='{kind}'><parent link='{parent}'/><child link='{child}'/>"
        f"{inner}</joint>"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not XML"),
        ("robot.urdf", "not XML"),
        ("<sdf/>", "<sdf>"),
        ("<robot name='r'/>", "no links"),
        (robot(""), "exactly one root"),
        (robot(joint(parent="c")), "joint 'j' refers to the unknown link 'c'"),
        (robot(joint(parent="b")), "loop"),
        (robot(joint() + joint()), "more than one joint is called"),
        (robot(joint(kind="ball")), "unknown type 'ball'"),
        (robot("<joint name='j' type='fixed'/>"), "needs a parent and a child"),
        (robot(joint("<origin xyz='1 2'/>")), "origin xyz of joint 'j' is not three numbers"),
        (robot(joint("<origin rpy='0 0 nan'/>")), "not finite"),
        (robot(joint("<axis xyz='0 0 0'/>")), "axis of joint 'j' is zero"),
        (robot(joint("<mimic joint='q'/>")), "mimics the unknown 'q'"),
        (robot(joint("<mimic joint='j' offset='x'/>")), "mimic offset"),
        (robot("<link name='a'/>" + joint()), "more than one link is called"),
    ],
)
def test_what_is_wrong_with_a_urdf_is_said(text: str, complaint: str) -> None:
    with pytest.raises(UrdfError, match=complaint):
        parse_urdf(text)


def test_joints_with_several_degrees_of_freedom_are_held_fixed() -> None:
    model = parse_urdf(robot(joint("<origin xyz='1 0 0'/>", kind="floating")))
    assert model.fixed == model.unsupported == model.joints
    assert model.joints[0].transform(3.0)[0] == (1.0, 0.0, 0.0)
