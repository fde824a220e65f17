"""A mistyped parameter that is silently ignored leaves a limit at its default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import rclpy
from gensim2_control.ros.body_parameters import BodyParameters
from gensim2_control.ros.parameters import (
    ParameterError,
    declare_parameters,
    markdown_table,
    parameter,
    reject_unknown_parameters,
)
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

MakeNode = Callable[..., Node]


@dataclass(frozen=True)
class Example:
    """A table with one field of each kind."""

    rate: float = parameter(10.0, "Rate, Hz.", low=1.0, high=100.0, read_only=False)
    count: int = parameter(3, "How many.", low=0)
    mode: str = parameter("fast", "Mode.", choices=("fast", "slow"), read_only=False)
    enabled: bool = parameter(True, "Whether.")
    gains: tuple[float, ...] = parameter((1.0, 2.0), "Gains.", low=0.0, read_only=False)

    def check(self) -> None:
        """Refuse a combination."""
        if self.mode == "slow" and self.rate > 50:
            raise ValueError("slow mode needs rate <= 50")


@pytest.fixture(scope="module")
def context() -> Iterator[Context]:
    context = Context()
    rclpy.init(context=context, domain_id=61)
    yield context
    rclpy.shutdown(context=context)


@pytest.fixture
def make_node(context: Context) -> Iterator[MakeNode]:
    nodes: list[Node] = []

    def make(*words: str) -> Node:
        arguments = [word for given in words for word in ("-p", given)]
        nodes.append(
            Node(
                "example",
                context=context,
                cli_args=["--ros-args", *arguments] if words else None,
                start_parameter_services=False,
                enable_rosout=False,
            )
        )
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_defaults_and_values_given_at_start(make_node: MakeNode) -> None:
    assert declare_parameters(make_node(), Example).value == Example()
    node = make_node("rate:=20", "mode:=slow", "gains:=[3, 4]", "enabled:=false")
    given = declare_parameters(node, Example).value
    assert given == Example(rate=20.0, mode="slow", gains=(3.0, 4.0), enabled=False)
    assert isinstance(given.rate, float)
    assert node.describe_parameter("rate").description == "Rate, Hz."
    assert node.describe_parameter("count").read_only
    reject_unknown_parameters(node)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("rate:=1000.0", "rate"),
        ("rate:=fast", "rate"),
        ("count:=-1", "count"),
        ("count:=1.5", "count"),
        ("mode:=medium", "'medium' is not one of fast, slow"),
        ("gains:=[1.0, -1.0]", "-1.0 is out of bounds"),
        ("gains:=[1.0, .nan]", "must be finite"),
        ("rate:=.nan", "rate"),
    ],
)
def test_bad_values_at_start_are_errors(make_node: MakeNode, given: str, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        declare_parameters(make_node(given), Example)


def test_bad_combinations_at_start_are_errors(make_node: MakeNode) -> None:
    with pytest.raises(ParameterError, match="slow mode needs"):
        declare_parameters(make_node("mode:=slow", "rate:=60.0"), Example)


def test_unknown_parameters_are_errors_with_a_hint(make_node: MakeNode) -> None:
    node = make_node("rte:=20.0")
    declare_parameters(node, Example)
    with pytest.raises(ParameterError, match="unknown parameter rte, did you mean rate"):
        reject_unknown_parameters(node)


def test_values_set_later_are_validated_together(make_node: MakeNode) -> None:
    node = make_node()
    heard: list[Example] = []
    table = declare_parameters(node, Example, heard.append)
    assert node.set_parameters_atomically([Parameter("rate", value=80.0)]).successful
    assert table.value.rate == 80.0
    refused = node.set_parameters_atomically([Parameter("mode", value="slow")])
    assert not refused.successful
    assert "slow mode needs" in refused.reason
    both = [Parameter("mode", value="slow"), Parameter("rate", value=40.0)]
    assert node.set_parameters_atomically(both).successful
    assert (table.value.mode, table.value.rate) == ("slow", 40.0)
    for wrong in (
        Parameter("count", value=4),
        Parameter("rate", value=1e6),
        Parameter("gains", value=[-1.0]),
    ):
        assert not node.set_parameters_atomically([wrong]).successful
    assert table.value == Example(rate=40.0, mode="slow")
    assert heard == [Example(rate=80.0), Example(rate=40.0, mode="slow")], "refused ones are not"


def test_the_documentation_of_a_table_is_complete() -> None:
    text = markdown_table(Example)
    assert "| `mode` | `fast` | `fast`, `slow` | Mode. |" in text
    assert "| `count` | `3` | >= 0 | How many. |" in text
    assert len(markdown_table(BodyParameters).splitlines()) == 2 + len(
        BodyParameters.__dataclass_fields__
    )


def test_the_readme_shows_the_parameters_as_they_are() -> None:
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    shown = text.split("<!-- parameters -->\n")[1].split("<!-- end -->")[0]
    assert shown == markdown_table(BodyParameters)


def test_body_parameters_become_limits_and_settings() -> None:
    parameters = BodyParameters(velocity_scale=0.3, position_margin=0.05, goal_tolerance=0.01)
    assert parameters.limits().dq_max[0] == pytest.approx(0.786)
    assert parameters.config(0.005).arm.goal_tolerance == 0.01
    with pytest.raises(ValueError, match="three entries"):
        BodyParameters(workspace_lower=(0.0, 0.0)).check()
    with pytest.raises(ValueError, match="must be below"):
        BodyParameters(workspace_lower=(0.0, 0.0, 9.0)).check()
