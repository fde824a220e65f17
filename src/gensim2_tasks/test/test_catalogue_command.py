"""The program `catalogue`: every task is listed, a slip is answered, and pictures need a studio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.task_library import VARIABLE
from typer.testing import CliRunner

from gensim2_tasks import catalogue_cli

RUN = CliRunner()


def test_every_task_is_listed_with_its_instruction() -> None:
    done = RUN.invoke(catalogue_cli.app, ["list"])
    assert done.exit_code == 0
    for name in task_names():
        assert name in done.output
        assert all(word in done.output for word in load_task(name).instruction.split())


def test_tasks_of_the_library_are_listed_marked_and_a_broken_one_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    folder = tmp_path / "tasks"
    folder.mkdir()
    plain = load_task("OpenBox").model_dump(mode="json") | {
        "name": "OpenOther",
        "instruction": "Open the [red] other box.",
    }
    (folder / "OpenOther.yaml").write_text(yaml.safe_dump(plain))
    (folder / "Broken.yaml").write_text("- [")
    (folder / "bad\x1bname.yaml").write_text("")
    done = RUN.invoke(catalogue_cli.app, ["list"])
    assert done.exit_code == 0
    words = done.output.split()
    assert words[words.index("OpenOther") + 1] == "*"
    assert "[red]" in done.output and "Broken *" in done.output and "PushBox" in words
    assert "\x1b" not in done.output


def test_a_task_is_shown_with_what_it_takes_to_succeed() -> None:
    done = RUN.invoke(catalogue_cli.app, ["show", "PushBox,OpenDrawer"])
    assert done.exit_code == 0
    for text in ("upright 0.35 of box", "openness_above 0.8 of drawer", "OpenDrawerGraspBar"):
        assert text in done.output


def test_a_slip_is_answered_with_the_nearest_names() -> None:
    for command in (["show", "OpenBx"], ["render", "OpenBx"]):
        done = RUN.invoke(catalogue_cli.app, command)
        assert done.exit_code == 1
        assert "did you mean OpenBox" in done.output


class Scribe:
    """A studio that writes down what it is to take a picture of."""

    def save(
        self, scenes: Sequence[tuple[Sequence[PlacedObject], str]], file: Path, columns: int
    ) -> None:
        file.write_text("\n".join(f"{text} {objects[0].asset.ref}" for objects, text in scenes))


def test_scenes_are_those_of_the_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a picture can be found again by `seed:=`."""
    monkeypatch.setattr(catalogue_cli, "_studio", Scribe)
    out = tmp_path / "pictures"
    words = ["render", "OpenBox,PushBox", "--scenes", "3", "--seed", "5", "--out", str(out)]
    done = RUN.invoke(catalogue_cli.app, words)
    assert done.exit_code == 0, done.output
    assert {p.name for p in out.iterdir()} == {"OpenBox.png", "PushBox.png"}
    lines = (out / "OpenBox.png").read_text().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["seed 5", "seed 6", "seed 7"]
    assert len({line.split()[-1] for line in lines}) == 3


def test_without_a_simulator_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_cli, "entry_points", lambda group: ())
    done = RUN.invoke(catalogue_cli.app, ["render", "OpenBox"])
    assert done.exit_code == 1
    assert "gensim2_sim_bridge" in done.output
