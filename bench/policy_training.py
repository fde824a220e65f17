"""Trains a policy for a figure, and says how long that took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gensim2_policy.demonstrations import Demonstration, Source
from gensim2_policy.settings import Settings
from gensim2_policy.training import Outcome, Progress, train

EVERY = 500  # steps between two lines
INTERRUPTED = 130


def trained(
    settings: Settings,
    sources: Sequence[Source],
    run: Path,
    *,
    tasks: Sequence[str] = (),
    prepare: Callable[[list[Demonstration]], list[Demonstration]] = lambda loaded: loaded,
) -> Outcome:
    """Trains, or goes on where it was stopped; prints losses and time. Raises as `train` does.

    Ctrl-C ends the program, after a checkpoint.
    """
    began, cpu = time.monotonic(), time.process_time()

    def told(step: Progress) -> None:
        if step.step % EVERY == 0:
            print(f"step {step.step}/{step.steps}: loss {step.loss:.4f}", flush=True)

    outcome = train(settings, sources, run, tasks=tasks, told=told, prepare=prepare)
    print(
        f"trained in {(time.monotonic() - began) / 60:.1f} minutes, "
        f"{(time.process_time() - cpu) / 60:.1f} of CPU; validation error {outcome.best:.4f}",
        flush=True,
    )
    if not outcome.finished:
        sys.exit(INTERRUPTED)
    return outcome
