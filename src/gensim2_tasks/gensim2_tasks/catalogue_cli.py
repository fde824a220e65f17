"""`ros2 run gensim2_tasks catalogue list|show|render`: what tasks there are, and how they look."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from . import procedural
from .assets import AssetError, AssetLibrary
from .catalogue import TaskError, load_task, select_tasks, task_names
from .placement import PlacedObject, draw_scene
from .specs import OBJECT_FIELDS, ObjectSpec, TaskSpec
from .task_library import library_folder, library_names

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Name = Annotated[str, typer.Argument(help="A task, several with commas between them, or all.")]
AssetRoot = Annotated[
    Path | None, typer.Option(help="Folder of imported assets; without it objects are generated.")
]
_WIDTH = 140  # characters, where there is no terminal
STUDIOS = "gensim2_tasks.studios"
"""Entry points of who takes pictures of scenes."""


class Studio(Protocol):
    """Takes pictures of scenes."""

    def save(
        self, scenes: Sequence[tuple[Sequence[PlacedObject], str]], file: Path, columns: int
    ) -> None:
        """Saves one picture of scenes side by side, each with a line of text.

        Raises:
            AssetError: An object cannot be shown.
        """


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_WIDTH, highlight=False)


def _fail(error: Exception) -> typer.Exit:
    Console(stderr=True, highlight=False).print(
        str(error), style="red", soft_wrap=True, markup=False
    )
    return typer.Exit(1)


def _source(spec: ObjectSpec) -> str:
    return "generated" if spec.category in procedural.categories() else "imported only"


@app.command("list")
def list_tasks() -> None:
    """List every task with its instruction and objects: those shipped, and those of the library."""
    shipped = task_names()
    own = [name for name in library_names() if name not in shipped]
    more = f", and {len(own)} of the library (*) in {library_folder()}" if own else ""
    table = Table(title=escape(f"{len(shipped)} tasks{more}"), title_justify="left")
    table.add_column("task", no_wrap=True)
    for column in ("instruction", "objects", "assets", "sub-tasks"):
        table.add_column(column)
    for name in (*shipped, *own):
        mark = " *" if name in own else ""
        try:
            task = load_task(name)
        except TaskError as error:
            table.add_row(f"{escape(name)}{mark}", escape(str(error)), style="red")
            continue
        table.add_row(
            f"{name}{mark}",
            escape(task.instruction),
            ", ".join(o.category for o in task.objects),
            ", ".join(_source(o) for o in task.objects),
            ", ".join(s.name for s in task.subtasks),
        )
    _console().print(table)


@app.command()
def show(name: Name) -> None:
    """Show what a task draws, how it is done and when it is done."""
    try:
        names = select_tasks(name)
    except TaskError as error:
        raise _fail(error) from None
    for each in names:
        _console().print(_details(load_task(each)))


def _details(task: TaskSpec) -> Table:
    table = Table(
        title=escape(f"{task.name}: {task.instruction}"), title_justify="left", show_header=False
    )
    table.add_column("what", style="bold")
    table.add_column("value")
    for thing in task.objects:
        place, opened = thing.placement, thing.openness
        anchor = place.anchor or "root"
        table.add_row(
            f"object {thing.name}",
            f"{thing.category} ({_source(thing)}); its {anchor} at x {place.x:g}, y {place.y:g} m "
            f"+-{place.spread:g}, yaw {np.degrees(place.yaw):.0f} "
            f"+-{np.degrees(place.yaw_spread):.0f} degrees; openness {opened.default:g} "
            f"+-{opened.spread:g}",
        )
    for step in task.subtasks:
        where = f", {step.region} {step.target}" if step.skill else ""
        way = step.skill or ", ".join(step.solvers)
        needs = f"; needs {', '.join(step.needs)}" if step.needs else ""
        table.add_row(f"sub-task {step.name}", f"{step.object} by {way}{where}{needs}")
    for group in ("all", "any"):
        for predicate in getattr(task.success, group):
            others = (getattr(predicate, field, "") for field in OBJECT_FIELDS[1:])
            with_others = "".join(f", {other}" for other in others if other)
            text = f"{predicate.kind} {predicate.value:g} of {predicate.object}{with_others}"
            table.add_row(f"success, {group} of", text)
    table.add_row("held for", f"{task.success.dwell:g} s")
    return table


@app.command()
def render(
    name: Name = "all",
    out: Annotated[Path, typer.Option(help="Folder for one picture per task.")] = Path("catalogue"),
    scenes: Annotated[int, typer.Option(min=1, max=100, help="Scenes per task.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of the first scene.")] = 0,
    columns: Annotated[int, typer.Option(min=1, max=20, help="Pictures in a row.")] = 4,
    asset_root: AssetRoot = None,
) -> None:
    """Render a contact sheet of drawn scenes of every task."""
    try:
        names = select_tasks(name)
        library = AssetLibrary(asset_root)
        studio = _studio()
    except (TaskError, AssetError, RuntimeError) as error:
        raise _fail(error) from None
    out.mkdir(parents=True, exist_ok=True)
    console = _console()
    for each in track(names, "rendering", console=Console(stderr=True)):
        scenes_drawn = (
            draw_scene(load_task(each), library, np.random.default_rng(seed + number))
            for number in range(scenes)
        )
        file = out / f"{each}.png"
        try:
            pairs = [(drawn, _caption(seed + i, drawn)) for i, drawn in enumerate(scenes_drawn)]
            studio.save(pairs, file, columns)
        except AssetError as error:
            console.print(f"{each}: left out: {error}", style="yellow", markup=False)
            continue
        console.print(str(file), markup=False)


def _caption(seed: int, objects: Sequence[PlacedObject]) -> str:
    first = objects[0]
    key = f"{first.asset.ref.category}/{first.asset.ref.key}"
    return f"seed {seed}  {key}  {100 * first.openness:.0f} %"


def _studio() -> Studio:
    """The simulator's; it knows this package, and this package does not know it.

    Raises:
        RuntimeError: There is none, or it cannot render.
    """
    for found in entry_points(group=STUDIOS):
        studio: Studio = found.load()()
        return studio
    raise RuntimeError("pictures need gensim2_sim_bridge, which is not installed")


def run() -> None:
    """Entry point."""
    app()
