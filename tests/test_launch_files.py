"""Launch files: they load everywhere, say what they take, and refuse what they do not know."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from launch_process import LaunchProcess, ros2

pytest.importorskip("launch_ros", reason="needs the workspace: run the tests with ./ws")

from launch.actions import DeclareLaunchArgument
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchContext, LaunchDescription

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "launch" / "launch").glob("*.launch.py"))
MAIN = ROOT / "launch" / "launch" / "sim_collect.launch.py"
DOMAIN = 1 + (os.getpid() + 81) % 95
# Where upstream has what a launch file may use; nothing of the stand-ins' inside.
UPSTREAM = {
    "launch": {"LaunchDescription"},
    "launch.actions": {
        "DeclareLaunchArgument",
        "GroupAction",
        "IncludeLaunchDescription",
        "OpaqueFunction",
        "Shutdown",
    },
    "launch.conditions": {"IfCondition", "UnlessCondition"},
    "launch.launch_description_sources": {"PythonLaunchDescriptionSource"},
    "launch.substitutions": {
        "EqualsSubstitution",
        "FileContent",
        "LaunchConfiguration",
        "PathJoinSubstitution",
    },
    "launch_ros.actions": {"Node", "SetParameter"},
    "launch_ros.parameter_descriptions": {"ParameterValue"},
    "launch_ros.substitutions": {"FindPackageShare"},
}
STANDARD = {"difflib", "sys", "pathlib"}


def description_of(path: Path) -> LaunchDescription:
    """What a launch file describes."""
    return PythonLaunchDescriptionSource(str(path)).get_launch_description(LaunchContext())


def arguments_of(path: Path) -> dict[str, DeclareLaunchArgument]:
    """The arguments of a launch file and of those it includes, by name."""
    return {a.name: a for a in description_of(path).get_launch_arguments()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_launch_file_loads_and_describes_its_arguments(path: Path) -> None:
    """Every argument can be left out, and says what it is."""
    arguments = arguments_of(path)
    assert arguments
    for name, argument in arguments.items():
        assert argument.default_value is not None, f"{name} has no default"
        assert argument.description and argument.description != "no description given", name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_launch_file_uses_what_ros_has(path: Path) -> None:
    """The same file runs under an installed ROS 2."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module not in STANDARD:
            unknown = {alias.name for alias in node.names} - UPSTREAM.get(node.module or "", set())
            assert not unknown, f"{node.module}: {unknown}"
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= STANDARD


def test_an_argument_means_the_same_in_every_file() -> None:
    """What the main file takes is what the files it includes take."""
    for path in FILES:
        for name, argument in arguments_of(path).items():
            main = arguments_of(MAIN)[name]
            assert argument.choices == main.choices, f"{name} of {path.name}"


def test_show_args_lists_every_argument_with_default_and_choices() -> None:
    """`-s` is the manual of the main file."""
    words = [ros2(), "launch", "gensim2", MAIN.name, "-s"]
    shown = subprocess.run(words, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    for name, argument in arguments_of(MAIN).items():
        entry = re.search(rf"'{name}':\n\s+(.+)\n\s+\(default: (.*)\)", shown.stdout)
        assert entry, f"{name} is not shown:\n{shown.stdout}"
        assert (argument.description or "") in entry[1]
        for choice in argument.choices or ():
            assert f"'{choice}'" in entry[1]
    assert "'episodes':" in shown.stdout and "(default: '5')" in shown.stdout


@pytest.fixture
def launch_main(tmp_path: Path) -> Iterator[type]:
    """Launches the main file and cleans up."""
    started = []

    class Launch(LaunchProcess):
        def __init__(self, *arguments: str) -> None:
            dataset = f"dataset:={tmp_path / 'data'}"
            super().__init__(tmp_path, DOMAIN, "gensim2", MAIN.name, dataset, *arguments)
            started.append(self)

    yield Launch
    for process in started:
        process.kill()


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("epsiodes:=2", "unknown launch argument 'epsiodes'; did you mean 'episodes'?"),
        ("zzz:=2", "unknown launch argument 'zzz'; known are: task, asset"),
        ("obs:=cloud", "Valid options are: ['state', 'pointcloud', 'image']"),
        ("randomize:=yes", "Valid options are: ['true', 'false']"),
        ("num_points:=0", "a data set needs clouds of at least one point"),
        ("episodes:=many", "parameter 'episodes': 'many' is not of type int"),
    ],
)
def test_a_wrong_argument_ends_the_launch_before_anything_starts(
    launch_main: type, tmp_path: Path, argument: str, text: str
) -> None:
    """A typing error must not cost a night of the wrong data."""
    launch = launch_main("obs:=state", argument)
    assert launch.end() == 1
    assert text in launch.output
    assert "Traceback" not in launch.output
    assert not (tmp_path / "data").exists()


OUTER = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description():
    source = PythonLaunchDescriptionSource({path!r})
    return LaunchDescription([
        DeclareLaunchArgument("robots", default_value="1"),
        IncludeLaunchDescription(source, launch_arguments=[("obs", "nothing")]),
    ])
"""


def test_who_includes_the_file_may_have_arguments_of_its_own(tmp_path: Path) -> None:
    """Only a file that was named on the command line knows all arguments there are."""
    outer = tmp_path / "outer.launch.py"
    outer.write_text(OUTER.format(path=str(MAIN)))
    launch = LaunchProcess(tmp_path, DOMAIN, str(outer), "robots:=2")
    assert launch.end() == 1
    assert "unknown launch argument" not in launch.output
    assert "Valid options are: ['state'" in launch.output
