"""Program `generate`: generates tasks without the graph."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from gensim2_control.parameter_field import violation
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.words import HELP, Word, WordError, number, read_words, refuse, tell_words
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import outcome as outcomes
from .answers import plain
from .outcome import End, Outcome
from .service import GeneratorService, Workshop
from .settings import Request, Settings, SettingsError

USAGE = "ros2 run gensim2_generation generate [name:=value ...]"
ASKED = {
    "target_object": Word("", "Category or words that the tasks shall be about."),
    "target_task": Word("", "Name of a task, or words; of paraphrase: the task."),
    "image": Word("", "File of a picture, of mode image."),
    "seed": Word("0", "Of everything that is drawn."),
    "run": Word("", "Folder of a run, which is gone on with where it was stopped."),
}
FAILED, WRONG, INTERRUPTED = 1, 2, 130
SHOWN = 20  # rejected tasks in the table
LONGEST = 300  # characters of a text that is shown


def main(
    arguments: Sequence[str] | None = None,
    workshop: Workshop | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Generates; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = make_console()
    words = {**ASKED, **_words_of_settings()}
    if any(word in HELP for word in given):
        tell_words(console, USAGE, words)
        return 0
    try:
        values, _ = read_words(given, words)
        settings = _settings(values)
        seed = number(values, "seed")
    except (WordError, SettingsError) as error:
        return refuse(console, error, WRONG)
    request = Request(
        target_object=values["target_object"],
        target_task=values["target_task"],
        image=values["image"],
        seed=seed,
        run=values["run"],
    )
    service = GeneratorService(
        settings,
        workshop or _workshop(),
        os.environ if environ is None else environ,
        time.monotonic,
        say=lambda text: console.print(text, style="dim", markup=False, soft_wrap=True),
    )
    outcome = _run(service, request, settings, console)
    if outcome.decisions:
        console.print(outcome_table(outcome))
    if outcome.run != Path():
        console.print(f"record: {outcome.run}", soft_wrap=True, markup=False)
    if outcome.end is End.NONE:
        return 0
    if outcome.end is End.CANCELED:
        console.print(
            "interrupted: what was accepted is in the library; run:= goes on", style="yellow"
        )
        return INTERRUPTED
    code = WRONG if outcome.end is End.BAD_REQUEST else FAILED
    return refuse(console, outcome.text, code)


def _run(
    service: GeneratorService, request: Request, settings: Settings, console: Console
) -> Outcome:
    interrupted = threading.Event()

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        interrupted.set()

    former = signal.signal(signal.SIGINT, interrupt)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} accepted"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        with bar:
            line = bar.add_task("starting", total=settings.num_tasks)

            def told(progress: outcomes.Progress) -> None:
                doing = escape(plain(f"{progress.stage} {progress.task}", 60))
                bar.update(line, completed=progress.counts.accepted, description=doing)
                if progress.note and progress.task:
                    text = plain(f"{progress.task}: {progress.note}", LONGEST)
                    bar.console.print(text, markup=False, soft_wrap=True)

            return service.run(request, told, interrupted.is_set)
    finally:
        signal.signal(signal.SIGINT, former)


def outcome_table(outcome: Outcome) -> Table:
    """What was proposed, and what became of it."""
    counts = outcome.counts
    table = Table(
        title=f"{counts.accepted} accepted of {counts.proposed} proposed "
        f"({counts.valid} valid, {counts.novel} new, {counts.executed} executed) "
        f"in {outcome.seconds / 60:.1f} minutes",
        title_justify="left",
    )
    for column in ("task", "instruction", "success", "novelty", "what became of it"):
        table.add_column(column, overflow="fold")
    rejected = [d for d in outcome.decisions if not d.accepted]
    for d in (*(d for d in outcome.decisions if d.accepted), *rejected[-SHOWN:]):
        share = f"{d.pass_rate:.0%} of {d.episodes}" if d.episodes else "-"
        became = "accepted" if d.accepted else f"{d.stage}: {d.reason}"
        cells = (d.name, d.instruction, share, f"{d.novelty:.2f}", became)
        table.add_row(
            *(escape(plain(c, LONGEST)) for c in cells), style="" if d.accepted else "dim"
        )
    return table


def _workshop() -> Workshop:
    from .backends import ProjectWorkshop

    return ProjectWorkshop()


def _words_of_settings() -> dict[str, Word]:
    return {
        f.name: Word(
            str(f.default).lower() if f.type == "bool" else str(f.default),
            f.metadata["description"],
        )
        for f in dataclasses.fields(Settings)
    }


_READ: dict[str, Callable[[str], object]] = {"str": str, "int": int, "float": float}


def _settings(values: Mapping[str, str]) -> Settings:
    found: dict[str, object] = {}
    for f in dataclasses.fields(Settings):
        text, kind = values[f.name], str(f.type)
        if kind == "bool":
            if text not in ("true", "false"):
                raise SettingsError(f"{f.name}:={text[:40]}: expected true or false")
            found[f.name] = text == "true"
            continue
        try:
            value = found[f.name] = _READ[kind](text)
        except ValueError:
            raise SettingsError(f"{f.name}:={text[:40]}: expected {kind}") from None
        problem = violation(f, value)
        if problem:
            raise SettingsError(f"{f.name}:={text[:40]}: {problem}")
    return Settings(**found)  # type: ignore[arg-type]
