"""control_msgs must be the 5.x line field for field, or nothing talks to a real installation.

The tables are what the Jazzy documentation of control_msgs says; the hashes of three messages are
those that real Jazzy systems report on the wire (`ros2 topic info -v`).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from ament_index_python.packages import get_package_share_directory
from control_msgs import action, msg

POINT = "trajectory_msgs/JointTrajectoryPoint"
MULTI_DOF_POINT = "trajectory_msgs/MultiDOFJointTrajectoryPoint"

GOLDEN = {
    msg.GripperCommand: {"position": "double", "max_effort": "double"},
    msg.JointTolerance: {
        "name": "string",
        "position": "double",
        "velocity": "double",
        "acceleration": "double",
    },
    msg.JointComponentTolerance: {
        "joint_name": "string",
        "component": "uint16",
        "position": "double",
        "velocity": "double",
        "acceleration": "double",
    },
    msg.JointJog: {
        "header": "std_msgs/Header",
        "joint_names": "sequence<string>",
        "displacements": "sequence<double>",
        "velocities": "sequence<double>",
        "duration": "double",
    },
    msg.JointTrajectoryControllerState: {
        "header": "std_msgs/Header",
        "joint_names": "sequence<string>",
        "reference": POINT,
        "feedback": POINT,
        "error": POINT,
        "output": POINT,
        "multi_dof_joint_names": "sequence<string>",
        "multi_dof_reference": MULTI_DOF_POINT,
        "multi_dof_feedback": MULTI_DOF_POINT,
        "multi_dof_error": MULTI_DOF_POINT,
        "multi_dof_output": MULTI_DOF_POINT,
        "speed_scaling_factor": "double",
    },
    action.FollowJointTrajectory.Goal: {
        "trajectory": "trajectory_msgs/JointTrajectory",
        "multi_dof_trajectory": "trajectory_msgs/MultiDOFJointTrajectory",
        "path_tolerance": "sequence<control_msgs/JointTolerance>",
        "component_path_tolerance": "sequence<control_msgs/JointComponentTolerance>",
        "goal_tolerance": "sequence<control_msgs/JointTolerance>",
        "component_goal_tolerance": "sequence<control_msgs/JointComponentTolerance>",
        "goal_time_tolerance": "builtin_interfaces/Duration",
    },
    action.FollowJointTrajectory.Result: {"error_code": "int32", "error_string": "string"},
    action.FollowJointTrajectory.Feedback: {
        "header": "std_msgs/Header",
        "joint_names": "sequence<string>",
        "desired": POINT,
        "actual": POINT,
        "error": POINT,
        "multi_dof_joint_names": "sequence<string>",
        "multi_dof_desired": MULTI_DOF_POINT,
        "multi_dof_actual": MULTI_DOF_POINT,
        "multi_dof_error": MULTI_DOF_POINT,
    },
    action.GripperCommand.Goal: {"command": "control_msgs/GripperCommand"},
    action.GripperCommand.Result: {
        "position": "double",
        "effort": "double",
        "stalled": "boolean",
        "reached_goal": "boolean",
    },
    action.GripperCommand.Feedback: {
        "position": "double",
        "effort": "double",
        "stalled": "boolean",
        "reached_goal": "boolean",
    },
    action.ParallelGripperCommand.Goal: {"command": "sensor_msgs/JointState"},
    action.ParallelGripperCommand.Result: {
        "state": "sensor_msgs/JointState",
        "stalled": "boolean",
        "reached_goal": "boolean",
    },
    action.ParallelGripperCommand.Feedback: {"state": "sensor_msgs/JointState"},
}

CONSTANTS = {
    action.FollowJointTrajectory.Result: {
        "SUCCESSFUL": 0,
        "INVALID_GOAL": -1,
        "INVALID_JOINTS": -2,
        "OLD_HEADER_TIMESTAMP": -3,
        "PATH_TOLERANCE_VIOLATED": -4,
        "GOAL_TOLERANCE_VIOLATED": -5,
    },
    msg.JointComponentTolerance: {
        "X_AXIS": 1,
        "Y_AXIS": 2,
        "Z_AXIS": 3,
        "TRANSLATION": 4,
        "ROTATION": 5,
    },
}

HASHES = {
    "JointComponentTolerance": "739ea7566931944d33830fa10f1bf5e7a7fbdc3172bce7a7eaac642bd6e3ffa4",
    "JointTolerance": "c254f9cece0f3b733017b6990fd46d1326e25242d6b8844398c97d9a88e7d648",
    "JointTrajectoryControllerState": (
        "51d8dd89cc624cbe9daaeeb4d80d6de9b86168ffdc3be41fefc0953e3c26e480"
    ),
}


@pytest.mark.parametrize("interface", GOLDEN, ids=lambda cls: cls.__name__)
def test_fields_are_those_of_jazzy_in_this_order(interface: Any) -> None:
    assert list(interface.get_fields_and_field_types().items()) == list(GOLDEN[interface].items())


@pytest.mark.parametrize("interface", CONSTANTS, ids=lambda cls: cls.__name__)
def test_constants_are_those_of_jazzy(interface: type) -> None:
    assert {name: getattr(interface, name) for name in CONSTANTS[interface]} == CONSTANTS[interface]


@pytest.mark.parametrize("name", HASHES)
def test_type_hash_is_that_of_a_real_jazzy_system(name: str) -> None:
    share = Path(get_package_share_directory("control_msgs"))
    hashes = json.loads((share / "msg" / f"{name}.json").read_text())["type_hashes"]
    assert {
        entry["hash_string"] for entry in hashes if entry["type_name"].endswith(f"/{name}")
    } == {f"RIHS01_{HASHES[name]}"}
