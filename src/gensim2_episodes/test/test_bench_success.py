"""The benchmark that the figures of the project come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from gensim2_episodes.batch import IDLE, SWEEP, BatchEpisode, BatchRunner
from gensim2_episodes.bench_success import COLUMNS, main, recovery, summary_row
from gensim2_episodes.replay_report import wilson
from gensim2_episodes.run_file import load_run
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
    # Every second one, which takes long enough; `bench/task_table.py --only idle` runs them all.
    names = task_names()[::2]
    main(tasks=",".join(names), episodes=1, seed=3, controller=IDLE, json_file=file)
    episodes = load_run(file).episodes
    assert [episode.task for episode in episodes] == names
    assert not any(episode.success or episode.gensim2 for episode in episodes)
    assert all(episode.outcome == "not_achieved" for episode in episodes)


def test_a_run_goes_on_where_its_file_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A long one may be made in pieces; a file of other options is not mixed with it."""
    file, ran = tmp_path / "run.json", []

    def run(self: object, task: str, seed: int, **options: object) -> BatchEpisode:
        ran.append((task, seed))
        return replace(EPISODE, task=task, seed=seed)

    monkeypatch.setattr(BatchRunner, "run", run)
    main(tasks="OpenBox", episodes=2, json_file=file)
    main(tasks="OpenBox,CloseBox", episodes=3, json_file=file)
    assert ran == [("OpenBox", n) for n in range(3)] + [("CloseBox", n) for n in range(3)]
    assert {(e.task, e.seed) for e in load_run(file).episodes} == {*ran}
    with pytest.raises(typer.Exit):
        main(tasks="OpenBox", episodes=4, judge="gensim2", json_file=file)
    # Words, as the lines of a terminal end wherever the length of the path makes them end.
    assert "give another file" in " ".join(capsys.readouterr().out.split()) and len(ran) == 6


def test_chance_moves_the_arm_and_repeats_itself(tmp_path: Path) -> None:
    """The same seed, the same motions; all of the time, or to the success that is not wanted."""
    files = [tmp_path / f"{n}.json" for n in range(2)]
    for file in files:
        main(tasks="PushBox", episodes=1, seed=2, controller=SWEEP, json_file=file)
    first, again = (load_run(file).episodes[0] for file in files)
    assert replace(first, cpu_time=0.0) == replace(again, cpu_time=0.0)
    assert first.success or first.sim_time >= 8.0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"tasks": "OpenBx"}, "did you mean"),
        ({"controller": "nobody"}, "expected kpam_expert or idle or random or sweep"),
        ({"judge": "nobody"}, "expected predicates or gensim2"),
        ({"perturb": "kick"}, "expected none, close, push"),
        ({"asset_root": Path("nowhere")}, "nowhere"),
        ({"json_file": Path("nowhere/x.json")}, "there is no folder nowhere"),
    ],
    ids=["task", "controller", "judge", "perturb", "assets", "file"],
)
def test_a_wrong_argument_is_told_before_anything_runs(
    arguments: dict[str, object], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after an hour."""
    with pytest.raises(typer.Exit) as end:
        main(**arguments)  # type: ignore[arg-type]
    assert end.value.exit_code == 2
    assert text in capsys.readouterr().out
