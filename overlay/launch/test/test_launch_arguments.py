"""Launch arguments, configurations, scopes and includes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    ResetLaunchConfigurations,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    UnsetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    ThisLaunchFile,
    ThisLaunchFileDir,
)

from launch import LaunchContext, LaunchDescription, LaunchDescriptionSource

Run = Callable[..., Any]


def say(*parts: Any) -> LogInfo:
    return LogInfo(msg=["<", *parts, ">"])


def included(*entities: Any) -> LaunchDescriptionSource:
    return LaunchDescriptionSource(LaunchDescription(entities))


def test_default_is_used_and_given_value_wins(run_launch: Run) -> None:
    entities = [
        DeclareLaunchArgument("first", default_value="one"),
        DeclareLaunchArgument("second", default_value=[LaunchConfiguration("first"), "-two"]),
        say(LaunchConfiguration("second")),
    ]
    assert "<one-two>" in run_launch(*entities).screen
    assert "<1-two>" in run_launch(*entities, first="1").screen


def test_missing_argument_is_an_error(run_launch: Run) -> None:
    result = run_launch(DeclareLaunchArgument("word", description="a word"), say("after"))
    assert result.code == 1
    assert "Required launch argument 'word' (description: 'a word') was not" in result.screen
    assert "<after>" not in result.screen


def test_choices(run_launch: Run) -> None:
    argument = DeclareLaunchArgument("mode", default_value="a", choices=["a", "b"])
    assert run_launch(argument, mode="b").code == 0
    result = run_launch(argument, mode="zzz")
    assert result.code == 1
    assert 'Argument "mode" provided value "zzz" is not valid' in result.screen
    assert "Valid options are: ['a', 'b']" in result.screen
    with pytest.raises(RuntimeError, match="none of its choices"):
        DeclareLaunchArgument("mode", default_value="c", choices=["a", "b"])


def test_group_scopes_configurations_and_environment(run_launch: Run) -> None:
    seen = [
        say(LaunchConfiguration("x"), EnvironmentVariable("LAUNCH_TEST", default_value="unset")),
    ]
    inner = [
        SetLaunchConfiguration("x", "inner"),
        SetEnvironmentVariable("LAUNCH_TEST", "set"),
        *seen,
    ]
    result = run_launch(
        SetLaunchConfiguration("x", "outer"),
        GroupAction(inner),
        *seen,
        GroupAction(inner, scoped=False),
        *seen,
    )
    lines = [line.split()[-1] for line in result.screen.splitlines() if "<" in line]
    assert lines == ["<innerset>", "<outerunset>", "<innerset>", "<innerset>"]


def test_group_without_forwarding_sees_only_what_it_is_given(run_launch: Run) -> None:
    seen = say(LaunchConfiguration("x", default="none"), LaunchConfiguration("y", default="none"))
    result = run_launch(
        SetLaunchConfiguration("x", "outer"),
        GroupAction([seen], forwarding=False, launch_configurations={"y": "given"}),
        GroupAction([seen], launch_configurations={"y": "given"}),
        seen,
    )
    lines = [line.split()[-1] for line in result.screen.splitlines() if "<" in line]
    assert lines == ["<nonegiven>", "<outergiven>", "<outernone>"]


def test_push_pop_unset_reset(run_launch: Run) -> None:
    seen = say(LaunchConfiguration("x", default="none"))
    result = run_launch(
        SetLaunchConfiguration("x", "1"),
        PushLaunchConfigurations(),
        UnsetLaunchConfiguration("x"),
        seen,
        PopLaunchConfigurations(),
        seen,
        ResetLaunchConfigurations({"x": [LaunchConfiguration("x"), "+"]}),
        seen,
    )
    lines = [line.split()[-1] for line in result.screen.splitlines() if "<" in line]
    assert lines == ["<none>", "<1>", "<1+>"]
    assert run_launch(PopLaunchConfigurations()).code == 1


def test_false_condition_skips_a_group_and_an_include(run_launch: Run) -> None:
    never = IfCondition("False ")
    result = run_launch(
        GroupAction([say("group")], condition=never),
        IncludeLaunchDescription(included(say("include")), condition=never),
        say("end"),
    )
    assert "<group>" not in result.screen
    assert "<include>" not in result.screen
    assert "<end>" in result.screen


def test_include_leaks_unless_grouped(run_launch: Run) -> None:
    source = included(
        DeclareLaunchArgument("a"), DeclareLaunchArgument("b", default_value="default")
    )
    include = IncludeLaunchDescription(source, launch_arguments={"a": "given"}.items())
    seen = say(LaunchConfiguration("a", default="-"), LaunchConfiguration("b", default="-"))
    result = run_launch(GroupAction([include]), seen, include, seen)
    lines = [line.split()[-1] for line in result.screen.splitlines() if "<" in line]
    assert lines == ["<-->", "<givendefault>"]


def test_include_without_required_argument(run_launch: Run) -> None:
    source = included(DeclareLaunchArgument("word", description="a word"))
    result = run_launch(say("before"), IncludeLaunchDescription(source))
    assert result.code == 1
    assert (
        "Included launch description missing required argument 'word' "
        "(description: 'a word'), given: []"
    ) in result.screen


def test_required_argument_may_come_from_an_include_between(run_launch: Run) -> None:
    inner = included(DeclareLaunchArgument("word"), say(LaunchConfiguration("word")))
    between = included(IncludeLaunchDescription(inner, launch_arguments=[("word", "hello")]))
    result = run_launch(IncludeLaunchDescription(between))
    assert result.code == 0
    assert "<hello>" in result.screen


def test_argument_under_a_condition_is_not_required(run_launch: Run) -> None:
    source = included(GroupAction([DeclareLaunchArgument("word")], condition=IfCondition("false")))
    assert run_launch(IncludeLaunchDescription(source)).code == 0
    found = source.get_launch_description(LaunchContext()).find_launch_arguments()
    assert [(entry.argument.name, entry.conditional) for entry in found] == [("word", True)]


def test_place_of_launch_files(run_launch: Run, tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    head = (
        "from launch import LaunchDescription\n"
        "from launch.actions import IncludeLaunchDescription, LogInfo, TimerAction\n"
        "from launch.substitutions import ThisLaunchFile, ThisLaunchFileDir\n"
        "def generate_launch_description():\n    return LaunchDescription(["
    )
    (below / "b.launch.py").write_text(
        head + "LogInfo(msg=['in ', ThisLaunchFile()]),\n"
        "TimerAction(period=0.01, actions=[LogInfo(msg=['later ', ThisLaunchFileDir()])])])\n"
    )
    (tmp_path / "a.launch.py").write_text(
        head + "IncludeLaunchDescription([ThisLaunchFileDir(), '/below/b.launch.py']),\n"
        "LogInfo(msg=['out ', ThisLaunchFile()])])\n"
    )
    result = run_launch(
        IncludeLaunchDescription(PythonLaunchDescriptionSource(str(tmp_path / "a.launch.py")))
    )
    assert result.code == 0, result.screen
    assert f"in {below / 'b.launch.py'}" in result.screen
    assert f"out {tmp_path / 'a.launch.py'}" in result.screen
    assert f"later {below}" in result.screen
    outside = run_launch(say(ThisLaunchFileDir()), say(ThisLaunchFile()))
    assert outside.code == 1
    assert "used outside of a launch file" in outside.screen


def test_launch_file_that_includes_itself_can_be_described(tmp_path: Path) -> None:
    path = tmp_path / "circle.launch.py"
    path.write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription\n"
        "def generate_launch_description():\n"
        "    return LaunchDescription([DeclareLaunchArgument('again', default_value='true'),\n"
        f"        IncludeLaunchDescription({str(path)!r})])\n"
    )
    source = PythonLaunchDescriptionSource(str(path))
    names = source.get_launch_description(LaunchContext()).get_launch_arguments()
    assert [argument.name for argument in names] == ["again"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.launch.py", "def generate(): pass", "has no function generate_launch_description()"),
        ("x.launch.py", "syntax error here", "SyntaxError"),
        ("x.launch.py", "import nothing_of_this_name", "nothing_of_this_name"),
        ("x.launch.py", "def generate_launch_description(): return 5", "returned 5 instead of"),
        ("x.launch.xml", "<launch/>", "this stand-in for the launch package reads Python only"),
        ("x.launch.toml", "", "the format '.toml' is unknown"),
    ],
)
def test_bad_launch_file(
    run_launch: Run, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    result = run_launch(IncludeLaunchDescription(str(tmp_path / name)))
    assert result.code == 1
    assert message in result.screen
    assert name in result.screen


@pytest.mark.parametrize("kind", ["XML", "YAML"])
def test_other_formats_can_be_named_but_not_loaded(
    run_launch: Run, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.launch.py"
    path.write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import IncludeLaunchDescription, LogInfo\n"
        "from launch.conditions import IfCondition\n"
        "from launch.substitutions import LaunchConfiguration\n"
        f"from launch_{kind.lower()}.launch_description_sources import "
        f"{kind}LaunchDescriptionSource\n"
        "def generate_launch_description():\n    return LaunchDescription([\n"
        f"        IncludeLaunchDescription({kind}LaunchDescriptionSource('/other'),\n"
        "            condition=IfCondition(LaunchConfiguration('taken'))),\n"
        "        LogInfo(msg='<end>')])\n"
    )
    result = run_launch(IncludeLaunchDescription(str(path)), taken="false")
    assert result.code == 0
    assert "<end>" in result.screen
    result = run_launch(IncludeLaunchDescription(str(path)), taken="true")
    assert result.code == 1
    assert "launch file '/other': launch files in XML and YAML need a ROS 2" in result.screen


def test_missing_launch_file(run_launch: Run) -> None:
    result = run_launch(IncludeLaunchDescription("/no/such.launch.py"))
    assert result.code == 1
    assert "launch file '/no/such.launch.py' does not exist" in result.screen


def test_opaque_function_sees_the_context_and_returns_actions(run_launch: Run) -> None:
    def function(context: LaunchContext, extra: str, *, key: str) -> list[LogInfo]:
        return [say(context.launch_configurations["x"], extra, key)]

    entity = OpaqueFunction(function=function, args=["b"], kwargs={"key": "c"})
    assert "<abc>" in run_launch(entity, x="a").screen
    wrong = run_launch(OpaqueFunction(function=lambda context: ["text"]))
    assert wrong.code == 1
    assert "must give actions, but gave 'text'" in wrong.screen


def test_what_is_not_an_action_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="holds actions, but was given"):
        LaunchDescription(["text"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="condition must be"):
        LogInfo(msg="x", condition="true")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\.items\(\)"):
        IncludeLaunchDescription("x.launch.py", launch_arguments={"a": "b"})  # type: ignore


def test_environment_after_a_launch_keeps_unrelated_variables(run_launch: Run) -> None:
    os.environ["LAUNCH_TEST_KEPT"] = "yes"
    run_launch(GroupAction([SetEnvironmentVariable("LAUNCH_TEST_SET", "x")]))
    assert os.environ["LAUNCH_TEST_KEPT"] == "yes"
    assert "LAUNCH_TEST_SET" not in os.environ
