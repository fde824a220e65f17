"""What a training says of itself: a CSV file and TensorBoard events, step by step."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

CSV_FILE = "losses.csv"
FIELDS = ("step", "loss", "samples_per_second", "validation_loss", "validation_error", "success")
EVERY = 10  # steps between two lines, unless there is a validation or a rollout


def read_log(run: Path) -> list[dict[str, str]]:
    """Lines of the log of a run, by `FIELDS`; what was not measured at a step is empty.

    Raises:
        OSError: There is none.
    """
    with (run / CSV_FILE).open(newline="") as stream:
        return list(csv.DictReader(stream))


class RunLog:
    """Writes them.

    Args:
        run: Folder of the run.
        first: Step it goes on from; later lines, of steps that a crash has undone, are dropped.
    """

    def __init__(self, run: Path, first: int = 0) -> None:
        file = run / CSV_FILE
        rows = read_log(run) if file.exists() else []
        kept = [r for r in rows if r.get("step", "").isdigit() and int(r["step"]) <= first]
        self._stream = file.open("w", newline="")
        self._csv = csv.DictWriter(self._stream, FIELDS, extrasaction="ignore")
        self._csv.writeheader()
        self._csv.writerows({k: row.get(k, "") for k in FIELDS} for row in kept)
        self._stream.flush()
        self._events = SummaryWriter(str(run / "tensorboard"), purge_step=first + 1)

    def note(self, step: int, figures: Mapping[str, float]) -> None:
        """Takes the figures of a step; not every one is kept."""
        if step % EVERY and not {"validation_error", "success"} & {*figures}:
            return
        self._csv.writerow({"step": step, **{k: f"{v:.6g}" for k, v in figures.items()}})
        self._stream.flush()
        for name, value in figures.items():
            self._events.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is left."""
        self._stream.close()
        self._events.close()
