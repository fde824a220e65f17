"""Parameters of the view: documented as they are, and senseless ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from gensim2_control.ros.parameters import markdown_table
from gensim2_view.view_parameters_node import ViewParameters


def test_the_readme_shows_the_parameters_as_they_are() -> None:
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    shown = text.split("<!-- parameters -->\n")[1].split("<!-- end -->")[0]
    assert shown == markdown_table(ViewParameters)


def test_the_page_is_for_this_machine_unless_told_otherwise() -> None:
    assert ViewParameters().host == "127.0.0.1"


def test_a_corner_needs_three_numbers() -> None:
    with pytest.raises(ValueError, match="three numbers"):
        ViewParameters(workspace_min=(0.0, 0.0)).check()
