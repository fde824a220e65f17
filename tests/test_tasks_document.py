"""docs/tasks.md says what the catalogue holds and what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import document_tasks
import pytest
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.predicates import OpennessAbove, Settled, SuccessCondition, Upright
from pydantic import BaseModel
from task_words import condition_words, predicate_words, subtask_words

MAX_BYTES = 1_500_000  # of all pictures


def test_the_document_is_fresh() -> None:
    """Whoever reads it finds the tasks as they are, and the figures of docs/data."""
    written = document_tasks.DOCUMENT.read_text()
    assert written == document_tasks.render(), "renew it with: ./ws python tools/document_tasks.py"


def test_every_task_has_its_picture_and_they_stay_small() -> None:
    """None of a task that is gone, and not a repository of pictures."""
    pictures = sorted(document_tasks.PICTURES.iterdir())
    assert [picture.stem for picture in pictures] == task_names(), "run it with --pictures"
    files = [*pictures, document_tasks.MONTAGE]
    assert sum(file.stat().st_size for file in files) < MAX_BYTES


def test_figures_of_predicates_are_told_where_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of them where they are not."""
    row = {"kind": "inside", "hits": 200, "misses": 100, "assets": 7, "missed": 1, "false": 0}
    file = tmp_path / "predicates.json"
    monkeypatch.setattr(document_tasks, "PREDICATES", file)
    assert "precision" not in document_tasks.render()
    rows = [{**row, "precision": 1.0, "recall": 0.995}]
    file.write_text(json.dumps({"predicates": rows}))
    assert "| `inside` | 200 | 100 | 7 | 100.0 % | 99.5 % |" in document_tasks.render()


def test_a_condition_is_told_with_its_thresholds_and_its_dwell() -> None:
    """Nothing that decides is left out."""
    condition = SuccessCondition(
        all=(OpennessAbove(object="box", value=0.9), Upright(object="box", value=0.35)),
        any=(Settled(object="box", value=0.05),),
        dwell=2.0,
    )
    assert condition_words(condition) == (
        "box is open by more than 90 % of its way and box is tipped by less than 20 degrees, "
        "and box moves slower than 0.05 rad/s or m/s; held for 2 s"
    )


def test_a_predicate_without_words_is_told_by_its_fields() -> None:
    """It is better seen than left out."""

    class Odd(BaseModel):
        kind: str = "odd"
        object: str = "box"
        colour: str = "red"

    assert predicate_words(Odd()) == "odd (object box, colour red)"  # type: ignore[arg-type]


def test_every_solver_of_a_subtask_is_named() -> None:
    """The order is that of preference."""
    (subtask,) = load_task("PressToasterLever").subtasks
    text = subtask_words(subtask)
    assert text == "**press** (toaster): `PressToasterLever`, `PressToasterLeverTips`."
