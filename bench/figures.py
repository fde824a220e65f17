"""A measured figure, its bound and its verdict; how figures are summed up, shown and stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

SCHEMA = 1
"""Version of the JSON document; a key that keeps its name keeps its meaning and unit."""
OK, OVER = "ok", "OVER"
Say = Callable[[str], None]


class BenchError(RuntimeError):
    """A figure cannot be measured; the message says why."""


@dataclass(frozen=True)
class Settings:
    """What the user has asked for.

    Attributes:
        seed: Of the first episode; the following are one more each.
        quick: Few repetitions: shows that everything works, not how fast it is.
        asset_root: Folder of imported assets; None = generated ones.
        folder: For data sets and logs; somebody else removes it.
        say: Shows a line of progress.
    """

    seed: int
    quick: bool
    asset_root: Path | None
    folder: Path
    say: Say

    def times(self, normal: int, quick: int) -> int:
        """Gives the number of repetitions."""
        return quick if self.quick else normal


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        key: Its stable name, dots between the parts.
        label: What it is, for people.
        value: The number; NaN where nothing came.
        unit: Of value and bound.
        bound: Largest value that is accepted; None = nothing is demanded.
        samples: How many measurements it sums up.
        note: What else helps to read it.
    """

    key: str
    label: str
    value: float
    unit: str
    bound: float | None = None
    samples: int = 1
    note: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `OVER` or nothing; what could not be measured is not within its bound."""
        if self.bound is None:
            return ""
        return OK if self.value <= self.bound else OVER


@dataclass(frozen=True)
class Spread:
    """Measurements of one thing.

    Attributes:
        values: All of them, in one unit.
    """

    values: Sequence[float] = field(default_factory=tuple)

    def quantile(self, share: float) -> float:
        """Gives a quantile, NaN of nothing."""
        return float(np.quantile(self.values, share)) if len(self.values) else math.nan

    @property
    def median(self) -> float:
        """The middle one."""
        return self.quantile(0.5)

    @property
    def p95(self) -> float:
        """What one in twenty exceeds."""
        return self.quantile(0.95)

    @property
    def worst(self) -> float:
        """The largest."""
        return self.quantile(1.0)

    def figures(
        self, key: str, label: str, unit: str, *names: str, bound: float | None = None
    ) -> list[Figure]:
        """Makes one figure per name: `median`, `p95` or `worst`.

        Args:
            key: First part of the keys.
            label: First part of the labels.
            unit: Of the measurements.
            names: Which ones; the bound holds for each.
            bound: See `Figure`.
        """
        known: Mapping[str, float] = {
            "median": self.median,
            "p95": self.p95,
            "worst": self.worst,
        }
        return [
            Figure(f"{key}.{n}", f"{label}, {n}", known[n], unit, bound, len(self.values))
            for n in names
        ]


def ratio(part: float, whole: float) -> float:
    """Gives part / whole, NaN where there is no whole."""
    return part / whole if whole > 0 else math.nan


def shown(value: float) -> str:
    """Gives a number with as many digits as a reader needs; figures below 1000 get three."""
    if not math.isfinite(value):
        return "-"
    if value != 0 and abs(value) < 1000:
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{min(digits, 6)}f}"
    return f"{value:,.0f}"


def make_table(title: str, figures: Iterable[Figure]) -> Table:
    """Makes the table of one group, with the bounds beside the figures."""
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for column in ("value", "unit", "bound"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    table.add_column("")
    table.add_column("n", justify="right")
    table.add_column("note")
    for figure in figures:
        colour = {OK: "green", OVER: "bold red"}.get(figure.verdict)
        table.add_row(
            escape(figure.label),
            shown(figure.value),
            figure.unit,
            "" if figure.bound is None else f"<= {figure.bound:g}",
            f"[{colour}]{figure.verdict}[/]" if colour else "",
            str(figure.samples),
            escape(figure.note),
        )
    return table


def make_document(
    figures: Iterable[Figure],
    failures: Mapping[str, str],
    facts: Mapping[str, Mapping[str, Any]],
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """Makes the document for machines.

    Args:
        figures: Everything that was measured.
        failures: Why a group could not be measured, by group.
        facts: Machine and versions.
        arguments: What the command was asked for.

    Raises:
        ValueError: Two figures have one key.
    """
    entries: dict[str, Any] = {}
    for figure in figures:
        if figure.key in entries:
            raise ValueError(f"two figures have the key {figure.key}")
        entries[figure.key] = {
            "label": figure.label,
            "value": figure.value if math.isfinite(figure.value) else None,
            "unit": figure.unit,
            "bound": figure.bound,
            "verdict": figure.verdict or None,
            "samples": figure.samples,
            "note": figure.note,
        }
    return {
        "schema": SCHEMA,
        "arguments": dict(arguments),
        **{name: dict(values) for name, values in facts.items()},
        "figures": entries,
        "failures": dict(failures),
    }
