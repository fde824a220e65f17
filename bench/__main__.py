"""Measures the project on this machine: `./ws python bench`; see README.md."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from batch_runs import Batch, measure_planning
from camera_figures import measure_cameras
from collections_of_graph import Collections
from figures import OVER, BenchError, Figure, Settings, make_document, make_table
from fusion_figures import measure_fusion
from fusion_ros_figures import measure_fusion_ros
from gensim2_episodes.dataset_cli import make_console
from graph_figures import measure_disk, measure_episodes, measure_memory
from machine import read_machine, read_versions
from observation_figures import measure_observation
from predicate_figures import measure_predicates
from rich.console import Console
from rich.table import Table
from safety_figures import measure_safety
from transport_figures import measure_transport

GROUPS = (
    "plan",
    "observation",
    "episode",
    "memory",
    "disk",
    "safety",
    "transport",
    "fusion",
    "fusion_ros",
    "cameras",
    "predicates",
)


def select_groups(text: str) -> list[str]:
    """Turns a comma list into groups, in their own order; empty = all.

    Raises:
        typer.BadParameter: A name is unknown.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        raise typer.BadParameter(f"unknown {', '.join(unknown)}; known are {', '.join(GROUPS)}")
    return [name for name in GROUPS if name in names or not names]


def measurements(settings: Settings) -> dict[str, Callable[[], Iterable[Figure]]]:
    """Gives what measures each group; several share the runs they need."""
    batch, collections = Batch(settings), Collections(settings)
    return {
        "plan": lambda: measure_planning(settings, batch),
        "observation": lambda: measure_observation(settings),
        "episode": lambda: measure_episodes(batch, collections),
        "memory": lambda: measure_memory(collections),
        "disk": lambda: measure_disk(settings, collections),
        "safety": lambda: measure_safety(settings),
        "transport": lambda: measure_transport(settings),
        "fusion": lambda: measure_fusion(settings),
        "fusion_ros": lambda: measure_fusion_ros(settings),
        "cameras": lambda: measure_cameras(settings),
        "predicates": lambda: measure_predicates(settings),
    }


def main(
    only: Annotated[
        str, typer.Option(help=f"Comma list of {', '.join(GROUPS)}; default: all.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first episode; then +1.")] = 1000,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few repetitions, no images on disk.")
    ] = False,
    check: Annotated[
        bool, typer.Option(help="Exit code 1 where a figure is over its bound.")
    ] = True,
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets; default: generated ones.")
    ] = None,
) -> None:
    """Measures and prints figures of this project, with the bounds it promises."""
    console, progress = make_console(), Console(stderr=True, style="dim", highlight=False)
    groups = select_groups(only)
    if json_file is not None and not json_file.expanduser().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {json_file.expanduser().parent}")
    facts: dict[str, dict[str, Any]] = {
        "machine": read_machine(),
        "versions": read_versions(Path(__file__)),
    }
    console.print(facts_table(facts))
    taken = datetime.now(timezone.utc).isoformat(timespec="seconds")
    folder = Path(tempfile.mkdtemp(prefix="gensim2-bench-"))
    failures: dict[str, str] = {}
    figures: list[Figure] = []
    try:
        settings = Settings(
            seed,
            quick,
            asset_root,
            folder,
            lambda text: progress.print(f"[bench] {text}", markup=False),
        )
        known = measurements(settings)
        for name in groups:
            measured: list[Figure] = []
            try:
                # One by one: what was measured before an error is shown.
                for figure in known[name]():
                    measured.append(figure)
            except BenchError as error:
                failures[name] = str(error)
                console.print(f"{name}: not measured: {error}", style="red", markup=False)
            if measured:
                figures += measured
                console.print(make_table(name, measured))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    facts["machine"]["load_at_end"] = round(os.getloadavg()[0], 2)
    over = [figure for figure in figures if figure.verdict == OVER]
    if json_file is not None:
        arguments = {"only": groups, "seed": seed, "quick": quick, "taken": taken}
        document = make_document(figures, failures, facts, arguments)
        json_file.expanduser().write_text(json.dumps(document, indent=1) + "\n")
    bounded = sum(figure.bound is not None for figure in figures)
    console.print(
        f"{bounded - len(over)} of {bounded} bounds kept; load of the machine "
        f"{facts['machine']['load']} at the start, {facts['machine']['load_at_end']} at the end"
    )
    for figure in over:
        console.print(f"OVER: {figure.label}: {figure.value:.3g} {figure.unit}", style="red")
    if failures or (over and check):
        raise typer.Exit(1)


def facts_table(facts: dict[str, dict[str, Any]]) -> Table:
    """Shows machine and versions."""
    table = Table(title="measured on", show_header=False, title_justify="left")
    for name, values in facts.items():
        table.add_row(name, ", ".join(f"{key} {value}" for key, value in values.items()))
    return table


def make_app() -> typer.Typer:
    """Makes the command line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    return app


if __name__ == "__main__":
    make_app()()
