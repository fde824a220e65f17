"""`ros2 launch` in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from ros2launch.api import LaunchCommandError, parse_launch_arguments

GUARD = 60.0  # seconds; only for when something is broken

COMMAND = """
import argparse, sys
from ros2launch.command.launch import LaunchCommand
parser, command = argparse.ArgumentParser(prog="ros2 launch"), LaunchCommand()
command.add_arguments(parser, "ros2 launch")
sys.exit(command.main(parser=parser, args=parser.parse_args()))
"""
HEAD = """
from launch import LaunchDescription
from launch.actions import *
from launch.conditions import IfCondition
from launch.event_handlers import *
from launch.substitutions import *
def generate_launch_description():
    return LaunchDescription([
"""
HELLO = (
    HEAD
    + """
        DeclareLaunchArgument("word", description="what to say"),
        DeclareLaunchArgument("mode", default_value="soft", choices=["soft", "loud"]),
        DeclareLaunchArgument("both", default_value=[LaunchConfiguration("word"), "!"]),
        GroupAction([DeclareLaunchArgument("volume", default_value="")],
                    condition=IfCondition(EqualsSubstitution(LaunchConfiguration("mode"), "loud"))),
        ExecuteProcess(cmd=["echo", LaunchConfiguration("both")])])
"""
)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """Install a package `demo` and return its share folder."""
    index = tmp_path / "prefix/share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    (index / "demo").touch()
    folder = tmp_path / "prefix/share/demo/launch"
    folder.mkdir(parents=True)
    (folder / "hello.launch.py").write_text(HELLO)
    return folder.parent


@pytest.fixture
def ros2_launch(share: Path, tmp_path: Path) -> Run:
    """Return a function that runs the command without a terminal; exit code and all output."""

    def run(*arguments: str, command: tuple[str, ...] = (sys.executable, "-c", COMMAND)) -> object:
        paths = [str(share.parents[1]), os.environ.get("AMENT_PREFIX_PATH", "")]
        result = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=GUARD,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "AMENT_PREFIX_PATH": os.pathsep.join(filter(None, paths)),
                "ROS_LOG_DIR": str(tmp_path / "log"),
            },
        )
        return result.returncode, result.stdout

    return run  # type: ignore[return-value]


def test_launches_a_file_of_a_package(ros2_launch: Run) -> None:
    code, text = ros2_launch("-a", "demo", "hello.launch.py", "word:=a", "word:=b", "extra:=1")
    assert code == 0
    assert "[echo-1] b!" in text
    assert "process has finished cleanly" in text


def test_launches_a_file_by_its_path(ros2_launch: Run, share: Path) -> None:
    path = str(share / "launch/hello.launch.py")
    assert "[echo-1] hi!" in ros2_launch("-a", path, "word:=hi")[1]
    assert "[echo-1] x" in ros2_launch("-a", path, "word:=hi", "both:=x")[1]


def test_output_is_hidden_without_a(ros2_launch: Run) -> None:
    code, text = ros2_launch("demo", "hello.launch.py", "word:=hi")
    assert code == 0
    assert "hi!" not in text


@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        (["demo", "hello.launch.py"], 1, "missing required argument 'word'"),
        (["demo", "hello.launch.py", "word=a"], 1, "malformed launch argument 'word=a', expected"),
        (["demo", "hello.launch.py", ":=a"], 1, "expected format '<name>:=<value>'"),
        (["demo", "hello.launch.py", "word:=a", "mode:=x"], 1, "Valid options are: ['soft', 'lo"),
        (["nopkg", "hello.launch.py"], 1, "Package 'nopkg' not found: searching ["),
        (["demo", "nofile.launch.py"], 1, "file 'nofile.launch.py' was not found in the share"),
        (["nopkg"], 1, "Package 'nopkg' not found: searching ["),
        (["nopkg", "word:=a"], 1, "Package 'nopkg' not found: searching ["),
        (["/no/such.launch.py", "word:=a"], 1, "file '/no/such.launch.py' does not exist"),
        (["hello.launch.py"], 1, "file 'hello.launch.py' does not exist"),
        (["there.yaml", "-s"], 1, "file 'there.yaml' does not exist"),
        (["/tmp"], 1, "file '/tmp' is not a file"),
        (["demo"], 2, "'demo' is not a launch file"),
        ([], 2, "usage: ros2 launch"),
        (["--nonsense", "demo", "x"], 2, "--nonsense"),
    ],
)
def test_errors(ros2_launch: Run, arguments: list[str], expected: int, message: str) -> None:
    code, text = ros2_launch(*arguments)
    assert code == expected
    assert message in text
    assert ("usage: " in text) is (expected == 2)
    assert "Traceback" not in text


def test_ambiguous_file(ros2_launch: Run, share: Path) -> None:
    (share / "other").mkdir()
    (share / "other/hello.launch.py").touch()
    code, text = ros2_launch("demo", "hello.launch.py")
    assert code == 1
    assert "found more than once inside the share directory" in text


def test_exception_of_a_callback_gives_1(ros2_launch: Run, share: Path) -> None:
    """So a launch file reports that the work was not done; the death of a node does not."""
    died = 'ExecuteProcess(cmd=["sh", "-c", "exit 4"])'
    (share / "died.launch.py").write_text(f"{HEAD} {died}])")
    assert ros2_launch("demo", "died.launch.py")[0] == 0
    callback = """
