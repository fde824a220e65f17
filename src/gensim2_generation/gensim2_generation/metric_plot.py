"""A picture of the figures of generations: how far proposals came, and where others failed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gensim2_control.atomic_file import write_atomically
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .answers import plain
from .metrics import OTHER, STAGES, Figures

LEVELS = ("valid", "novel", "executed", "accepted")
HEIGHT = 0.8  # of a group of bars, of its row


def save_metric_plot(every: Sequence[Figures], file: Path) -> None:
    """Draws the figures; the picture is there as a whole or not at all.

    Args:
        every: At least one.
        file: A PNG file.

    Raises:
        OSError: It cannot be written.
    """
    figure = Figure(figsize=(11.0, 3.2 + 0.3 * len(every)), layout="constrained")
    FigureCanvasAgg(figure)
    shares, failures = figure.subplots(1, 2)
    width = HEIGHT / len(every)
    stages = [s for s in (*STAGES, OTHER) if any(f.rejected.get(s) for f in every)] or ["none"]
    for number, found in enumerate(every):
        shift = (number - (len(every) - 1) / 2) * width
        # An underscore in front would hide a label, a dollar sign set formulas.
        label = " " + plain(found.title, 60).replace("$", r"\$")
        for axes, values in (
            (shares, [100 * found.share(getattr(found, level)) for level in LEVELS]),
            (failures, [100 * found.share(found.rejected.get(stage, 0)) for stage in stages]),
        ):
            places = np.arange(len(values)) + shift
            bars = axes.barh(places, values, width * 0.95, label=f"{label} ({found.proposed})")
            axes.bar_label(bars, fmt="%.0f", fontsize=7, padding=2)
    shares.set_title("proposals that came so far, %")
    shares.set_yticks(np.arange(len(LEVELS)), [level.replace("novel", "new") for level in LEVELS])
    failures.set_title("proposals that failed at a stage, %")
    failures.set_yticks(np.arange(len(stages)), [s.replace("_", " ") for s in stages])
    for axes in (shares, failures):
        axes.set_xlim(0, 110)
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
    handles, labels = shares.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=3)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    write_atomically(file, picture.getvalue())
