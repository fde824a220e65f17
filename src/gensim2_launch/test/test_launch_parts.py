"""Misspelt arguments, and what the end of a process means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("launch_ros", reason="needs the workspace: run the tests with ./ws")

from gensim2_launch.ros.arguments import VIEW, is_launched, refuse_unknown
from gensim2_launch.ros.ends import end_with, fail_without, go_on_without


def context(*argv: str, ending: bool = False) -> Any:
    return SimpleNamespace(argv=list(argv), is_shutdown=ending)


def ended(code: int) -> Any:
    return SimpleNamespace(process_name="planner-3", returncode=code)


def test_an_unknown_argument_is_named_with_its_nearest() -> None:
    refuse_unknown(context("task:=OpenBox"), ["task", "episodes"])
    with pytest.raises(RuntimeError, match="'epsiodes'; did you mean 'episodes'"):
        refuse_unknown(context("task:=OpenBox", "epsiodes:=3"), ["task", "episodes"])
    with pytest.raises(RuntimeError, match="known are: task, episodes"):
        refuse_unknown(context("zzz:=3"), ["task", "episodes"])


def test_a_file_knows_whether_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["ros2", "launch", "gensim2", "core.launch.py"])
    assert is_launched("/somewhere/core.launch.py")
    assert not is_launched("/somewhere/view.launch.py")


@pytest.mark.parametrize("code", [0, 1, -9])
def test_a_node_that_is_needed_may_not_end(code: int) -> None:
    with pytest.raises(RuntimeError, match=f"planner-3 ended with exit code {code}"):
        fail_without(ended(code), context())
    fail_without(ended(code), context(ending=True))


def test_the_work_ends_the_launch_and_a_view_does_not() -> None:
    assert end_with(ended(0), context()) is not None
    with pytest.raises(RuntimeError, match="exit code 130"):
        end_with(ended(130), context(ending=True))
    assert go_on_without(ended(-9), context()) is not None
    assert go_on_without(ended(0), context(ending=True)) is None


def test_an_argument_declares_its_choices() -> None:
    declared = VIEW.declare()
    assert declared.name == "view" and declared.choices == ["none", "rviz", "web"]
