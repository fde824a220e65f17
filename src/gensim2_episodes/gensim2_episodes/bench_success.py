"""Measures success, approach and planning time over seeded random episodes, without transport.

    ros2 run gensim2_episodes bench_success [--tasks all] [--episodes 20] [--asset-root FOLDER]

Every number comes from running the episode: physics decides, not the planner. With `--dataset` the
episodes are also recorded, failures too, as the graph does with `keep_failures`: the state of robot
and objects.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gensim2_control.description import resolve_packages, robot_description
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.catalogue import TaskError, select_tasks
from gensim2_tasks.placement import Start
from rich.table import Table

from gensim2_episodes.attempts import CollectRequest
from gensim2_episodes.batch import EXPERT, IDLE, BatchEpisode, BatchRunner
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.errors import StoreError
from gensim2_episodes.provenance import software_record
from gensim2_episodes.replay_report import wilson
from gensim2_episodes.store import EpisodeStore

QUIET_APPROACH = 0.05  # change of openness before the actuation pose


def summary_row(task: str, episodes: Sequence[BatchEpisode]) -> list[str]:
    """The figures of one task, as the table shows them."""
    won = sum(e.success for e in episodes)
    low, high = wilson(won, len(episodes))
    moved = [e.approach_disturbance for e in episodes if e.sim_time > 0]
    quiet = sum(m <= QUIET_APPROACH for m in moved)
    plan = [e.plan_time for e in episodes if e.plan_time > 0] or [0.0]
    return [
        task,
        f"{won}/{len(episodes)}",
        f"{100 * low:.0f} to {100 * high:.0f} %",
        f"{quiet}/{len(moved)}",
        f"{max(moved, default=0.0):.3f}",
        f"{np.median(plan):.3f}",
        f"{np.quantile(plan, 0.95):.3f}",
        f"{np.mean([e.cpu_time for e in episodes]):.2f}",
        f"{np.mean([e.sim_time for e in episodes]):.1f}",
    ]


COLUMNS = (
    "task",
    "success",
    "Wilson 95 %",
    "quiet approach",
    "worst",
    "plan median",
    "plan p95",
    "CPU s/episode",
    "sim s/episode",
)


def main(
    tasks: Annotated[str, typer.Option(help="Task name, comma list, or 'all'.")] = "all",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per task.")] = 20,
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets; default: generated ones.")
    ] = None,
    asset: Annotated[
        str, typer.Option(help="One asset for all episodes: reference, id, seed.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first episode; then +1.")] = 0,
    randomize: Annotated[bool, typer.Option(help="Draw pose and openness.")] = True,
    start: Annotated[
        Start,
        typer.Option(
            help="How far objects are open: task = as drawn, closed, open, honest = closed where "
            "the task opens and open where it closes."
        ),
    ] = "task",
    controller: Annotated[str, typer.Option(help=f"{EXPERT} or {IDLE} (does nothing).")] = EXPERT,
    dataset: Annotated[
        Path | None, typer.Option(help="Record the episodes into this data set.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every episode to this file.")
    ] = None,
) -> None:
    """Runs the episodes and prints a table."""
    # Drake reports every infeasible time law; the planner tries the next one.
    logging.getLogger("drake").setLevel(logging.CRITICAL)
    console = make_console()
    if controller not in (EXPERT, IDLE):
        console.print(f"controller {controller!r}: expected {EXPERT} or {IDLE}")
        raise typer.Exit(2)
    if dataset is not None and (controller != EXPERT or start != "task"):
        console.print(f"error: --dataset records {EXPERT} from the usual start", style="red")
        raise typer.Exit(2)
    try:
        names = select_tasks(tasks)
        if dataset is not None:
            EpisodeStore(dataset, create=True, software=software_record())
        runner = BatchRunner(
            resolve_packages(robot_description()),
            AssetLibrary(asset_root),
        )
    except (TaskError, AssetError, StoreError) as error:
        console.print(f"error: {error}", style="red")
        raise typer.Exit(2) from None
    if json_file is not None and not json_file.expanduser().parent.is_dir():
        console.print(f"error: there is no folder {json_file.expanduser().parent}", style="red")
        raise typer.Exit(2)
    results: list[BatchEpisode] = []
    source = "imported assets" if asset_root else "procedural assets"
    table = Table(
        *COLUMNS, title=f"{controller}, {source}, {start} start, {episodes} episodes per task"
    )
    for task in names:
        of_task: list[BatchEpisode] = []

        def ended(episode: BatchEpisode, of_task: list[BatchEpisode] = of_task) -> None:
            of_task.append(episode)
            if not episode.success and controller == EXPERT:
                console.print(
                    f"{episode.task} seed {episode.seed} {episode.asset}: {episode.outcome}: "
                    f"{episode.reason}",
                    style="yellow",
                    markup=False,
                )

        if dataset is None:
            for number in range(episodes):
                ended(
                    runner.run(
                        task,
                        seed + number,
                        asset=asset,
                        randomize=randomize,
                        controller=controller,
                        start=start,
                    )
                )
        else:
            request = CollectRequest(
                (task,),
                asset=asset,
                episodes=episodes,
                max_attempts=episodes,
                seed=seed,
                randomize=randomize,
                keep_failures=True,
                dataset=str(dataset),
            )
            result = collect_batch(runner, request, ended)
            if len(of_task) < episodes:
                console.print(f"error: {result.text}", style="red", markup=False)
                raise typer.Exit(1) from result.cause
        table.add_row(*summary_row(task, of_task))
        results += of_task
    table.add_section()
    table.add_row(*summary_row("all", results))
    console.print(table)
    console.print(
        "quiet approach: openness changed by at most "
        f"{QUIET_APPROACH} before the actuation pose; times in s, planning and CPU in CPU seconds",
        style="dim",
    )
    if json_file is not None:
        json_file.expanduser().write_text(
            json.dumps([dataclasses.asdict(e) for e in results], indent=1)
        )


def run() -> None:
    """Entry point."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


if __name__ == "__main__":
    run()
