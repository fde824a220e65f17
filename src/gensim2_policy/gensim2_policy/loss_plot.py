"""A picture of a training: its losses, the errors of its validations, and its rollouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .run_log import read_log

PICTURE = "losses.png"
SMOOTH = 20  # lines of the log over which the loss is averaged


def save_loss_plot(run: Path) -> Path | None:
    """Draws the log of a run; returns the picture, None where there is nothing to draw.

    Raises:
        OSError: It cannot be written.
    """
    rows = read_log(run)
    if len(rows) < 2:
        return None
    step = np.array([int(row["step"]) for row in rows])
    loss = np.array([float(row["loss"]) for row in rows])
    width = min(SMOOTH, len(loss))
    smooth = np.convolve(loss, np.full(width, 1.0 / width), "valid")
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", yscale="log", title=run.name)
    axes.plot(step, loss, color="0.8", linewidth=0.8)
    axes.plot(step[width - 1 :], smooth, label=f"loss, mean of {width} lines of the log")
    for name, style in (("validation_loss", "s"), ("validation_error", "o")):
        seen = [(s, float(row[name])) for s, row in zip(step, rows, strict=True) if row.get(name)]
        if seen:
            axes.plot(*zip(*seen, strict=True), style, markersize=4, label=name.replace("_", " "))
    won = [
        (s, float(row["success"])) for s, row in zip(step, rows, strict=True) if row.get("success")
    ]
    if won:
        # Beside the losses, of which it is not known what they are worth.
        beside = axes.twinx()
        beside.set(ylim=(-0.03, 1.03), ylabel="success of rollouts")
        beside.plot(*zip(*won, strict=True), "-D", color="C3", markersize=5, linewidth=1.2)
        axes.plot([], [], "-D", color="C3", label="success of rollouts")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(run / PICTURE, dpi=120)
    return run / PICTURE
