"""Nodes: command lines, packages, scopes; and that ROS reads what we write."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from launch.actions import ExecuteProcess, GroupAction, LogInfo, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import (
    ComposableNodeContainer,
    LifecycleNode,
    LoadComposableNodes,
    Node,
    PushRosNamespace,
    RosTimer,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    SetROSLogDir,
    SetUseSimTime,
)
from launch_ros.descriptions import ComposableNode, ParameterFile, ParameterValue
from launch_ros.parameter_descriptions import Parameter
from launch_ros.substitutions import ExecutableInPackage, FindPackagePrefix, FindPackageShare

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("demo_package")


def show(**options: Any) -> Node:
    return Node(package="demo", executable="show", output="screen", **options)


def test_plain_node(run_launch: Run) -> None:
    result = run_launch(show(arguments=["--flag", ["a", LaunchConfiguration("x")]]), x="1")
    assert result.shown["show-1"]["arguments"] == ["--flag", "a1", "--ros-args"]


def test_order_of_the_command_line(run_launch: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("/**: {ros__parameters: {a: 1}}")
    result = run_launch(
        SetParameter("g", 1.5),
        SetParametersFromFile(str(file)),
        SetRemap("all", "every"),
        show(
            name="me",
            namespace="ns",
            exec_name="label",
            arguments=["arg"],
            ros_arguments=["--log-level", "debug"],
            parameters=[{"first": 1}, file, Parameter("q", "y"), ParameterFile(file)],
            remappings=[("from", ["t", "o"])],
        ),
    )
    got = result.shown["label-1"]["arguments"]
    files = [b for a, b in itertools.pairwise(got) if a == "--params-file"]
    assert got == [
        *("arg", "--ros-args", "--log-level", "debug", "--ros-args"),
        *("-r", "__node:=me", "-r", "__ns:=/ns"),
        *("-p", "g:=1.5", "--params-file", str(file)),
        *("--params-file", files[1], "--params-file", str(file)),
        *("-p", 'q:="y"', "--params-file", str(file)),
        *("-r", "all:=every", "-r", "from:=to"),
    ]
    shown = yaml.safe_load(result.shown["label-1"]["files"][1])
    assert shown == {"/ns/me": {"ros__parameters": {"first": 1}}}
    assert not Path(files[1]).exists()  # ours is removed at the end


@pytest.mark.parametrize(
    ("pushed", "given", "expected"),
    [
        ([], None, None),
        ([], "ns", "/ns"),
        ([], "/", "/"),
        ([], "", None),
        (["a"], None, "/a"),
        (["a", "b"], "c", "/a/b/c"),
        (["a", "/b/"], None, "/b"),
        (["a"], "/c", "/c"),
    ],
)
def test_namespace(run_launch: Run, pushed: list[str], given: str | None, expected: Any) -> None:
    node = show(name="n", namespace=given, parameters=[{"p": 1}])
    result = run_launch(GroupAction([*map(PushRosNamespace, pushed), node]))
    arguments = result.shown["show-1"]["arguments"]
    spaces = [argument for argument in arguments if argument.startswith("__ns:=")]
    assert spaces == ([] if expected is None else [f"__ns:={expected}"])
    (key,) = yaml.safe_load(result.shown["show-1"]["files"][0])
    assert key == ("/**" if expected is None else f"{expected.rstrip('/')}/n")


def test_settings_end_with_the_group(run_launch: Run) -> None:
    settings = [PushRosNamespace("a"), SetParameter("p", 1), SetRemap("x", "y")]
    result = run_launch(GroupAction([*settings, show()]), show(), SetUseSimTime("true"), show())
    arguments = [result.shown[f"show-{number}"]["arguments"] for number in (1, 2, 3)]
    inside = ["--ros-args", "-r", "__ns:=/a", "-p", "p:=1", "-r", "x:=y"]
    assert arguments == [inside, ["--ros-args"], ["--ros-args", "-p", "use_sim_time:=true"]]


def test_ros_reads_what_was_given(run_launch: Run) -> None:
    values = {
        "flag": True,
        "integer": -3,
        "big": 10**12,
        "number": 1e-7,
        "text": "1",
        "bare": "y",
        "empty": "",
        "xml": '<a b="c">\n ü: {}#</a>',
        "texts": ["on", "x"],
        "integers": (1, 2),
        "numbers": [1, 2.5],
        "a": {"b": {"c": False}},
        "evaluated": LaunchConfiguration("n"),
        "forced": ParameterValue(LaunchConfiguration("n"), value_type=str),
    }
    node = Node(
        package="demo",
        executable="node",
        output="screen",
        name="me",
        parameters=[{"text": "overwritten"}, values, Parameter("single", "off")],
    )
    result = run_launch(
        GroupAction([PushRosNamespace("r"), SetRemap("chatter", "talk"), node]), n="7"
    )
    shown = result.shown["node-1"]
    assert (shown["name"], shown["topic"]) == ("/r/me", "/r/talk")
    expected = {**values, "integers": [1, 2], "numbers": [1.0, 2.5], "a.b.c": False}
    del expected["a"]
    expected |= {"evaluated": 7, "forced": "7", "single": "off"}
    got = {name: shown["parameters"][name] for name in expected}
    assert got == expected
    assert {n: type(v) for n, v in got.items()} == {n: type(v) for n, v in expected.items()}


def test_missing_parameter_file_is_a_warning(run_launch: Run) -> None:
    result = run_launch(show(parameters=["/no/such.yaml"]))
    assert result.code == 0
    assert "Parameter file path is not a file: /no/such.yaml" in result.screen
    assert result.shown["show-1"]["arguments"] == ["--ros-args"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"package": "nopkg", "executable": "x"}, "package 'nopkg' not found, searching: ["),
        ({"package": "rqtx", "executable": "x"}, "package 'rqtx' not found, searching: ["),
        (
            {"package": "demo", "executable": "nope"},
            "executable 'nope' not found on the libexec directory '",
        ),
        ({"package": "demo", "executable": "data.txt"}, "(it has: node, show)"),
        (
            {"package": "demo", "executable": "show", "parameters": [{"p": []}]},
            "parameter 'p': the list [] is empty",
        ),
        ({"package": "demo", "executable": "show", "name": "a/b"}, "must not contain '/'"),
    ],
)
def test_what_cannot_be_started_ends_the_launch(
    run_launch: Run, options: dict[str, Any], message: str
) -> None:
    result = run_launch(ExecuteProcess(cmd=["sleep", "1000"]), Node(**options))
    assert result.code == 1
    assert message in result.screen


def install_window(prefix: Path, name: str) -> None:
    (prefix / "share/ament_index/resource_index/packages" / name).touch()
    program = prefix / "lib" / name / name
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho SHOW 1\n")
    program.chmod(0o755)


@pytest.mark.parametrize("package", ["rviz2", "rqt", "rqt_plot", "joint_state_publisher_gui"])
def test_a_window_is_left_out_where_it_is_not_installed(
    run_launch: Run, demo_package: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(demo_package))  # whatever else there is
    name = LaunchConfiguration("name")
    window = {"package": name, "executable": name, "output": "screen"}
    result = run_launch(Node(**window, on_exit=Shutdown()), show(), name=package)
    assert result.code == 0
    assert result.screen.count(f"package '{package}' is not installed") == 1
    assert list(result.shown) == ["show-1"]
    install_window(demo_package, package)
    assert run_launch(Node(**window), name=package).shown == {f"{package}-1": 1}


def test_wrong_arguments_are_refused_where_they_are_written() -> None:
    with pytest.raises(TypeError, match="parameters must be a list"):
        show(parameters={"a": 1})
    with pytest.raises(TypeError, match="arguments must be a list"):
        show(arguments="--flag")


def test_executable_by_path_and_lifecycle_node(run_launch: Run, demo_package: Path) -> None:
    path = str(demo_package / "lib/demo/deeper/show")
    result = run_launch(
        Node(executable=path, output="screen"),
        LifecycleNode(package="demo", executable="show", name="l", namespace="", output="screen"),
    )
    assert result.shown["show-1"]["arguments"] == ["--ros-args"]
    assert result.shown["show-2"]["arguments"] == ["--ros-args", "-r", "__node:=l"]


def test_packages(run_launch: Run, demo_package: Path) -> None:
    result = run_launch(
        LogInfo(msg=["<", FindPackageShare("demo"), ">"]),
        LogInfo(msg=["<", FindPackagePrefix(["de", "mo"]), ">"]),
        LogInfo(msg=["<", ExecutableInPackage(executable="show", package="demo"), ">"]),
    )
    for folder in ("share/demo", "", "lib/demo/deeper/show"):
        assert f"<{demo_package / folder}>" in result.screen


def test_log_folder_of_nodes(run_launch: Run, tmp_path: Path) -> None:
    echo = ExecuteProcess(cmd=["sh", "-c", "echo $ROS_LOG_DIR"], output="screen")
    assert f"[sh-1] {tmp_path}/nodes" in run_launch(SetROSLogDir(f"{tmp_path}/nodes"), echo).screen


def test_containers_can_be_described_but_not_executed(run_launch: Run) -> None:
    node = ComposableNode(package="p", plugin="p::Node", name="n", parameters=[{}])
    container = ComposableNodeContainer(
        name="c", namespace="", package="p", executable="c", composable_node_descriptions=[node]
    )
    loader = LoadComposableNodes(composable_node_descriptions=[node], target_container="c")
    for action in (container, loader):
        result = run_launch(action)
        assert result.code == 1
        assert "needs C++ containers" in result.screen


CLOCK = """
import sys, rclpy
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
rclpy.init()
node = rclpy.create_node("clock")
publisher = node.create_publisher(Clock, "/clock", qos_profile_sensor_data)
message = Clock()
message.clock.sec = 1000
def tick():
    message.clock.sec += 50
    publisher.publish(message)
node.create_timer(0.02, tick)
try:
    rclpy.spin(node)
except BaseException:
    pass
"""


def test_ros_timer_in_simulation_time(run_launch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """900 s of simulation time, which the clock here covers in less than a second."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + (os.getpid() + 36) % 95))
    result = run_launch(
        SetUseSimTime(True),
        ExecuteProcess(cmd=[sys.executable, "-c", CLOCK]),
        RosTimer(period=900.0, actions=[LogInfo(msg="<it is time>"), Shutdown()]),
    )
    assert result.code == 0
    assert "<it is time>" in result.screen


def test_ros_timer_without_simulation_time(run_launch: Run) -> None:
    result = run_launch(RosTimer(period=0.01, actions=[LogInfo(msg="<it is time>")]))
    assert "<it is time>" in result.screen
