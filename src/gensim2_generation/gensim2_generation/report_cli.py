"""Command line `generation_report`: figures of runs of the generation, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from gensim2_episodes.dataset_cli import make_console
from gensim2_tasks.task_library import user_path
from rich.markup import escape
from rich.table import Table

from .answers import plain
from .metric_sheets import Sheet, figure_sheet, stage_sheet
from .metrics import figures
from .run_folder import RunError, read_decisions, read_request

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    markdown: Annotated[Path | None, typer.Option(help="File for the tables as Markdown.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File for the first table as CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(help="File for a picture, PNG.")] = None,
) -> None:
    """Show what came of the proposals of each backend, model and mode, and what they cost.

    Runs of the same backend, model and mode are taken together.
    """
    decisions = []
    for folder in dict.fromkeys(user_path(f).resolve() for f in folders):
        read_request(folder)
        decisions += [decision for decision, _ in read_decisions(folder)]
    if not decisions:
        raise RunError("these runs have no proposals yet")
    every = figures(decisions)
    sheets = [sheet for sheet in (figure_sheet(every), stage_sheet(every)) if sheet.rows]
    console = make_console()
    for sheet in sheets:
        console.print(_table(sheet))
    if markdown is not None:
        markdown.write_text("\n".join(s.markdown() for s in sheets), encoding="utf-8")
    if csv is not None:
        csv.write_text(sheets[0].csv(), encoding="utf-8")
    if plot is not None:
        # matplotlib takes a second to import, which the tables need not wait for.
        from .metric_plot import save_metric_plot

        save_metric_plot(every, plot)


def _table(sheet: Sheet) -> Table:
    table = Table(title=escape(sheet.title), title_justify="left")
    for column in sheet.head:
        table.add_column(escape(plain(column)), overflow="fold")
    for row in sheet.rows:
        table.add_row(*(escape(plain(cell)) for cell in row))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; errors end it with one line and exit code 1."""
    try:
        app(None if arguments is None else list(arguments))
    except (RunError, OSError) as error:
        print(f"error: {plain(str(error), 1000)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
