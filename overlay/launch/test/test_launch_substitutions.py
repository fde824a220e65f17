"""Substitutions and conditions."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from launch.actions import AppendEnvironmentVariable, UnsetEnvironmentVariable
from launch.conditions import (
    IfCondition,
    InvalidConditionExpressionError,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from launch.substitutions import (
    AllSubstitution,
    AndSubstitution,
    AnonName,
    AnySubstitution,
    Command,
    EnvironmentVariable,
    EqualsSubstitution,
    FileContent,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    LaunchLogDir,
    LocalSubstitution,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PythonExpression,
    SubstitutionFailure,
    TextSubstitution,
)
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, Substitution


@pytest.fixture
def context() -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update({"x": "value", "yes": "true", "no": "False"})
    return context


X, YES, NO = LaunchConfiguration("x"), LaunchConfiguration("yes"), LaunchConfiguration("no")


@pytest.mark.parametrize(
    ("substitution", "expected"),
    [
        (TextSubstitution(text="text"), "text"),
        (X, "value"),
        (LaunchConfiguration(["", TextSubstitution(text="x")]), "value"),
        (LaunchConfiguration("nothing", default=[X, "!"]), "value!"),
        (LaunchConfiguration("nothing", default=5), "5"),
        (EnvironmentVariable("NO_SUCH", default_value="default"), "default"),
        (PathJoinSubstitution(["/a", X, ["b", X], "c.yaml"]), "/a/value/bvalue/c.yaml"),
        (PathJoinSubstitution([Path("/a"), "/b"]), "/b"),
        (PythonExpression(["'", X, "' == 'value'"]), "True"),
        (PythonExpression("math.floor(pi) + 1"), "4"),
        (PythonExpression("os.path.basename('/a/b')", ["os.path"]), "b"),
        (EqualsSubstitution(X, "value"), "true"),
        (EqualsSubstitution(YES, True), "true"),
        (NotEqualsSubstitution(X, "value"), "false"),
        (NotSubstitution(NO), "true"),
        (AndSubstitution(YES, "1"), "true"),
        (AndSubstitution(YES, NO), "false"),
        (OrSubstitution(NO, "0"), "false"),
        (AnySubstitution(NO, NO, YES), "true"),
        (AllSubstitution(YES, YES, NO), "false"),
        (IfElseSubstitution(YES, "a", "b"), "a"),
        (IfElseSubstitution(NO, if_value="a"), ""),
        (Command(["echo ", X, " 'two  words'"]), "value two  words\n"),
        (Command("sh -c 'echo out; echo err >&2'", on_stderr="ignore"), "out\n"),
        (Command("sh -c 'echo out; echo err >&2'", on_stderr="capture"), "out\nerr\n"),
    ],
)
def test_value(context: LaunchContext, substitution: Substitution, expected: str) -> None:
    assert substitution.perform(context) == expected
    assert substitution.describe()


@pytest.mark.parametrize(
    ("substitution", "message"),
    [
        (LaunchConfiguration("word"), "launch configuration 'word' does not exist"),
        (EnvironmentVariable("NO_SUCH"), "environment variable 'NO_SUCH' does not exist"),
        (PythonExpression("1 +"), "the Python expression '1 \\+' failed: SyntaxError"),
        (PythonExpression("__import__('os').getcwd()"), "unknown name '__import__'"),
        (PythonExpression("().__class__"), "attribute '__class__' is not allowed"),
        (PythonExpression("'{0.__class__}'.format(1)"), "attribute 'format' is not allowed"),
        (PythonExpression("[x for x in (1, 2)]"), "ListComp is not allowed"),
        (PythonExpression("9**9999"), "powers above"),
        (Command("sh -c 'echo bad >&2; exit 3'"), "exit code 3.*bad"),
        (Command("sh -c 'echo warned >&2'"), "showed stderr output.*warned"),
        (Command("no-such-program"), "cannot run the command 'no-such-program'"),
        (Command("echo", on_stderr="sometimes"), "on_stderr is 'sometimes'"),
        (FindExecutable(name="no-such-program"), "'no-such-program' not found on the PATH"),
        (FileContent("/no/such/file"), "cannot read the file '/no/such/file'"),
        (LocalSubstitution("event.pid"), "local variable 'event.pid' does not exist"),
        (NotSubstitution("yes"), r"NotSubstitution: expected one of \[true, 1, false, 0\]"),
        (IfElseSubstitution("maybe", "a"), "IfElseSubstitution: .* but got 'maybe'"),
    ],
)
def test_failure(context: LaunchContext, substitution: Substitution, message: str) -> None:
    with pytest.raises(SubstitutionFailure, match=f"(?s){message}"):
        substitution.perform(context)


def test_values_from_the_machine(context: LaunchContext, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content ü")
    assert FileContent(tmp_path / "file").perform(context) == "content ü"
    assert Path(FindExecutable(name="sh").perform(context)).name == "sh"
    assert Path(LaunchLogDir().perform(context)).is_dir()
    name = AnonName("node").perform(context)
    assert name.startswith("node_")
    assert AnonName("node").perform(context) == name
    assert AnonName("node").perform(LaunchContext()) != name
    context.extend_locals({"event": sys})
    assert LocalSubstitution("event.flags.optimize").perform(context) == str(sys.flags.optimize)


def test_environment_actions(context: LaunchContext) -> None:
    os.environ.pop("LAUNCH_LIST", None)
    for value, prepend in (("a", False), ("b", False), ("c", "true")):
        AppendEnvironmentVariable("LAUNCH_LIST", value, prepend=prepend).visit(context)
    assert os.environ["LAUNCH_LIST"] == "c:a:b"
    UnsetEnvironmentVariable("LAUNCH_LIST").visit(context)
    UnsetEnvironmentVariable("LAUNCH_LIST").visit(context)
    assert "LAUNCH_LIST" not in os.environ


@pytest.mark.parametrize("text", ["true", "True", " TRUE ", "1", "false", "0", "False\n"])
def test_condition_accepts(context: LaunchContext, text: str) -> None:
    expected = text.strip().lower() in ("true", "1")
    assert IfCondition(text).evaluate(context) is expected
    assert UnlessCondition([text]).evaluate(context) is not expected


@pytest.mark.parametrize("text", ["yes", "", "2", "truefalse"])
def test_condition_refuses(context: LaunchContext, text: str) -> None:
    expected = (
        rf"invalid condition expression, expected one of \[true, 1, false, 0\] but got '{text}'"
    )
    with pytest.raises(InvalidConditionExpressionError, match=expected):
        IfCondition(text).evaluate(context)


def test_configuration_conditions(context: LaunchContext) -> None:
    assert LaunchConfigurationEquals("x", "value").evaluate(context)
    assert not LaunchConfigurationEquals("x", "other").evaluate(context)
    assert not LaunchConfigurationEquals("missing", "value").evaluate(context)
    assert LaunchConfigurationEquals("missing", None).evaluate(context)
    assert LaunchConfigurationNotEquals("x", "other").evaluate(context)


@given(st.lists(st.text(string.printable), max_size=5))
def test_parts_are_concatenated(parts: list[str]) -> None:
    mixed: list[Any] = [
        TextSubstitution(text=part) if number % 2 else part for number, part in enumerate(parts)
    ]
    performed = perform_substitutions(LaunchContext(), normalize_to_list_of_substitutions(mixed))
    assert performed == "".join(parts)


@pytest.mark.parametrize("wrong", [5, [5], None, [["nested"]]])
def test_what_is_no_text_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a text or a launch\.Substitution"):
        normalize_to_list_of_substitutions(wrong)
