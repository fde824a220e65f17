"""Parameter values: their types, their YAML, their errors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from launch.substitutions import LaunchConfiguration, SubstitutionFailure, TextSubstitution
from launch_ros.actions import SetParameter
from launch_ros.parameter_descriptions import Parameter, ParameterFile, ParameterValue
from launch_ros.parameter_values import evaluate_parameter_dict
from launch_ros.parameter_yaml import file_text, value_text
from launch_ros.substitution_text import replace_substitutions
from launch_ros.substitutions import Parameter as ParameterSubstitution

from launch import LaunchContext


@pytest.fixture
def context() -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update(
        {"number": "42", "word": "hello", "list": "[1, 2]", "map": "{a: 1}", "xml": "<a b='c: d'/>"}
    )
    return context


NUMBER = LaunchConfiguration("number")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (1, 1),
        (1.0, 1.0),
        ("1", "1"),
        ("true", "true"),
        (NUMBER, 42),
        (LaunchConfiguration("word"), "hello"),
        (LaunchConfiguration("list"), [1, 2]),
        (TextSubstitution(text="yes"), True),
        (["x", NUMBER], "x42"),
        ((1, 2), [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        (["a", "b"], ["a", "b"]),
        ([[NUMBER, "_a"], ["b"]], ["42_a", "b"]),
        (([NUMBER], ("4", "3")), [42, 43]),
        ([["True"], ["False"]], [True, False]),
        ([[NUMBER], [TextSubstitution(text="1.5")]], [42.0, 1.5]),
        ([[LaunchConfiguration("word")], "1"], ["hello", "1"]),
        ([[NUMBER], "1", 2, TextSubstitution(text="3")], [42, 1, 2, 3]),
        (ParameterValue([[NUMBER], "b"], value_type=list[str]), ["42", "b"]),
        (ParameterValue([[NUMBER], ["1"]], value_type=list[float]), [42.0, 1.0]),
        (ParameterValue(NUMBER, value_type=str), "42"),
        (ParameterValue(NUMBER, value_type=float), 42.0),
        (ParameterValue(LaunchConfiguration("xml"), value_type=str), "<a b='c: d'/>"),
        (ParameterValue(LaunchConfiguration("list"), value_type=list[float]), [1.0, 2.0]),
        (ParameterValue([1, 2], value_type=list[str]), ["1", "2"]),
        (ParameterValue(5, value_type=float), 5.0),
        (ParameterValue(NUMBER), 42),
    ],
)
def test_type_of_value(context: LaunchContext, value: Any, expected: Any) -> None:
    evaluated: Any = evaluate_parameter_dict(context, {"p": value})["p"]
    assert evaluated == expected
    assert type(evaluated) is type(expected)
    if isinstance(expected, list):
        assert [type(item) for item in evaluated] == [type(item) for item in expected]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "is empty"),
        ([1, "a"], "mixes types"),
        ([1, True], "mixes types"),
        ([[1], [2]], "holds what cannot be a parameter"),
        ([["a"], [1]], "holds what cannot be a parameter"),
        ([[NUMBER], ["a"]], "mixes types"),
        ([["a"], [LaunchConfiguration("map")]], "holds what cannot be a parameter"),
        (None, "gives NoneType, which cannot be a parameter"),
        (Path("/x"), "which cannot be a parameter"),
        (LaunchConfiguration("map"), r"gives dict.*ParameterValue\(value, value_type=str\)"),
        (TextSubstitution(text="a: b: c"), "as YAML.*value_type=str"),
        (ParameterValue(LaunchConfiguration("word"), value_type=int), "'hello' is not of type int"),
        (ParameterValue(TextSubstitution(text="1.5"), value_type=int), "not of type int"),
        (ParameterValue(NUMBER, value_type=bool), "not of type bool"),
        (ParameterValue(NUMBER, value_type=list[int]), "is not a list with elements"),
    ],
)
def test_unusable_value_names_the_parameter(
    context: LaunchContext, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=f"(?s)parameter 'a.p': .*{message}"):
        evaluate_parameter_dict(context, {"a": {"p": value}})


def test_unknown_type_is_refused_where_it_is_written() -> None:
    for wrong in (dict, bytes, list[dict], "int"):
        with pytest.raises(TypeError, match="expected bool, int, float, str or List"):
            ParameterValue("x", value_type=wrong)


def test_nested_names(context: LaunchContext) -> None:
    given = {"a": {"b": {NUMBER: 1}, "c": 2}, ("d", NUMBER): 3}
    assert evaluate_parameter_dict(context, given) == {"a.b.42": 1, "a.c": 2, "d42": 3}


scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]))
    | st.sampled_from(
        ["y", "no", "on", "1", "1e3", "~", "null", "", " x ", "a: b", "#", "\n", "é\t'\""]
    )
)


@given(scalars | st.lists(st.integers(), min_size=1) | st.lists(st.text(), min_size=1, max_size=3))
def test_yaml_says_what_was_meant(value: Any) -> None:
    line = value_text(value)
    assert "\n" not in line
    for read in (
        yaml.safe_load(line),
        yaml.safe_load(file_text("/ns/node", {"a.b": value}))["/ns/node"]["ros__parameters"]["a.b"],
    ):
        assert read == value
        assert type(read) is type(value)


def test_infinite_numbers() -> None:
    assert yaml.safe_load(value_text(math.inf)) == math.inf


def test_bare_word_that_ros_takes_for_a_bool_is_quoted() -> None:
    assert value_text("y") == '"y"'
    assert value_text(["on", "x"]) == '["on", "x"]'


def test_parameter_and_its_substitution(context: LaunchContext) -> None:
    name, value = Parameter(["p", NUMBER], NUMBER, value_type=str).evaluate(context)
    assert (name, value) == ("p42", "42")
    with pytest.raises(ValueError, match="parameter 'bad'"):
        Parameter("bad", []).evaluate(context)
    SetParameter("rate", NUMBER).visit(context)
    assert ParameterSubstitution("rate").perform(context) == "42"
    assert ParameterSubstitution("other", default="x").perform(context) == "x"
    with pytest.raises(SubstitutionFailure, match="parameter 'other' not found"):
        ParameterSubstitution("other").perform(context)


def test_file_with_substitutions(
    context: LaunchContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHICH", "number")
    path = tmp_path / "p.yaml"
    path.write_text("a: $(var $(env WHICH))\nb: $(var none default)\nc: $5 (x)\n")
    assert ParameterFile(path).evaluate(context) == path
    changed = ParameterFile(path, allow_substs=True).evaluate(context)
    assert changed.read_text() == "a: 42\nb: default\nc: $5 (x)\n"
    path.write_text("a: $(var unclosed")
    with pytest.raises(ValueError, match=r"'\)' is missing after '\$\(var unclosed'"):
        ParameterFile(path, allow_substs=True).evaluate(context)
    path.write_text("a: $(whatever x)")
    with pytest.raises(
        ValueError, match=r"p\.yaml': the substitution '\$\(whatever x\)' is unknown"
    ):
        ParameterFile(path, allow_substs="true").evaluate(context)


def test_what_a_substitution_gave_is_not_substituted_again(context: LaunchContext) -> None:
    context.launch_configurations["word"] = "$(var number)"
    assert replace_substitutions(context, "$(var word) $(var number)") == "$(var number) 42"