def check(event, context):
    if event.returncode:
        raise RuntimeError(f"the work was not done ({event.returncode})")
"""
    reported = f"""{callback}{HEAD} ExecuteProcess(cmd=["sleep", "1000"]),
        ExecuteProcess(cmd=["sh", "-c", "exit 4"], on_exit=check)])"""
    (share / "reported.launch.py").write_text(reported)
    code, text = ros2_launch("demo", "reported.launch.py")
    assert code == 1
    assert "the work was not done (4)" in text


def test_show_arguments(ros2_launch: Run, share: Path) -> None:
    including = """ IncludeLaunchDescription(PathJoinSubstitution([ThisLaunchFileDir(), "x"])),
        IncludeLaunchDescription({path!r}, launch_arguments=[("word", "given")])])"""
    path = share / "launch/hello.launch.py"
    (share / "outer.launch.py").write_text(HEAD + including.format(path=str(path)))
    expected = """\
Arguments (pass arguments as '<name>:=<value>'):

    'word':
        what to say

    'mode':
        no description given. Valid choices are: ['soft', 'loud']
        (default: 'soft')

    'both':
        no description given
        (default: LaunchConfig('word') + '!')

    'volume':*
        no description given
        (default: '')

* argument(s) which are only used if specific conditions occur
"""
    assert ros2_launch("demo", "hello.launch.py", "-s") == (0, expected)
    assert ros2_launch("-s", "demo", "outer.launch.py") == (0, expected)
    (share / "none.launch.py").write_text(HEAD + "])")
    assert "No arguments." in ros2_launch("demo", "none.launch.py", "--show-args")[1]
    (share / "bad.launch.py").write_text("1 +")
    code, text = ros2_launch("demo", "bad.launch.py", "--show-args")
    assert code == 1
    assert "bad.launch.py' failed: SyntaxError" in text
    assert "Traceback" not in text


def test_print_description(ros2_launch: Run) -> None:
    code, text = ros2_launch("-p", "demo", "hello.launch.py")
    assert code == 0
    assert "ExecuteProcess('echo' LaunchConfig('both'))" in text
    assert "if IfCondition(EqualsSubstitution(LaunchConfig('mode'), 'loud'))" in text


def test_debug_and_prefix(ros2_launch: Run) -> None:
    arguments = ("-n", "-d", "--launch-prefix", "env -u HOME", "demo", "hello.launch.py", "word:=x")
    code, text = ros2_launch("-a", *arguments, "--launch-prefix-filter", "ech")
    assert code == 0
    assert "Default logging verbosity is set to DEBUG" in text
    assert "[echo-1] x!" in text


def test_last_argument_wins() -> None:
    assert parse_launch_arguments(["a:=1", "b:=", "a:=2:=3"]) == [("a", "2:=3"), ("b", "")]
    with pytest.raises(LaunchCommandError, match="malformed launch argument 'a'"):
        parse_launch_arguments(["a"])


def test_ros2_finds_the_command(ros2_launch: Run) -> None:
    ros2 = shutil.which("ros2")
    if ros2 is None or not entry_points(group="ros2cli.command", name="launch"):
        pytest.skip("the packages ros2cli and ros2launch are not installed")
    code, text = ros2_launch("demo", "hello.launch.py", "word:=hi", "-a", command=(ros2, "launch"))
    assert code == 0
    assert "[echo-1] hi!" in text
    assert "Run a launch file." in ros2_launch("--help", command=(ros2,))[1]
