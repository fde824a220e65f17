"""Command line `library`: tasks that were generated, where they come from, whether they work."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer
from gensim2_episodes.dataset_cli import make_console
from gensim2_tasks.task_library import library_folder, user_path
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from .answers import plain
from .candidate import Candidate
from .generator import Pool
from .library import TaskLibrary
from .library_files import LibraryError
from .settings import Settings
from .verify_pool import VerifierError

ALL = "all"
LONGEST = 300  # characters of a text of a record in a table
SHOWN = 20  # rejections in a list

app = typer.Typer(
    help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
Names = Annotated[list[str], typer.Argument(help="Tasks, or all.")]
Folder = Annotated[
    Path | None,
    typer.Option("--library", help="Folder of the library; without: where every node looks."),
]


class MakePool(Protocol):
    """Makes a pool of verifiers."""

    def __call__(self, settings: Settings) -> AbstractContextManager[Pool]:
        """See `backends.ProjectWorkshop.pool`."""


@dataclass(frozen=True)
class Shop:
    """What the commands work with.

    Attributes:
        pool: Makes verifiers.
        software: Versions, for records.
    """

    pool: MakePool
    software: Mapping[str, Any]


@app.command("list")
def list_tasks(
    context: typer.Context,
    library: Folder = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Those that were rejected, and why.")
    ] = False,
) -> None:
    """List the tasks; exit code 1 if a file of the library is broken."""
    console, shelf = make_console(), _open(context, library)
    if rejected:
        console.print(_rejected(shelf))
        return
    console.print(_listed(shelf, shelf.names()))
    problems = shelf.problems()
    for problem in problems:
        console.print(f"broken: {plain(problem, LONGEST)}", style="red", **_AS_IS)
    raise typer.Exit(1 if problems else 0)


@app.command()
def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Of name, instruction or objects.")],
    library: Folder = None,
) -> None:
    """List the tasks that have all these words; exit code 1 without any."""
    shelf = _open(context, library)
    found = shelf.search(" ".join(words))
    make_console().print(_listed(shelf, found))
    raise typer.Exit(0 if found else 1)


@app.command()
def show(context: typer.Context, names: Names, library: Folder = None) -> None:
    """Show tasks: the files, where they come from, and every episode that was run."""
    console, shelf = make_console(), _open(context, library)
    for name in _selected(shelf, names):
        candidate = shelf.load(name)
        for path, text in candidate.files().items():
            console.print(path, style="bold", **_AS_IS)
            console.print(text, **_AS_IS)
        try:
            record = shelf.record(name)
        except LibraryError as error:
            console.print(str(error), style="yellow", **_AS_IS)
            continue
        console.print(_origin(name, record))
        console.print(_trials(_part(record, "verification").get("trials")))


@app.command()
def verify(
    context: typer.Context,
    names: Names,
    library: Folder = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    episodes: Annotated[int, typer.Option(min=1, max=1000, help="Scenes of the expert.")] = 5,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of them that has to succeed.")
    ] = 0.8,
    asset_root: Annotated[str, typer.Option(help="Folder of imported assets.")] = "",
) -> None:
    """Run tasks again, as when they were accepted; exit code 1 if one is not accepted now."""
    console, shelf = make_console(), _open(context, library)
    candidates = [shelf.load(name) for name in _selected(shelf, names)]
    settings = Settings(jobs=jobs, episodes=episodes, share=share, asset_root=asset_root)
    table = Table(title_justify="left")
    for column in ("task", "success", "verdict"):
        table.add_column(column, overflow="fold")
    lost = 0
    for candidate, verdict in _verdicts(console, context.obj.pool(settings), candidates):
        lost += not verdict.accepted
        of = f"{verdict.pass_rate:.0%} of {len(verdict.expert)}" if verdict.expert else "-"
        became = "works" if verdict.accepted else f"{verdict.stage}: {verdict.reason}"
        table.add_row(candidate.name, of, escape(plain(became, LONGEST)))
    table.title = f"{len(candidates) - lost} of {_counted(len(candidates))} work"
    console.print(table)
    raise typer.Exit(1 if lost else 0)


@app.command()
def remove(context: typer.Context, names: Names, library: Folder = None) -> None:
    """Remove tasks with their solver configurations and records."""
    console, shelf = make_console(), _open(context, library)
    for name in _selected(shelf, names):
        shelf.remove(name)
        console.print(f"removed {name}", **_AS_IS)


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder; it becomes a library itself.")],
    names: Names,
    library: Folder = None,
) -> None:
    """Copy tasks with solver configurations and records into a folder."""
    shelf = _open(context, library)
    chosen = _selected(shelf, names)
    shelf.export(chosen, folder)
    make_console().print(f"{len(chosen)} tasks are in {folder}", **_AS_IS)


@app.command("import")
def import_tasks(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder that was exported.")],
    names: Names,
    library: Folder = None,
) -> None:
    """Copy tasks of a folder into the library; what is no valid task is refused."""
    shelf, other = _open(context, library), _open(context, folder)
    chosen = _selected(other, names)
    other.export(chosen, shelf.folder)
    make_console().print(
        f"{len(chosen)} tasks are in {shelf.folder}; "
        "ros2 run gensim2_generation library verify tells whether they work here",
        **_AS_IS,
    )


_AS_IS: dict[str, Any] = {"soft_wrap": True, "markup": False}


def _open(context: typer.Context, folder: Path | None) -> TaskLibrary:
    return TaskLibrary(user_path(folder or library_folder()), context.obj.software)


def _selected(shelf: TaskLibrary, names: Sequence[str]) -> list[str]:
    """The tasks that are meant, each of them once.

    Raises:
        LibraryError: One is unknown, or there is none.
    """
    known = shelf.names()
    if list(names) != [ALL]:
        for name in names:
            shelf.check(name)
        return list(dict.fromkeys(names))
    if not known:
        raise LibraryError(f"there are no tasks in {shelf.folder}")
    return known


def _verdicts(
    console: Console, pool: AbstractContextManager[Pool], candidates: Sequence[Candidate]
) -> list[tuple[Candidate, Any]]:
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with pool as verifiers, bar:
        line = bar.add_task("verifying", total=len(candidates))
        futures = [verifiers.submit(candidate) for candidate in candidates]
        found = []
        for candidate, future in zip(candidates, futures, strict=True):
            found.append((candidate, future.result()))
            bar.advance(line)
    return found


def _counted(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _listed(shelf: TaskLibrary, names: Sequence[str]) -> Table:
    table = Table(
        title=f"{_counted(len(names))} in {escape(str(shelf.folder))}", title_justify="left"
    )
    table.add_column("task", no_wrap=True)
    for column in ("instruction", "objects", "success", "novelty", "source", "mode", "date"):
        table.add_column(column)
    for name in names:
        try:
            record = shelf.record(name)
        except LibraryError:
            table.add_row(name, "(no record)", style="dim")
            continue
        origin, checked = _part(record, "origin"), _part(record, "verification")
        objects = record.get("objects")
        table.add_row(
            name,
            _text(record, "instruction"),
            escape(plain(", ".join(map(str, objects)), 80)) if isinstance(objects, list) else "",
            _number(checked, "pass_rate", "{:.0%}"),
            _number(_part(record, "novelty"), "distance", "{:.2f}"),
            f"{_text(origin, 'source')} {_text(origin, 'model')}".strip(),
            _text(origin, "mode"),
            _text(record, "date")[:10],
        )
    return table


def _rejected(shelf: TaskLibrary) -> Table:
    every = shelf.rejected()
    table = Table(
        title=f"the latest {min(SHOWN, len(every))} rejections in {escape(str(shelf.folder))}",
        title_justify="left",
    )
    for column in ("task", "instruction", "stage", "reason"):
        table.add_column(column, overflow="fold")
    for record in every[-SHOWN:]:
        table.add_row(*(_text(record, key) for key in ("name", "instruction", "stage", "reason")))
    return table


def _origin(name: str, record: Mapping[str, Any]) -> Table:
    table = Table(title=f"{name}: where it comes from", title_justify="left", show_header=False)
    software = _part(record, "software")
    facts = {
        **_part(record, "origin"),
        "novelty": _part(record, "novelty"),
        "date": record.get("date"),
        "software": software.get("git_commit", ""),
    }
    for key, value in facts.items():
        if value not in ("", None, [], 0, 0.0, [0, 0]):
            table.add_row(escape(plain(str(key), 40)), escape(plain(str(value), LONGEST)))
    return table


def _trials(trials: object) -> Table:
    table = Table(title="episodes", title_justify="left")
    for column in ("who", "seed", "asset", "success", "held", "simulated s", "what failed"):
        table.add_column(column, overflow="fold")
    for trial in trials if isinstance(trials, list) else []:
        if isinstance(trial, dict):
            failed = " ".join(str(trial.get(key, "")) for key in ("failure", "subtask", "reason"))
            keys = ("actor", "seed", "asset", "success", "held")
            cells = [escape(plain(str(trial.get(key, "")), 60)) for key in keys]
            time = _number(trial, "sim_time", "{:.1f}")
            table.add_row(*cells, time, escape(plain(failed.strip(), LONGEST)))
    return table


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = record.get(key)
    return found if isinstance(found, dict) else {}


def _text(record: Mapping[str, Any], key: str) -> str:
    return escape(plain(str(record.get(key, "")), LONGEST))


def _number(record: Mapping[str, Any], key: str, form: str) -> str:
    value = record.get(key)
    try:
        return form.format(value) if isinstance(value, int | float) else "-"
    except OverflowError:  # no measurement is as large as that
        return "-"


def main(arguments: Sequence[str] | None = None, shop: Shop | None = None) -> None:
    """Runs the command line; errors end it with one line and exit code 1."""
    try:
        app(None if arguments is None else list(arguments), obj=shop or _shop())
    except (LibraryError, VerifierError) as error:
        _fail(str(error))
    except OSError as error:
        mend = "; choose a folder that can be read and written, and that has room"
        _fail(f"{error}{mend if error.errno else ''}")


def _fail(text: str) -> NoReturn:
    print(f"error: {plain(text, 1000)}", file=sys.stderr)
    sys.exit(1)


def _shop() -> Shop:
    # The simulator takes seconds to import; it is needed in the workers only.
    from .backends import ProjectWorkshop

    workshop = ProjectWorkshop()
    return Shop(workshop.pool, workshop.software())


if __name__ == "__main__":
    main()
