"""Tries a policy out while it is trained: the success per step, in scenes of its own."""

from __future__ import annotations

import os
from pathlib import Path

from .checkpoint import load_record
from .evaluation import share, write_report
from .headless_pool import calibration_file, run_episodes
from .headless_worker import Job
from .training import TrainingError

SEED = 950_000
"""Of the first scene: neither those of demonstrations nor those of an evaluation."""


def tried_out(run: Path, episodes: int, checkpoint: Path) -> float:
    """Share of the successes of a checkpoint; the report is in ``<run>/rollouts/<step>``.

    Args:
        run: Folder of the training.
        episodes: Of every task.
        checkpoint: Folder.

    Raises:
        TrainingError: The policy cannot be tried out.
    """
    record = load_record(checkpoint)
    out = run / "rollouts" / str(record.step)
    job = Job(
        policy=checkpoint,
        device="cpu",
        asset_root="",
        calibration=calibration_file(""),
        instruction="",
        out=out,
        pictures=True,
        instances=frozenset(record.instances),
    )
    wanted = [(task, SEED + k) for task in sorted(record.tasks) for k in range(episodes)]
    try:
        done = list(run_episodes(job, wanted, os.cpu_count() or 1))
    except RuntimeError as error:
        raise TrainingError(
            f"the policy of step {record.step} cannot be tried out: {error}; the same command with "
            "rollouts:=0 goes on without"
        ) from None
    write_report(out, f"{run.name}, step {record.step}, while training", done)
    found = share(done)
    return found.won / found.of
