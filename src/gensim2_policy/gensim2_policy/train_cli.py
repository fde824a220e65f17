"""Program `train`: trains a policy on data sets, from the start or from where it was stopped.

Over several processes: ``torchrun --nproc-per-node 2 -m gensim2_policy.train_cli dataset:=...``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gensim2_episodes.provenance import software_record
from gensim2_episodes.words import HELP, Word, WordError, number, read_words, refuse, tell_words
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .checkpoint import CheckpointError
from .demonstrations import DataError, Source
from .language import LanguageError
from .loss_plot import save_loss_plot
from .rollouts import tried_out
from .settings import PRESETS, SettingsError, make_settings
from .training import Outcome, Rollouts, TrainingError, train
from .training import Progress as Step

WORDS = {
    "dataset": Word(None, "Data sets: FOLDER[@DOMAIN][*WEIGHT], several with commas between them."),
    "preset": Word("ppt-tiny", f"Which policy: {', '.join(PRESETS)}."),
    "run": Word("", "Folder of the run; a run that was stopped goes on. Empty: runs/<preset>."),
    "tasks": Word("", "Only these tasks, with commas between them; empty = all of the data sets."),
    "rollouts": Word("0", "Episodes of every task in which the policy is tried out in simulation."),
    "rollout_every": Word("2000", "Steps between two such trials; the last one is at the end."),
    "device": Word("cpu", "Where it is trained: cpu or cuda."),
}
USAGE = "ros2 run gensim2_policy train dataset:=FOLDER [name:=value ...] [setting=value ...]"
MORE = """Any setting of the policy may be given, for example train.steps=2000 action.space=joints
model.head.kind=diffusion; all of them with their values stand in <run>/settings.yaml."""
EVERY = 200  # steps between two lines where nobody sees a progress bar
FAILED, WRONG, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(highlight=False)
    if any(word in HELP for word in given):
        tell_words(console, USAGE, WORDS, MORE)
        return 0
    try:
        values, overrides = read_words(given, WORDS, settings=True)
        settings = make_settings(values["preset"], overrides)
        sources = [Source.parse(text) for text in values["dataset"].split(",") if text]
        count, every = number(values, "rollouts"), number(values, "rollout_every", 1)
    except (WordError, SettingsError, DataError) as error:
        return refuse(console, error, WRONG)
    run = Path(values["run"] or f"runs/{settings.preset}").expanduser()
    rank, processes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    try:
        with _together(values["device"], processes), _shown(console, rank) as told:
            outcome = train(
                settings,
                sources,
                run,
                tasks=[task for task in values["tasks"].split(",") if task],
                device=values["device"],
                told=told,
                software=_software(),
                rollouts=Rollouts(every, partial(tried_out, run, count)) if count else None,
                rank=rank,
                processes=processes,
            )
    except (TrainingError, DataError, LanguageError, CheckpointError, FloatingPointError) as error:
        return refuse(console, error, FAILED)
    except OSError as error:
        return refuse(console, f"{error.filename or run}: {error.strerror or error}", FAILED)
    return _end(console, outcome, rank)


def _software() -> dict[str, str]:
    """Versions, for the record of the policy."""
    plain = software_record().model_dump(mode="json", exclude_none=True)
    flat = {name: str(value) for name, value in plain.items() if not isinstance(value, dict)}
    inner = (value for value in plain.values() if isinstance(value, dict))
    return flat | {name: str(value) for values in inner for name, value in values.items()}


def _end(console: Console, outcome: Outcome, rank: int) -> int:
    if rank == 0:
        save_loss_plot(outcome.run)
        best = f", best validation error {outcome.best:.4f}" if outcome.best < float("inf") else ""
        console.print(
            f"step {outcome.step}: loss {outcome.loss:.4f}{best}; "
            f"{100.0 * outcome.waiting:.1f} % of the time waiting for data",
            soft_wrap=True,
        )
        if not outcome.finished:
            console.print(
                f"stopped; the same command goes on from there ({outcome.run})", soft_wrap=True
            )
        else:
            console.print(f"policy:={outcome.run}", soft_wrap=True)
    return 0 if outcome.finished else INTERRUPTED


@contextmanager
def _together(device: str, processes: int) -> Iterator[None]:
    """Joins the processes that `torchrun` has started."""
    if processes == 1:
        yield
        return
    import torch.distributed as distributed

    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


@contextmanager
def _shown(console: Console, rank: int) -> Iterator[Callable[[Step], None]]:
    """Shows the progress: a bar on a terminal, a line now and then elsewhere."""
    if rank:
        yield lambda step: None
        return
    if not console.is_terminal:

        def line(step: Step) -> None:
            if step.step % EVERY == 0 or step.step == step.steps:
                console.print(f"step {step.step}/{step.steps}: {_figures(step)}", soft_wrap=True)

        yield line
        return
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("reading the data sets", total=None)

        def update(step: Step) -> None:
            progress.update(bar, completed=step.step, total=step.steps, description=_figures(step))

        yield update


def _figures(step: Step) -> str:
    return f"loss {step.loss:.4f}, {step.samples_per_second:.0f} samples/s"


if __name__ == "__main__":
    sys.exit(main())
