"""A picture of a soak: memory, threads and files, rates, and control commands over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from soak_record import WINDOW, Sample, window_rates

_MIB = 2.0**20


def draw(samples: Sequence[Sample], nominal: Mapping[str, float], path: Path) -> None:
    """Draws samples into a PNG.

    Args:
        samples: In order.
        nominal: Rates of the topics, Hz.
        path: The file.
    """
    figure = Figure(figsize=(9, 10), layout="constrained")
    FigureCanvasAgg(figure)
    memory, numbers, rates, success = figure.subplots(4, 1, sharex=True)
    for name in sorted({name for s in samples for name in s.processes}):
        t = [s.t / 60.0 for s in samples if name in s.processes]
        looks = [s.processes[name] for s in samples if name in s.processes]
        memory.plot(t, [look.rss / _MIB for look in looks], label=name)
        numbers.plot(t, [look.threads for look in looks], label=f"{name}, threads")
        numbers.plot(t, [look.files for look in looks], "--", label=f"{name}, files")
    for topic, rate in nominal.items():
        shares = [100.0 * value / rate for value in window_rates(samples, topic)]
        minutes = [(i + 0.5) * WINDOW / 60.0 for i in range(len(shares))]
        rates.plot(minutes, shares, label=topic)
    success.plot([s.t / 60.0 for s in samples], [100.0 * s.success for s in samples])
    for axes, label in (
        (memory, "RSS, MiB"),
        (numbers, "number"),
        (rates, "rate, % of nominal"),
        (success, "commands arrived, %"),
    ):
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    for axes in (memory, numbers, rates):
        axes.legend(fontsize="small", loc="center right")
    memory.set_ylim(bottom=0.0)
    success.set_xlabel("minutes")
    figure.savefig(path, dpi=110)
