"""One table of many benchmark runs: task by task, a column per kind of run.

What is kept of a run is small enough to be committed and shown in the documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim2_tasks.gensim2_judge import GENSIM2
from pydantic import BaseModel, ConfigDict

from gensim2_episodes.batch import EXPERT, BatchEpisode
from gensim2_episodes.replay_report import wilson
from gensim2_episodes.run_file import Option, Run, RunFileError, unusual

ALL, NOTHING = "all", "-"
# What an option that is not the usual one says of a run, in the heading of its column.
_WORDS: Mapping[tuple[str, Option], str] = {
    ("controller", "idle"): "nobody moves",
    ("controller", "random"): "random motion",
    ("controller", "sweep"): "random sweeps through the scene",
    ("assets", "generated"): "generated",
    ("assets", "imported"): "real assets",
    ("randomize", False): "default pose",
    ("judge", GENSIM2): "ended by GenSim2's criteria",
    ("start", "honest"): "honest start",
    ("randomise", "all"): "everything randomised",
    ("split", "train"): "assets for training",
    ("split", "test"): "assets for testing",
}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFigures(_Document):
    """What became of the episodes of one task.

    Attributes:
        episodes: How many there were.
        successes: How many were successes by the judge of the run.
        gensim2: How many meet the criteria of the public GenSim2.
        plan_time: Median of planning, CPU s; None where nothing was planned.
        episode_time: Median, simulated s; None where nothing moved.
        failures: How many failed of each kind.
    """

    episodes: int
    successes: int
    gensim2: int
    plan_time: float | None
    episode_time: float | None
    failures: dict[str, int]

    @classmethod
    def of(cls, episodes: Sequence[BatchEpisode]) -> TaskFigures:
        """Counts."""
        plan = [e.plan_time for e in episodes if e.plan_time > 0]
        time = [e.sim_time for e in episodes if e.sim_time > 0]
        kinds = Counter(_kind(e) for e in episodes if not e.success)
        return cls(
            episodes=len(episodes),
            successes=sum(e.success for e in episodes),
            gensim2=sum(e.gensim2 for e in episodes),
            plan_time=round(float(np.median(plan)), 3) if plan else None,
            episode_time=round(float(np.median(time)), 1) if time else None,
            failures=dict(sorted(kinds.items())),
        )


class Column(_Document):
    """One kind of run, and the figures of its tasks.

    Attributes:
        options: What the run was asked for.
        commits: Of the software.
        cpus: Processors of the machines.
        seeds: Of the first and of the last scene.
        tasks: Figures by task.
    """

    options: dict[str, Option]
    commits: tuple[str, ...]
    cpus: tuple[int, ...]
    seeds: tuple[int, int]
    tasks: dict[str, TaskFigures]

    @property
    def title(self) -> str:
        """What distinguishes it."""
        options = unusual(self.options).items()
        return ", ".join(_WORDS.get(option, "{} {}".format(*option)) for option in options)

    @property
    def judged_by_gensim2(self) -> bool:
        """Whether the criteria of GenSim2 decided when an episode was a success."""
        return self.options.get("judge") == GENSIM2

    @property
    def planned(self) -> bool:
        """Whether the expert performed the tasks."""
        return self.options.get("controller") == EXPERT

    def text(self, task: str, *, gensim2: bool = False) -> str:
        """Successes of a task, or of all, with their Wilson interval."""
        if task == ALL:
            n = sum(f.episodes for f in self.tasks.values())
            won = sum(f.gensim2 if gensim2 else f.successes for f in self.tasks.values())
        elif task in self.tasks:
            figures = self.tasks[task]
            n, won = figures.episodes, figures.gensim2 if gensim2 else figures.successes
        else:
            return NOTHING
        low, high = wilson(won, n)
        return f"{won}/{n} ({100 * low:.0f} to {100 * high:.0f} %)"


class Benchmark(_Document):
    """Everything that is shown."""

    columns: tuple[Column, ...]

    @property
    def tasks(self) -> list[str]:
        """Every task of any column, sorted."""
        return sorted({task for column in self.columns for task in column.tasks})


def merge(runs: Iterable[Run]) -> Benchmark:
    """Puts runs together: those with the same options make one column.

    Raises:
        RunFileError: There is no run, or one without episodes.
    """
    merged: dict[str, Run] = {}
    for run in runs:
        key = _key(run.options)
        merged[key] = merged[key].joined(run) if key in merged else run
    if not merged or not all(run.episodes for run in merged.values()):
        raise RunFileError("no episodes")
    columns = map(_column, merged.values())
    return Benchmark(columns=tuple(sorted(columns, key=_order)))


def renewed(old: Benchmark, new: Benchmark) -> Benchmark:
    """What has been measured anew, in the place of what was known of the same task and kind."""
    columns = {_key(column.options): column for column in old.columns}
    for column in new.columns:
        before = columns.get(_key(column.options), column)
        if {*before.tasks} - {*column.tasks}:
            seeds = (*before.seeds, *column.seeds)
            column = Column(
                options=column.options,
                commits=tuple(dict.fromkeys((*before.commits, *column.commits))),
                cpus=tuple(sorted({*before.cpus, *column.cpus})),
                seeds=(min(seeds), max(seeds)),
                tasks=dict(sorted({**before.tasks, **column.tasks}.items())),
            )
        columns[_key(column.options)] = column
    return Benchmark(columns=tuple(sorted(columns.values(), key=_order)))


def _key(options: Mapping[str, Option]) -> str:
    return repr(sorted(unusual(options).items()))


def _order(column: Column) -> tuple[bool, bool, str]:
    return not column.planned, column.judged_by_gensim2, column.title


def load_benchmark(file: Path) -> Benchmark:
    """Reads what `save_benchmark` has written."""
    return Benchmark.model_validate_json(file.read_text())


def save_benchmark(benchmark: Benchmark, file: Path) -> None:
    """Writes the figures."""
    file.write_text(benchmark.model_dump_json(indent=1) + "\n")


@dataclass(frozen=True)
class Sheet:
    """A table of text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def success_sheet(benchmark: Benchmark) -> Sheet:
    """Task x kind of run: successes and their Wilson interval; what GenSim2 would say beside it."""
    head, cells = ["task"], []
    tasks = [*benchmark.tasks, ALL]
    for column in benchmark.columns:
        head.append(column.title)
        cells.append([*(column.text(task) for task in tasks)])
        if not column.judged_by_gensim2 and column.planned:
            head.append(f"{column.title}, by GenSim2's criteria")
            cells.append([*(column.text(task, gensim2=True) for task in tasks)])
    rows = zip(tasks, *cells, strict=True)
    return Sheet(tuple(head), tuple(rows))


