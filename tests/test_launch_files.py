"""Launch files: they load everywhere, say what they take, and refuse what they do not know."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
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
# Generating tasks has nothing to do with a robot.
OF_GRAPHS = [path for path in FILES if path.name != "generate.launch.py"]
SHARED = ROOT / "src" / "gensim2_launch" / "gensim2_launch"
MAIN = ROOT / "launch" / "launch" / "sim_collect.launch.py"
DOMAIN = 1 + (os.getpid() + 81) % 95
# Where upstream has what a launch file may use; nothing of the stand-ins' inside.
UPSTREAM = {
    "launch": {
        "Condition",
        "LaunchContext",
        "LaunchDescription",
        "LaunchDescriptionEntity",
        "SomeSubstitutionsType",
    },
    "launch.actions": {
        "DeclareLaunchArgument",
        "GroupAction",
        "IncludeLaunchDescription",
        "LogInfo",
        "OpaqueFunction",
        "Shutdown",
    },
    "launch.conditions": {"IfCondition", "UnlessCondition"},
    "launch.events.process": {"ProcessExited"},
    "launch.launch_description_sources": {"PythonLaunchDescriptionSource"},
    "launch.substitutions": {
        "AnySubstitution",
        "EqualsSubstitution",
        "FileContent",
        "IfElseSubstitution",
        "LaunchConfiguration",
        "PathJoinSubstitution",
        "SubstitutionFailure",
    },
    "launch_ros.actions": {"Node", "SetParameter"},
    "launch_ros.parameter_descriptions": {"ParameterValue"},
    "launch_ros.substitutions": {"FindPackageShare"},
}
STANDARD = {
    "__future__",
    "collections.abc",
    "dataclasses",
    "difflib",
    "pathlib",
    "sys",
    "typing",
}


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


@pytest.mark.parametrize(
    "path", [*FILES, *sorted(SHARED.rglob("*.py"))], ids=lambda path: path.name
)
def test_a_launch_file_uses_what_ros_has(path: Path) -> None:
    """The same file runs under an installed ROS 2."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module not in STANDARD:
            module = node.module or ""
            if module.startswith("gensim2_launch."):
                continue
            unknown = {alias.name for alias in node.names} - UPSTREAM.get(module, set())
            assert not unknown, f"{module}: {unknown}"
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= STANDARD


