"""Runs of the benchmark: their files, and the table that is made of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from gensim2_episodes.batch import EXPERT, BatchEpisode
from gensim2_episodes.run_file import Run, RunFileError, load_run
from gensim2_episodes.success_table import (
    ALL,
    Column,
    cost_sheet,
    load_benchmark,
    mean_share,
    merge,
    renewed,
    save_benchmark,
    success_sheet,
)

OPTIONS = {"controller": EXPERT, "assets": "generated", "judge": "predicates"}
RANDOM = {**OPTIONS, "controller": "random"}


def episode(task: str, seed: int, outcome: str = "success", **fields: object) -> BatchEpisode:
    made = BatchEpisode(
        task=task,
        seed=seed,
        asset="procedural:box_rotate/1",
        success=outcome == "success",
        outcome=outcome,
        reason="",
        start_openness=0.5,
        end_openness=0.9,
        approach_disturbance=0.0,
        plan_time=0.1,
        sim_time=5.0,
        cpu_time=0.3,
        solver="",
        gensim2=outcome == "success",
    )
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


def run(*episodes: BatchEpisode, options: dict[str, str] = OPTIONS, commit: str = "a") -> Run:
    return Run(options, (commit,), (2,), episodes)


def only(*runs: Run) -> Column:
    (column,) = merge(runs).columns
    return column


def test_a_file_holds_the_run(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    run(episode("OpenBox", 0), episode("OpenBox", 1, "not_achieved")).save(file)
    assert load_run(file) == run(episode("OpenBox", 0), episode("OpenBox", 1, "not_achieved"))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"options": {}, "commits": [], "cpus": []}'])
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(RunFileError, match=r"other\.json"):
        load_run(file)


def test_pieces_with_the_same_options_are_one_column() -> None:
    """An episode that was run twice counts once, as it was run last."""
    first = run(episode("OpenBox", 0, "not_achieved"), episode("OpenBox", 1), commit="b")
    column = only(first, run(episode("OpenBox", 0), episode("CloseBox", 7)))
    assert column.commits == ("a", "b") and column.seeds == (0, 7)
    assert {task: (f.successes, f.episodes) for task, f in column.tasks.items()} == {
        "CloseBox": (1, 1),
        "OpenBox": (2, 2),
    }


def test_other_options_make_another_column_and_the_expert_comes_first() -> None:
    columns = merge([run(episode("A", 0), options=RANDOM), run(episode("A", 0))]).columns
    assert [c.title for c in columns] == ["generated", "random motion, generated"]
    with pytest.raises(RunFileError, match="give another file"):
        run(episode("A", 0)).joined(run(options=RANDOM))
    with pytest.raises(RunFileError, match="no episodes"):
        merge([])


def test_options_that_nobody_knows_yet_are_in_the_title() -> None:
    options = {**OPTIONS, "start": "honest", "weather": "rain"}
    assert only(run(episode("A", 0), options=options)).title == (
        "generated, honest start, weather rain"
    )


def test_an_option_that_came_later_makes_no_other_column_where_it_is_the_usual_one() -> None:
    """What was run before there was another start was run from the usual one."""
    later = {**OPTIONS, "start": "task"}
    column = only(run(episode("A", 0)), run(episode("A", 1), options=later))
    assert column.tasks["A"].episodes == 2 and column.title == "generated"
    assert column.options == later
    with pytest.raises(RunFileError, match="give another file"):
        run(options=later).joined(run(options={**OPTIONS, "start": "honest"}))


def test_figures_are_counts_and_medians() -> None:
    """Episodes that never began do not make the others look fast."""
    column = only(
        run(
            episode("A", 0, plan_time=0.1, sim_time=4.0),
            episode("A", 1, "plan_failed", plan_time=0.5, sim_time=0.0, gensim2=False),
            episode("A", 2, "not_achieved", plan_time=0.3, sim_time=6.0, gensim2=True),
            episode("A", 3, "not_achieved", plan_time=0.0, sim_time=0.0, gensim2=False),
        )
    )
    figures = column.tasks["A"]
    assert (figures.successes, figures.gensim2, figures.episodes) == (1, 2, 4)
    assert figures.failures == {"not_achieved": 2, "plan_failed": 1}
    assert (figures.plan_time, figures.episode_time) == (0.3, 5.0)


def test_the_mean_is_over_tasks_not_over_episodes() -> None:
    column = only(run(episode("A", 0), *(episode("B", n, "timeout") for n in range(9))))
    assert mean_share(column) == 0.5
    assert column.text(ALL).startswith("1/10 ")


def test_the_sheets_show_it_all() -> None:
    """With Wilson's interval (worked out by hand), and a mark where nothing was run."""
    twenty = [episode("A", n, "success" if n < 18 else "slipped") for n in range(20)]
    benchmark = merge([run(*twenty), run(episode("B", 0, gensim2=False), options=RANDOM)])
    sheet = success_sheet(benchmark)
    assert sheet.head == (
        "task",
        "generated",
        "generated, by GenSim2's criteria",
        "random motion, generated",
    )
    assert sheet.rows[0] == ("A", "18/20 (70 to 97 %)", "18/20 (70 to 97 %)", "-")
    assert [row[0] for row in sheet.rows] == ["A", "B", "all"]
    assert cost_sheet(benchmark).rows == (("A", "0.10", "5.0", "2 slipped"), ("B", "-", "-", "-"))
    assert cost_sheet(benchmark).markdown().splitlines()[:2] == [
        "| task | generated: plan s | episode s | failures |",
        "| --- | --- | --- | --- |",
    ]


def test_figures_survive_a_file(tmp_path: Path) -> None:
    benchmark = merge([run(episode("A", 0, "not_achieved"))])
    save_benchmark(benchmark, tmp_path / "benchmark.json")
    assert load_benchmark(tmp_path / "benchmark.json") == benchmark


def test_what_is_measured_anew_replaces_what_was_known_of_it() -> None:
    honest = {**OPTIONS, "start": "honest"}
    old = merge([run(episode("OpenBox", 3), episode("CloseBox", 4, "not_achieved"))])
    again = run(episode("CloseBox", 7), episode("CloseBox", 8), commit="b")
    new = merge([again, run(episode("OpenBox", 0, "timeout"), options=honest)])
    usual, shut = renewed(old, new).columns
    assert usual.commits == ("a", "b") and usual.seeds == (3, 8)
    assert {t: (f.successes, f.episodes) for t, f in usual.tasks.items()} == {
        "CloseBox": (2, 2),
        "OpenBox": (1, 1),
    }
    assert shut.options["start"] == "honest" and shut.tasks["OpenBox"].successes == 0
    # Where all of it is measured anew, nothing is left of how it came about before.
    (whole,) = renewed(merge([run(episode("CloseBox", 4))]), merge([again])).columns
    assert whole.commits == ("b",) and whole.seeds == (7, 8)
