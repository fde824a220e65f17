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


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("round(3.14159, ndigits=2)", "3.14"),
        ("sorted([2, 3, 1], reverse=True)", "[3, 2, 1]"),
        ("f'{2.5:.2f}|{\"a\"!r}|{7:>{2 + 1}}|{{}}'", "2.50|'a'|  7|{}"),
        ("[x * y for x in range(3) if x for y in (1, 10)]", "[1, 10, 2, 20]"),
        ("[[y for y in range(x)] for x in range(3)]", "[[], [0], [0, 1]]"),
        ("{k: v + 1 for k, (v, _) in {'a': (1, 2)}.items()}", "{'a': 2}"),
        ("{len(w) for w in ('a', 'b')}", "{1}"),
        ("','.join(f'n{i}' for i in range(2))", "n0,n1"),
        ("any(x > 1 for x in [1, 2])", "True"),
        ("'{}-{name:03d}-{0[1]}'.format([1, 2], name=7)", "[1, 2]-007-2"),
        ("'{:>{}}'.format('a', 3)", "  a"),
        ("'42'.isdigit() and 'a b'.split()[1].isalpha()", "True"),
        ("{'a': 1}.get('b', 5)", "5"),
        ("list(range(1, 6, 2))", "[1, 3, 5]"),
        ("divmod(7, 2)", "(3, 1)"),
        ("1 << 4 | 256 >> 3", "48"),
        ("sum(map(int, '1 2'.split()))", "3"),
        ("max(enumerate('ab'))[1]", "b"),
    ],
)
def test_python_expression_of_ordinary_launch_files(
    context: LaunchContext, expression: str, expected: str
) -> None:
    assert PythonExpression(expression).perform(context) == expected


def test_python_expression_looks_at_the_machine(
    context: LaunchContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCH_LIST", "given")

    def value(expression: str, module: str = "os") -> str:
        return PythonExpression(expression, [module]).perform(context)

    assert value("os.path.join('/a', os.path.basename('/b/c'))") == "/a/c"
    assert value("os.path.exists('/no/such')") == "False"
    assert value("os.environ.get('LAUNCH_LIST', 'none')") == "given"
    assert value("os.environ['LAUNCH_LIST'] if 'LAUNCH_LIST' in os.environ else ''") == "given"
    assert value("os.environ.get('NO_SUCH', 'none') + os.getenv('NO_SUCH', '!')") == "none!"
    assert value("platform.system()", "platform") == "Linux"
    assert value("yaml.safe_load('[1]')", "yaml") == "[1]"  # not of the standard library


@pytest.mark.parametrize(
    ("expression", "module", "message"),
    [
        ("'{0.__class__}'.format(1)", "math", r"attributes \('\{0.__class__\}'\) are not"),
        ("'{:{0.real}}'.format(1)", "math", "attributes .* are not allowed"),
        ("'{a}'.format_map({})", "math", "attribute 'format_map' is not allowed"),
        ("f'{().__class__}'", "math", "attribute '__class__' is not allowed"),
        ("[x.__class__ for x in (1,)]", "math", "attribute '__class__' is not allowed"),
        ("str.mro()", "math", "attribute 'mro' is not allowed"),
        ("[x for x in (1,)] and x", "math", "unknown name 'x'"),
        ("[0 for x[0] in (1,)]", "math", "Subscript is not allowed as a loop variable"),
        ("(lambda: 1)()", "math", "Lambda is not allowed"),
        ("(x := 1)", "math", "NamedExpr is not allowed"),
        ("dict(**{})", "math", "unpacking is not allowed"),
        ("max(*(1, 2))", "math", "Starred is not allowed"),
        ("1 << 99999", "math", "shifts above"),
        ("__import__('os')", "os", "unknown name '__import__'"),
        ("open('/etc/passwd')", "os", "unknown name 'open'"),
        ("eval('1')", "os", "unknown name 'eval'"),
        ("getattr(1, 'real')", "os", "unknown name 'getattr'"),
        ("os.system('true')", "os", "attribute 'system' is not allowed"),
        ("os.path.os.system('true')", "os", "attribute 'os' is not allowed"),
        ("os.environ.update({'A': '1'})", "os", "attribute 'update' is not allowed"),
        ("os.environ.pop('PATH')", "os", "attribute 'pop' is not allowed"),
        ("subprocess.run('true')", "subprocess", "the module 'subprocess' is not allowed"),
        ("builtins.eval('1')", "builtins", "the module 'builtins' is not allowed"),
    ],
)
def test_python_expression_refuses_what_could_run_code(
    context: LaunchContext, expression: str, module: str, message: str
) -> None:
    with pytest.raises(SubstitutionFailure, match=message):
        PythonExpression(expression, [module]).perform(context)


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