def cost_sheet(benchmark: Benchmark) -> Sheet:
    """Task x kind of run of the expert: planning, length of an episode, and kinds of failures."""
    columns = [c for c in benchmark.columns if c.planned and not c.judged_by_gensim2]
    head = ["task"]
    for column in columns:
        head += [f"{column.title}: plan s", "episode s", "failures"]
    rows = [
        (task, *(cell for column in columns for cell in _costs(column.tasks.get(task))))
        for task in benchmark.tasks
    ]
    return Sheet(tuple(head), tuple(rows))


def mean_share(column: Column, *, gensim2: bool = False) -> float:
    """Mean over the tasks of their share of successes, 0 to 1."""
    shares = [(f.gensim2 if gensim2 else f.successes) / f.episodes for f in column.tasks.values()]
    return float(np.mean(shares))


def _costs(figures: TaskFigures | None) -> tuple[str, str, str]:
    if figures is None:
        return NOTHING, NOTHING, NOTHING
    failures = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in figures.failures.items())
    plan, time = figures.plan_time, figures.episode_time
    return (
        NOTHING if plan is None else f"{plan:.2f}",
        NOTHING if time is None else f"{time:.1f}",
        failures or NOTHING,
    )


def _kind(episode: BatchEpisode) -> str:
    """What became of a failure: the kind of failure where the expert tells it."""
    return getattr(episode, "failure", "") or episode.outcome


def _column(run: Run) -> Column:
    tasks: dict[str, list[BatchEpisode]] = {}
    for episode in run.episodes:
        tasks.setdefault(episode.task, []).append(episode)
    seeds = [e.seed for e in run.episodes]
    return Column(
        options=dict(run.options),
        commits=run.commits,
        cpus=run.cpus,
        seeds=(min(seeds), max(seeds)),
        tasks={task: TaskFigures.of(found) for task, found in sorted(tasks.items())},
    )
