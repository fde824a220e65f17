"""The benchmark that the figures of the project come from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from gensim2_episodes.batch import IDLE, BatchEpisode
from gensim2_episodes.bench_success import COLUMNS, main, recovery, summary_row
from gensim2_episodes.replay_report import wilson
from gensim2_tasks.catalogue import task_names

EPISODE = BatchEpisode(
    task="OpenBox",
    seed=0,
    asset="procedural:box_rotate/1",
    success=True,
    outcome="success",
    reason="",
    start_openness=0.5,
    end_openness=0.9,
    approach_disturbance=0.0,
    plan_time=0.1,
    sim_time=5.0,
    cpu_time=0.3,
    solver="OpenBox",
)


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [(20, 20, (0.8389, 1.0)), (18, 20, (0.6990, 0.9721)), (0, 20, (0.0, 0.1611))],
)
def test_interval(successes: int, trials: int, interval: tuple[float, float]) -> None:
    """Against the formula of Wilson with z = 1.96, worked out by hand."""
    assert wilson(successes, trials) == pytest.approx(interval, abs=1e-3)


def test_a_row_counts_every_episode() -> None:
    """Failures count, also those that never began; what never moved disturbed nothing."""
    failed = replace(EPISODE, success=False, outcome="not_achieved", approach_disturbance=0.2)
    no_scene = replace(failed, outcome="scene_failed", sim_time=0.0, plan_time=0.0)
    row = dict(
        zip(COLUMNS, summary_row("OpenBox", [EPISODE] * 2 + [failed, no_scene]), strict=True)
    )
    assert row["success"] == "2/4" and row["quiet approach"] == "2/3"
    assert row["worst"] == "0.200" and row["plan median"] == "0.100"


def test_a_row_counts_kinds_of_failures_and_retries() -> None:
    failed = replace(EPISODE, success=False, failure="slipped", retries=2)
    episodes = [EPISODE, failed, failed, replace(failed, failure="unreachable", retries=0)]
    row = dict(zip(COLUMNS, summary_row("OpenBox", episodes), strict=True))
    assert row["failures"] == "slipped 2, unreachable 1" and row["retries"] == "1.00"


def test_recovery_counts_only_tries_that_a_disturbance_has_spoiled() -> None:
    spoiled = replace(EPISODE, disturbed="close", undone=True)
    episodes = [
        spoiled,
        spoiled,
        replace(spoiled, success=False),
        replace(spoiled, undone=False),
        EPISODE,
    ]
    assert recovery(episodes).startswith(
        "disturbed 4 of 5 episodes; in 3 the try was lost, 2 of those recovered (Wilson 95 %: 21 to"
    )
    assert recovery(episodes).endswith("in the other 1 it went on, 1 succeeded")
    assert "disturbed 0 of 1 episodes; in 0 the try was lost" in recovery([EPISODE])


def test_nothing_succeeds_by_itself(tmp_path: Path) -> None:
    """With an expert that does nothing no task is achieved: the tasks are not won at the start."""
    file = tmp_path / "idle.json"
    main(tasks="all", episodes=1, seed=3, controller=IDLE, json_file=file)
    episodes = json.loads(file.read_text())
    assert [episode["task"] for episode in episodes] == task_names()
    assert not any(episode["success"] for episode in episodes)
    assert all(episode["outcome"] == "not_achieved" for episode in episodes)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"tasks": "OpenBx"}, "did you mean"),
        ({"controller": "nobody"}, "expected kpam_expert or idle"),
        ({"perturb": "kick"}, "expected none, close, push"),
        ({"asset_root": Path("nowhere")}, "nowhere"),
        ({"json_file": Path("nowhere/x.json")}, "there is no folder nowhere"),
    ],
    ids=["task", "controller", "perturb", "assets", "file"],
)
def test_a_wrong_argument_is_told_before_anything_runs(
    arguments: dict[str, object], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after an hour."""
    with pytest.raises(typer.Exit) as end:
        main(**arguments)  # type: ignore[arg-type]
    assert end.value.exit_code == 2
    assert text in capsys.readouterr().out
