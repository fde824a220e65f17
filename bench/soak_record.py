"""What a soak notes every second, and what must hold of it at the end."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from figures import Figure
from processes import usage

_KIB = 1024
_PROC = Path("/proc")
RSS_BOUND = 2.0  # %
RATE_BOUND = 5.0  # %
WINDOW = 10.0  # s
EVENTS = ("diagnostics",)
"""Topics that also come on change: more than their rate is fine."""


@dataclass(frozen=True)
class Process:
    """One look at a process.

    Attributes:
        rss: Resident memory, bytes.
        threads: Their number.
        files: Number of open file descriptors.
        cpu: CPU time since its start, s.
    """

    rss: int
    threads: int
    files: int
    cpu: float


@dataclass(frozen=True)
class Sample:
    """One look at everything.

    Attributes:
        t: Time since the start of the soak, s.
        processes: By name.
        heard: Number of messages so far, by topic.
        success: Smallest share of control commands that arrived since the last look; NaN where
            nobody told.
        load: Of the machine, mean of the last minute.
    """

    t: float
    processes: Mapping[str, Process]
    heard: Mapping[str, int]
    success: float
    load: float


@dataclass
class Outcomes:
    """How the goals have ended: counts by kind and end, and what should not have happened."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def note(self, kind: str, end: str, expected: Sequence[str], text: str, t: float) -> None:
        """Counts a goal; one that has ended as it should not is told with its time, s."""
        self.counts[kind, end] = self.counts.get((kind, end), 0) + 1
        if end not in expected:
            self.failures.append(f"{t:.1f} s: {kind} {end}: {text}")


def look(pid: int) -> Process:
    """Looks at a process now.

    Raises:
        OSError: It is gone.
    """
    status = (_PROC / str(pid) / "status").read_text()
    values = dict(line.split(":", 1) for line in status.splitlines())
    if "VmRSS" not in values:
        raise ProcessLookupError(f"process {pid} has ended")
    files = len(list((_PROC / str(pid) / "fd").iterdir()))
    cpu = usage([pid])[pid].cpu
    return Process(int(values["VmRSS"].split()[0]) * _KIB, int(values["Threads"]), files, cpu)


def window_rates(samples: Sequence[Sample], topic: str) -> list[float]:
    """Gives the mean rate of a topic in every whole window, Hz."""
    rates = []
    first = samples[0] if samples else None
    for sample in samples:
        assert first is not None
        if (span := sample.t - first.t) >= WINDOW:
            rates.append((sample.heard[topic] - first.heard[topic]) / span)
            first = sample
    return rates


def worst_deviation(rates: Sequence[float], nominal: float, *, upwards: bool) -> float:
    """Gives the largest deviation from a nominal rate, %; NaN where there is no window.

    One message more or less is the position of the window, not a rate.

    Args:
        rates: Of the windows, Hz.
        nominal: Hz.
        upwards: Whether more than nominal counts.
    """
    if not rates:
        return math.nan
    slack = 1.0 / WINDOW
    low, high = nominal - min(rates), max(rates) - nominal
    worst = max(low, high) if upwards else low
    return 100.0 * max(worst - slack, 0.0) / nominal


def quarters(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Gives the samples of the second and of the last quarter of the time."""
    if not samples:
        return (), ()
    begin, end = samples[0].t, samples[-1].t
    edges = [begin + share * (end - begin) for share in (0.25, 0.5, 0.75)]
    second = [s for s in samples if edges[0] <= s.t < edges[1]]
    return second, [s for s in samples if s.t >= edges[2]]


def figures_of(
    samples: Sequence[Sample],
    outcomes: Outcomes,
    nominal: Mapping[str, float],
    judged: Sequence[str],
) -> list[Figure]:
    """Sums a soak up.

    Args:
        samples: In order.
        outcomes: Of the goals.
        nominal: Rates of the topics, Hz.
        judged: Names of the processes that must not grow; others are only told.
    """
    goals = sum(outcomes.counts.values())
    figures = [
        Figure("soak.goals.wrong", "goals with the wrong end", len(outcomes.failures), "", 0, goals)
    ]
    second, last = quarters(samples)
    for name in sorted({name for s in samples for name in s.processes}):
        figures += _process_figures(name, second, last, bounded=name in judged)
    for topic, rate in nominal.items():
        rates = window_rates(samples, topic)
        worst = worst_deviation(rates, rate, upwards=topic not in EVENTS)
        spread = f"{min(rates):.2f} to {max(rates):.2f} Hz" if rates else "no whole window"
        label = f"{topic}, worst window off {rate:g} Hz"
        figures.append(
            Figure(f"soak.rate.{topic}", label, worst, "%", RATE_BOUND, len(rates), spread)
        )
    success = [s.success for s in samples if not math.isnan(s.success)]
    for name, share in (("median", 0.5), ("worst", 0.0)):
        value = 100.0 * float(np.quantile(success, share)) if success else math.nan
        label = f"control commands that arrive, {name} second"
        figures.append(Figure(f"soak.success.{name}", label, value, "%", samples=len(success)))
    loads = [s.load for s in samples] or [math.nan]
    figures.append(Figure("soak.load", "load of the machine, largest", max(loads), ""))
    return figures


def _process_figures(
    name: str, second: Sequence[Sample], last: Sequence[Sample], *, bounded: bool
) -> list[Figure]:
    figures = []
    for field_name, label, unit in (
        ("rss", "memory, change", "%"),
        ("threads", "threads, growth", ""),
        ("files", "open files, growth", ""),
    ):
        before, after = (
            [float(getattr(s.processes[name], field_name)) for s in part if name in s.processes]
            for part in (second, last)
        )
        change, note = math.nan, ""
        if before and after:
            a, b = float(np.median(before)), float(np.median(after))
            percent = field_name == "rss"
            change = 100.0 * abs(b / a - 1.0) if percent else max(b - a, 0.0)
            scale = 2.0**20 if percent else 1.0
            note = f"{a / scale:.1f} to {b / scale:.1f}{' MiB' if percent else ''}"
        bound = (RSS_BOUND if field_name == "rss" else 0.0) if bounded else None
        key, label = f"soak.{name}.{field_name}", f"{name}: {label}"
        figures.append(Figure(key, label, change, unit, bound, len(after), note))
    return figures


def write_csv(samples: Sequence[Sample], path: Path) -> None:
    """Writes one line per sample; message counts are since the start."""
    names = sorted({name for s in samples for name in s.processes})
    topics = list(samples[0].heard) if samples else []
    columns = ("rss", "threads", "files", "cpu")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["t", *(f"{n}.{c}" for n in names for c in columns), *topics, "success", "load"]
        )
        for s in samples:
            row: list[object] = [f"{s.t:.3f}"]
            for name in names:
                process = s.processes.get(name)
                row += [getattr(process, c) if process else "" for c in columns]
            writer.writerow([*row, *(s.heard[t] for t in topics), s.success, s.load])
