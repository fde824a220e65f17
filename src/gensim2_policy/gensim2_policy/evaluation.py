"""What an evaluation has found: tables with confidence intervals, CSV, and a page with pictures."""

from __future__ import annotations

import csv
import html
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gensim2_control.atomic_file import write_atomically
from gensim2_episodes.replay_report import wilson
from rich.table import Table

RESULTS, PAGE = "results.csv", "report.html"
SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True)
class Judged:
    """One episode.

    Attributes:
        task: What it was judged by.
        instruction: What the policy was told.
        seed: Of the scene.
        asset: Of the first object.
        instance: ``seen`` in training, or ``unseen``.
        success: Whether the task was done.
        failure: Kind of the failure; empty after success.
        seconds: Of the episode, simulated.
        reason: In words.
        picture: File beside the page; empty = none.
        video: The same.
    """

    task: str
    instruction: str
    seed: int
    asset: str
    instance: str
    success: bool
    failure: str
    seconds: float
    reason: str = ""
    picture: str = ""
    video: str = ""


@dataclass(frozen=True)
class Share:
    """Successes of some episodes, with Wilson's 95 % interval."""

    won: int
    of: int

    @property
    def text(self) -> str:
        """In words."""
        if not self.of:
            return "-"
        low, high = wilson(self.won, self.of)
        return f"{self.won}/{self.of} = {self.won / self.of:.0%} ({low:.0%} to {high:.0%})"


def share(episodes: Sequence[Judged]) -> Share:
    """Of episodes."""
    return Share(sum(e.success for e in episodes), len(episodes))


def rows(episodes: Sequence[Judged]) -> list[list[str]]:
    """Lines of the table: task, all, seen, unseen, seconds, failures; the last one of all tasks."""
    tasks = list(dict.fromkeys(e.task for e in episodes))
    groups = [(task, [e for e in episodes if e.task == task]) for task in tasks]
    if len(tasks) > 1:
        groups.append(("all", list(episodes)))
    lines = []
    for name, mine in groups:
        kinds = Counter(e.failure or "not achieved" for e in mine if not e.success)
        won = [e.seconds for e in mine if e.success]
        lines.append(
            [
                name,
                share(mine).text,
                share([e for e in mine if e.instance == SEEN]).text,
                share([e for e in mine if e.instance == UNSEEN]).text,
                f"{sum(won) / len(won):.1f}" if won else "-",
                ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "-",
            ]
        )
    return lines


HEADS = (
    "task",
    "success (95 %)",
    "seen instances",
    "unseen instances",
    "s of a success",
    "failures",
)


def table(title: str, episodes: Sequence[Judged]) -> Table:
    """For the screen."""
    shown = Table(title=title)
    for number, head in enumerate(HEADS):
        shown.add_column(head, justify="right" if 0 < number < 5 else "left")
    for line in rows(episodes):
        shown.add_row(*line)
    return shown


def write_report(folder: Path, title: str, episodes: Sequence[Judged]) -> Path:
    """Writes CSV and page into a folder; returns the page.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Judged)])
    writer.writeheader()
    writer.writerows(asdict(episode) for episode in episodes)
    write_atomically(folder / RESULTS, text.getvalue().encode())
    write_atomically(folder / PAGE, _page(title, episodes).encode())
    return folder / PAGE


def read_results(file: Path) -> list[Judged]:
    """The episodes of a CSV file.

    Raises:
        ValueError: It is no such file.
    """
    with file.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    try:
        return [_judged(row) for row in found]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} holds no results of an evaluation: {error}") from None


def _judged(row: dict[str, str]) -> Judged:
    words = {name: row[name] for name in ("task", "instruction", "asset", "instance", "failure")}
    return Judged(
        **words,
        seed=int(row["seed"]),
        success=row["success"] == "True",
        seconds=float(row["seconds"]),
        reason=row["reason"],
        picture=row["picture"],
        video=row.get("video") or "",
    )


def _page(title: str, episodes: Sequence[Judged]) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(f"<{tag}>{html.escape(value)}</{tag}>" for value in values)

    lines = "\n".join(f"<tr>{cells('td', line)}</tr>" for line in rows(episodes))
    figures = "\n".join(
        f'<figure class="{"won" if e.success else "lost"}">'
        f"{_shown(e)}<figcaption>{html.escape(_caption(e))}</figcaption></figure>"
        for e in episodes
        if e.picture or e.video
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; max-width: 1200px; }}
table {{ border-collapse: collapse; }}
td, th {{ border-bottom: 1px solid #ccc; padding: .3rem .8rem; text-align: left; }}
figure {{ display: inline-block; margin: .5rem; border-top: 4px solid; width: 560px; }}
.won {{ border-color: #2a7; }} .lost {{ border-color: #c43; }}
img, video {{ width: 100%; }} figcaption {{ font-size: 13px; }}
</style>
<h1>{html.escape(title)}</h1>
<table><tr>{cells("th", HEADS)}</tr>
{lines}
</table>
<p>Shares with Wilson's 95 % interval; all episodes stand in {RESULTS}.</p>
{figures}
</html>
"""


def _shown(e: Judged) -> str:
    picture, video = html.escape(e.picture), html.escape(e.video)
    return (f'<img loading="lazy" src="{picture}" alt="">' if e.picture else "") + (
        f'<video controls muted preload="none" src="{video}"></video>' if e.video else ""
    )


def _caption(e: Judged) -> str:
    how = "success" if e.success else f"{e.failure or 'not achieved'}: {e.reason}"
    return f"{e.task}, seed {e.seed}, {e.instance} instance, {e.seconds:.1f} s: {how}"


def relative(file: Path, folder: Path) -> str:
    """Where a file is, as seen from a page in a folder."""
    return Path(os.path.relpath(file, folder)).as_posix()
