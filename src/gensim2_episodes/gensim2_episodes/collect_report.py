"""What the operator sees of a collection: a line per attempt and a table at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from gensim2_episodes.attempts import Attempt
from gensim2_episodes.errors import StoreError
from gensim2_episodes.store import EpisodeStore


def attempt_line(attempts: Sequence[Attempt]) -> str:
    """The line about the last of some attempts, in rich markup.

    Task, number of the episode, outcome, seconds, running success rate of the task, and the reason
    of a failure.
    """
    last = attempts[-1]
    same = [attempt for attempt in attempts if attempt.task == last.task]
    won = sum(attempt.success for attempt in same)
    colour = "green" if last.success else "red"
    text = (
        f"{last.task} {last.index}/{last.requested}  [{colour}]{last.outcome}[/]  "
        f"{last.wall_time:.1f} s  success rate {won}/{len(same)} ({100 * won / len(same):.0f} %)"
    )
    return f"{text}  {escape(last.reason)}" if last.reason else text


def summary_table(
    tasks: Sequence[str], attempts: Sequence[Attempt], requested: int, sizes: Mapping[str, int]
) -> Table:
    """The table at the end.

    Args:
        tasks: Tasks that were asked for.
        attempts: All attempts.
        requested: Episodes asked for per task.
        sizes: Bytes on disk by episode.
    """
    table = Table(title="collected")
    table.add_column("task")
    for column in ("episodes", "attempts", "success rate", "mean seconds", "disk"):
        table.add_column(column, justify="right")
    for task in tasks:
        same = [attempt for attempt in attempts if attempt.task == task]
        won = sum(attempt.success for attempt in same)
        size = sum(sizes.get(attempt.episode_id, 0) for attempt in same)
        table.add_row(
            task,
            f"[{'green' if won >= requested else 'red'}]{won}/{requested}[/]",
            str(len(same)),
            f"{100 * won / len(same):.0f} %" if same else "-",
            f"{sum(attempt.wall_time for attempt in same) / len(same):.1f}" if same else "-",
            decimal(size),
        )
    return table


def look_at_dataset(dataset: Path) -> tuple[dict[str, int], list[str]]:
    """Sizes [bytes] by episode, and what the operator should know about the data set."""
    try:
        scan = EpisodeStore(dataset).scan()
    except StoreError as error:
        return {}, [str(error)]
    notes = [
        f"{episode.path} was left by a writer that died; it is skipped and may be deleted"
        for episode in scan.abandoned
    ]
    notes += [f"{broken.path.name} is damaged: {broken.problem}" for broken in scan.broken]
    return {episode.episode_id: episode.size_bytes for episode in scan.episodes}, notes
