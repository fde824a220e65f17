"""Plans and scenes as messages: nothing is lost, and nothing malformed gets through."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_kpam.plan import Phase, Plan, PlanCode, PlanFailure
from gensim2_kpam.planner import Planner
from gensim2_kpam.solver_config import load_solver
from gensim2_tasks.assets import AssetLibrary
from hypothesis import given, settings
from hypothesis import strategies as st
from kpam_scenes import HOME, draw

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")

from builtin_interfaces.msg import Time
from gensim2_kpam.kpam_messages_node import (
    SceneMessageError,
    StartMessageError,
    arm_configuration,
    plan_from_result,
    plan_result,
    scene_object,
)
from kpam_messages import scene_message
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

from gensim2_msgs.action import PlanTask
from gensim2_msgs.msg import PlanPhase, SceneState


def over_the_wire(result: PlanTask.Result) -> PlanTask.Result:
    return deserialize_message(serialize_message(result), PlanTask.Result)


def test_a_plan_is_the_same_to_the_bit_behind_the_transport(
    planner: Planner, library: AssetLibrary
) -> None:
    plan = planner.plan(load_solver("OpenBox"), draw("OpenBox", library, 4), HOME)
    assert isinstance(plan, Plan)
    stamp = Time(sec=12, nanosec=34)
    result = over_the_wire(plan_result(plan, stamp))
    assert result.key_poses.header.stamp == stamp
    assert result.key_poses.header.frame_id == "base"
    back = plan_from_result(result)
    assert isinstance(back, Plan)
    assert [p.name for p in back.phases] == [p.name for p in plan.phases]
    for one, two in zip(plan.phases, back.phases, strict=True):
        assert one.gripper == two.gripper
        assert (one.trajectory is None) == (two.trajectory is None)
        if one.trajectory is not None and two.trajectory is not None:
            for name in ("t", "q", "dq"):
                a, b = getattr(one.trajectory, name), getattr(two.trajectory, name)
                assert a.tobytes() == b.tobytes(), (one.name, name)
    # Quaternions take the place of matrices.
    assert np.allclose(plan.key_poses, back.key_poses, atol=1e-12)
    assert back.report == plan.report
    assert back.cpu_time == plan.cpu_time


@pytest.mark.parametrize("code", [c for c in PlanCode if c is not PlanCode.NONE])
def test_a_failure_keeps_its_code_and_reason(code: PlanCode) -> None:
    failure = PlanFailure(code, "weil es so ist: ä", {"rejected": [1, 2]}, 0.5)
    result = over_the_wire(plan_result(failure))
    assert not result.phases
    assert plan_from_result(result) == failure


def phase(**changes: object) -> PlanPhase:
    message = plan_result(Plan((Phase("gripper", gripper=(0.0, 1.0)),), (), {}, 0.0)).phases[0]
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    "fields",
    [
        {},  # what a server answers whose callback has failed
        {"error_code": 4711},
        {"report_json": "{"},
        {"report_json": "[1]"},
        {"phases": [phase(kind=7)]},
        {"phases": [phase(kind=PlanPhase.ARM)]},
    ],
    ids=["empty", "unknown code", "no JSON", "no mapping", "unknown kind", "no points"],
)
def test_an_answer_that_is_none_is_a_failure_and_no_plan(fields: dict[str, object]) -> None:
    failure = plan_from_result(PlanTask.Result(**fields))
    assert isinstance(failure, PlanFailure)
    assert failure.code is PlanCode.INTERNAL
    assert failure.reason


def test_a_scene_survives_the_transport(library: AssetLibrary) -> None:
    scene = draw("OpenBox", library, 4)
    found = scene_object(scene_message(scene, "box"), "box", library)
    assert found.asset is scene.asset
    assert np.allclose(found.T_base_root, scene.T_base_root, atol=1e-12)
    assert found.joint_position == scene.joint_position
    assert {*found.keypoints} == {*scene.keypoints}
    for name, p in scene.keypoints.items():
        assert np.array_equal(found.keypoints[name], p)


def set_object(message: SceneState, path: str, value: object) -> None:
    *way, last = path.split(".")
    target = message.objects[0]
    for name in way:
        target = target[int(name)] if name.isdigit() else getattr(target, name)
    setattr(target, last, value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", "lid", "no object 'box'; it has: lid"),
        ("asset", "procedural:teapot/1", "no such generator"),
        ("asset", "partnet:box_rotate/100221", "needs asset_root"),
        ("asset", "procedural:box_rotate/../../etc", "expected 'procedural:"),
        ("asset", "", "expected 'procedural:"),
        ("pose.position.x", float("nan"), "not finite"),
        ("pose.orientation.w", float("inf"), "not finite"),
        ("joint_position", float("-inf"), "not finite"),
        ("keypoints.0.position.y", float("nan"), "not finite"),
    ],
)
def test_a_bad_scene_is_refused(library: AssetLibrary, path: str, value: object, said: str) -> None:
    message = scene_message(draw("OpenBox", library, 4), "box")
    set_object(message, path, value)
    with pytest.raises(SceneMessageError, match=said):
        scene_object(message, "box", library)


def test_a_scene_in_another_frame_or_without_rotation_is_refused(library: AssetLibrary) -> None:
    message = scene_message(draw("OpenBox", library, 4), "box")
    message.header.frame_id = "world"
    with pytest.raises(SceneMessageError, match="frame 'world', not in 'base'"):
        scene_object(message, "box", library)
    message.header.frame_id = "base"
    orientation = message.objects[0].pose.orientation
    orientation.x = orientation.y = orientation.z = orientation.w = 0.0
    with pytest.raises(SceneMessageError, match="quaternion"):
        scene_object(message, "box", library)
    with pytest.raises(SceneMessageError, match="it has: none"):
        scene_object(SceneState(), "box", library)


@settings(max_examples=40, deadline=None)
@given(st.permutations(JOINTS))
def test_joints_are_found_by_name(order: list[str]) -> None:
    positions = {name: 0.1 * i for i, name in enumerate(JOINTS)}
    state = JointState(name=order, position=[positions[name] for name in order])
    assert arm_configuration(state).tolist() == [positions[name] for name in ARM_JOINTS]


@pytest.mark.parametrize(
    "state",
    [
        JointState(),
        JointState(name=list(ARM_JOINTS)),
        JointState(name=list(ARM_JOINTS), position=[0.0] * 6),
        JointState(name=list(ARM_JOINTS[1:]), position=[0.0] * 6),
    ],
    ids=["empty", "names only", "one short", "one missing"],
)
def test_a_start_without_all_joints_is_refused(state: JointState) -> None:
    with pytest.raises(StartMessageError, match=r"lacks joints .*fr3_joint"):
        arm_configuration(state)