def test_an_argument_means_the_same_in_every_file() -> None:
    """What a main file takes is what the files it includes take, and the other main files."""
    first: dict[str, DeclareLaunchArgument] = {}
    for path in FILES:
        for name, argument in arguments_of(path).items():
            known = first.setdefault(name, argument)
            assert argument.choices == known.choices, f"{name} of {path.name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_show_args_lists_every_argument_with_default_and_choices(path: Path) -> None:
    """`-s` is the manual of a file."""
    words = [ros2(), "launch", "gensim2", path.name, "-s"]
    shown = subprocess.run(words, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    for name, argument in arguments_of(path).items():
        entry = re.search(rf"'{name}':\*?\n\s+(.+)\n\s+\(default: (.*)\)", shown.stdout)
        assert entry, f"{name} is not shown:\n{shown.stdout}"
        assert (argument.description or "") in entry[1]
        for choice in argument.choices or ():
            assert f"'{choice}'" in entry[1]
    if path in OF_GRAPHS:
        assert "'view':" in shown.stdout and "(default: 'none')" in shown.stdout


Launcher = Callable[..., LaunchProcess]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    """Launches a file of the package and cleans up."""
    started = []

    def start(*words: str, **environment: str) -> LaunchProcess:
        started.append(LaunchProcess(tmp_path, DOMAIN, "gensim2", *words, **environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def launch_main(launch: Launcher, tmp_path: Path) -> Launcher:
    """Launches the main file."""

    def start(*arguments: str, **environment: str) -> LaunchProcess:
        dataset = f"dataset:={tmp_path / 'data'}"
        return launch(MAIN.name, dataset, *arguments, **environment)

    return start


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_unknown_argument_is_an_error_in_every_file(launch: Launcher, path: Path) -> None:
    """Launch would ignore it, and take the default."""
    process = launch(path.name, "asset_roof:=x")
    assert process.end() == 1
    assert "unknown launch argument 'asset_roof'; did you mean 'asset_root'?" in process.output
    assert "Traceback" not in process.output and "process started" not in process.output


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("epsiodes:=2", "unknown launch argument 'epsiodes'; did you mean 'episodes'?"),
        ("zzz:=2", "unknown launch argument 'zzz'; known are: task, asset"),
        ("use_sim_time:=false", "a simulation has a time of its own"),
        ("view:=rviz2", "Valid options are: ['none', 'rviz', 'web']"),
        ("obs:=cloud", "Valid options are: ['state', 'pointcloud', 'image', 'rgbd', 'all']"),
        ("randomize:=yes", "Valid options are: ['true', 'false']"),
        ("num_points:=0", "a data set needs clouds of at least one point"),
        ("episodes:=many", "parameter 'episodes': 'many' is not of type int"),
    ],
)
def test_a_wrong_argument_ends_the_launch_before_anything_starts(
    launch_main: Launcher, tmp_path: Path, argument: str, text: str
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


WINDOW = """#!/bin/sh
echo "window: $*"
exec sleep {seconds}
"""


def window(folder: Path, seconds: int) -> str:
    """A prefix with a package `rviz2` whose window is closed after a while; the search path."""
    package = folder / "share" / "ament_index" / "resource_index" / "packages" / "rviz2"
    program = folder / "lib" / "rviz2" / "rviz2"
    for path in (package, program, folder / "share" / "rviz2" / "package.xml"):
        path.parent.mkdir(parents=True)
        path.write_text("")
    program.write_text(WINDOW.format(seconds=seconds))
    program.chmod(0o755)
    return f"{folder}:{os.environ['AMENT_PREFIX_PATH']}"


@pytest.mark.parametrize("path", OF_GRAPHS, ids=lambda path: path.name)
def test_where_rviz_is_not_installed_nothing_is_started(launch: Launcher, path: Path) -> None:
    """Who asked to see it shall not find out after an hour that there was nothing to see."""
    if shutil.which("rviz2"):
        pytest.skip("rviz2 is installed")
    process = launch(path.name, "view:=rviz")
    assert process.end() == 1
    assert "rviz2 is not installed; use view:=web" in process.output
    assert "Traceback" not in process.output and "process started" not in process.output


def test_rviz_gets_the_settings_and_its_end_is_that_of_the_view(
    launch: Launcher, tmp_path: Path
) -> None:
    """Alone, the view ends when its window is closed."""
    path = window(tmp_path / "rviz", seconds=0)
    process = launch("view.launch.py", "view:=rviz", AMENT_PREFIX_PATH=path)
    assert process.end() == 0, process.output
    shown = re.search(r"window: -d (\S+)", process.output)
    assert shown and Path(shown[1]).samefile(ROOT / "launch" / "rviz" / "gensim2.rviz")


def test_a_window_that_is_closed_ends_no_other_node(launch: Launcher, tmp_path: Path) -> None:
    """Looking on is no part of the work; the log says that nothing is shown any longer."""
    path = window(tmp_path / "rviz", seconds=0)
    process = launch("robot_sim.launch.py", "obs:=state", "view:=rviz", AMENT_PREFIX_PATH=path)
    process.until("rviz2-1 ended with exit code 0: the view is gone, everything else goes on")
    process.until(r"\[sim_bridge-2\].*ready")
    process.interrupt()
    assert process.end() == 0, process.output


def test_a_view_of_nothing_is_refused(launch: Launcher) -> None:
    """The file alone has to be told what to show."""
    process = launch("view.launch.py")
    assert process.end() == 1
    assert "view:=none shows nothing" in process.output
