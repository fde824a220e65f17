"""Runs every task in every setting, and makes one table of it; see README.md.

./ws python bench/task_table.py run FOLDER --asset-root ASSETS     runs what FOLDER lacks
./ws python bench/task_table.py show FOLDER                        the table so far
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from gensim2_episodes.batch import IDLE, RANDOM, SWEEP
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.run_file import RunFileError, load_run
from gensim2_episodes.success_table import (
    Sheet,
    cost_sheet,
    load_benchmark,
    mean_share,
    merge,
    renewed,
    save_benchmark,
    success_sheet,
)
from gensim2_tasks.catalogue import TaskError, select_tasks
from rich.markup import escape
from rich.table import Table

from gensim2_episodes import bench_success

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
# Options of bench_success, by the name of the file; "imported" ones need a folder of assets.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "generated": {},
    "imported": {"imported": True},
    "honest": {"start": "honest"},
    "honest_imported": {"start": "honest", "imported": True},
    "cluttered": {"clutter": 3},
    "randomised": {"randomise": "all"},
    "random": {"controller": RANDOM},
    "sweep": {"controller": SWEEP},
    "idle": {"controller": IDLE},
}
SEED = 1000
Folder = Annotated[Path, typer.Argument(help="Folder of the files of the runs.")]


@app.command()
def run(
    folder: Folder,
    tasks: Annotated[str, typer.Option(help="Task name, comma list, or 'all'.")] = "all",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per task and setting.")] = 20,
    only: Annotated[str, typer.Option(help=f"Comma list of: {', '.join(SETTINGS)}.")] = "",
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets; without it they are left out.")
    ] = None,
) -> None:
    """Run the episodes that are not in the folder yet, and show the table."""
    console = make_console()
    wanted = [name.strip() for name in only.split(",") if name.strip()] or list(SETTINGS)
    try:
        names = select_tasks(tasks)
        if unknown := {*wanted} - {*SETTINGS}:
            raise TaskError(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(SETTINGS)}")
    except TaskError as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    folder.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        options = dict(SETTINGS[name])
        if options.pop("imported", False):
            if asset_root is None:
                console.print(f"{name}: left out: needs --asset-root")
                continue
            options["asset_root"] = asset_root
        bench_success.main(
            tasks=",".join(names),
            episodes=episodes,
            seed=SEED,
            json_file=folder / f"{name}.json",
            **options,
        )
    show(folder)


@app.command()
def show(
    folder: Folder,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write the figures to this file, for docs/tasks.md, in the place of those that it "
            "holds of the same tasks and kinds of runs."
        ),
    ] = None,
) -> None:
    """Show the table of all runs in a folder."""
    console = make_console()
    try:
        benchmark = merge(load_run(file) for file in sorted(folder.glob("*.json")))
    except RunFileError as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    console.print(_table("successes (Wilson 95 %)", success_sheet(benchmark)))
    console.print(_table("times and failures", cost_sheet(benchmark)))
    for column in benchmark.columns:
        console.print(f"{column.title}: mean {100 * mean_share(column):.1f} %")
    if save is not None:
        before = load_benchmark(save) if save.exists() else None
        save_benchmark(benchmark if before is None else renewed(before, benchmark), save)


def _table(title: str, sheet: Sheet) -> Table:
    table = Table(*map(escape, sheet.head), title=title, title_justify="left")
    for row in sheet.rows:
        table.add_row(*map(escape, row))
    return table


if __name__ == "__main__":
    app()
