"""Figures of runs: right where everything, something or nothing was accepted."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest
from gensim2_generation.metric_sheets import figure_sheet, rejected_sheet, stage_sheet
from gensim2_generation.metrics import figures
from gensim2_generation.outcome import Decision
from gensim2_generation.report import PICTURE, REPORT, write_report
from gensim2_generation.report_cli import main
from gensim2_generation.run_folder import DECISIONS, REQUEST, RunError, RunFolder, RunRequest
from gensim2_generation.source import Wanted
from matplotlib.image import imread


def decision(stage: str, source: str = "openai m", **more: object) -> Decision:
    executed = stage in ("", "execute", "settle", "control")
    known: dict[str, object] = {
        "name": "PullDrawer",
        "instruction": "Pull the drawer.",
        "accepted": not stage,
        "stage": stage,
        "reason": "why" if stage else "",
        "mode": "primitive" if executed else "",
        "source": source,
        "pass_rate": 0.0 if stage else 0.8,
        "episodes": 5 if executed else 0,
        "novelty": 0.4,
        "tokens": 100,
        "cost": 0.5,
        "seconds": 10.0,
    }
    return Decision(**known | more)  # type: ignore[arg-type]


TEN = [
    *(decision(stage) for stage in ("constraints", "constraints", "task", "novelty", "limits")),
    *(decision(stage) for stage in ("execute", "control")),
    *(decision("", novelty=n, repairs=r) for n, r in ((0.2, 0), (0.4, 1), (0.6, 0))),
]


def run_folder(folder: Path, *decisions: Decision) -> Path:
    run = RunFolder(folder, RunRequest(Wanted(seed=7), "openai", 3, software={"git_commit": "abc"}))
    for each in decisions:
        run.decided(each, None)
    return folder


def test_proposals_are_counted_by_how_far_they_came() -> None:
    (found,) = figures(TEN)
    assert (found.proposed, found.valid, found.novel, found.executed, found.accepted) == (
        10,
        7,
        6,
        5,
        3,
    )
    assert [(p.stage, p.reached, p.passed) for p in found.stages] == [
        ("constraints", 10, 8),
        ("task", 8, 7),
        ("novelty", 7, 6),
        ("limits", 6, 5),
        ("execute", 5, 4),
        ("control", 4, 3),
    ]
    assert found.repaired == 1
    assert found.novelty == pytest.approx(0.4) and found.pass_rate == pytest.approx(0.8)
    # What was rejected is paid for as well.
    assert found.each(found.tokens) == pytest.approx(1000 / 3)
    assert found.each(found.cost) == pytest.approx(5 / 3)


def test_sources_and_modes_stand_side_by_side_and_an_invalid_one_counts_with_its_source() -> None:
    both = [*TEN, decision("", "catalogue"), decision("", "catalogue", mode="topdown")]
    found = figures(both)
    assert [f.title for f in found] == [
        "openai m, primitive",
        "catalogue, primitive",
        "catalogue, topdown",
    ]
    assert [f.proposed for f in found] == [10, 1, 1]
    sheet = figure_sheet(found)
    assert {len(row) for row in sheet.rows} == {len(sheet.head)} == {4}
    assert dict((r[0], r[1:]) for r in sheet.rows)["accepted"] == (
        "3 (30%)",
        "1 (100%)",
        "1 (100%)",
    )
    assert dict((r[0], r[1:]) for r in stage_sheet(found).rows)["constraints"] == (
        "8 of 10 (80%)",
        "-",
        "-",
    )


def test_where_nothing_is_accepted_nothing_is_divided_by_it() -> None:
    sheet = figure_sheet(figures([decision("execute"), decision("a stage nobody knows")]))
    rows = {row[0]: row[1] for row in sheet.rows}
    assert rows["accepted"] == "0 (0%)"
    assert rows["cost per accepted task"] == rows["novelty of accepted tasks"] == "-"


def test_words_of_a_model_neither_break_a_table_nor_become_links() -> None:
    hostile = "a | b\n# <script>![x](http://y) `code` \x1b[31m"
    text = rejected_sheet([decision("propose", reason=hostile)]).markdown()
    (line,) = [line for line in text.splitlines() if "script" in line]
    assert line.replace("\\|", "").count("|") == 5
    assert "<script" not in text and "![x]" not in text and "\x1b" not in text


def test_a_report_shows_figures_tasks_and_reasons(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", *TEN)
    write_report(run)
    text = (run / REPORT).read_text()
    for part in ("by openai", "seed 7", "abc", "3 (30%)", "PullDrawer", "Rejected", "why", PICTURE):
        assert part in text, part
    assert imread(run / PICTURE).std() > 0.05


def test_a_run_without_decisions_has_no_report(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run")
    write_report(run)
    assert not (run / REPORT).exists()


def test_the_command_takes_runs_together_and_writes_tables_and_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run_folder(tmp_path / "one", *TEN)
    two = run_folder(tmp_path / "two", *TEN[:5], decision("", "catalogue"))
    files = {name: tmp_path / f"out.{name}" for name in ("markdown", "csv", "plot")}
    words = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    with pytest.raises(SystemExit) as end:
        main([str(one), str(two), str(one), *words])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "openai m, primitive" in said and "catalogue, primitive" in said and "3 (20%)" in said
    rows = list(csv.reader(files["csv"].open()))
    assert rows[1] == ["proposed", "15", "1"]
    assert "| proposed | 15 | 1 |" in files["markdown"].read_text()
    assert imread(files["plot"]).shape[2] == 4


@pytest.mark.parametrize("text", ["nonsense\n{}\n", '{"decision": {"name": 3}}\n{}\n', "[1]\n2\n"])
def test_what_is_no_run_is_one_line_and_exit_code_1(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run")
    (run / DECISIONS).write_text(text)
    for folder in (run, tmp_path / "nowhere"):
        with pytest.raises(SystemExit) as end:
            main([str(folder)])
        said = capsys.readouterr().err
        assert end.value.code == 1
        assert said.startswith("error: ") and len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "request_", [{"software": []}, {"num_tasks": {}}, {"wanted": {"mode": [1]}}, {"backend": None}]
)
def test_a_request_of_wrong_types_has_no_report_and_says_where(
    tmp_path: Path, request_: dict[str, object]
) -> None:
    run = run_folder(tmp_path / "run", *TEN)
    known = json.loads((run / REQUEST).read_text())
    (run / REQUEST).write_text(json.dumps(known | request_))
    with pytest.raises(RunError, match=rf"run\.json.*{next(iter(request_))}"):
        write_report(run)


def test_a_source_with_characters_that_no_text_can_have_is_written(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", decision("", "m\ud800\x1b[31m"))
    files = [word for name in ("markdown", "csv") for word in (f"--{name}", str(tmp_path / name))]
    with pytest.raises(SystemExit) as end:
        main([str(run), *files])
    assert end.value.code == 0
    assert "\x1b" not in (tmp_path / "csv").read_text() + (tmp_path / "markdown").read_text()


@pytest.mark.parametrize(
    "figure", [{"tokens": "many"}, {"tokens": 10**400}, {"cost": float("inf")}, {"seconds": -1e99}]
)
def test_a_decision_of_wrong_figures_is_refused_before_it_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], figure: dict[str, object]
) -> None:
    run = run_folder(tmp_path / "run")
    wrong = dataclasses.asdict(decision("")) | figure
    lines = [json.dumps({"decision": d, "verdict": None}) for d in (wrong, wrong)]
    (run / DECISIONS).write_text("\n".join(lines))
    with pytest.raises(SystemExit) as end:
        main([str(run)])
    said = capsys.readouterr().err
    assert end.value.code == 1 and "line 1" in said and next(iter(figure)) in said
