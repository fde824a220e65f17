"""Parameters of the camera: documented as they are, and senseless combinations refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from gensim2_control.ros.parameters import markdown_table
from gensim2_perception.realsense_parameters_node import RealsenseParameters


def test_the_readme_shows_the_parameters_as_they_are() -> None:
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    shown = text.split("<!-- parameters -->\n")[1].split("<!-- end -->")[0]
    assert shown == markdown_table(RealsenseParameters)


def test_only_a_recording_is_moved_in_time() -> None:
    """A live camera whose stamps were moved would hide its delay."""
    assert RealsenseParameters(source="bag").capture().rebase
    assert not RealsenseParameters(source="device").capture().rebase
    assert not RealsenseParameters(source="software").capture().rebase


@pytest.mark.parametrize("camera", ["", "left camera", "/left_camera", "0_camera"])
def test_a_name_that_is_no_topic_is_refused(camera: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        RealsenseParameters(camera=camera).check()


def test_the_defaults_are_for_a_camera_that_is_plugged_in() -> None:
    table = RealsenseParameters()
    table.check()
    assert table.device().global_time and not table.device().serial
    assert str(table.stream()) == "640 x 480 at 30 fps"
