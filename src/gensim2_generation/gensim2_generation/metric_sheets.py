"""Tables of the figures of generations, as text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .answers import plain
from .metrics import OTHER, STAGES, Figures
from .outcome import Decision

NOTHING = "-"
LONGEST = 240  # characters of a cell


@dataclass(frozen=True)
class Sheet:
    """A table of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """With its title as a heading."""
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        body = "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)
        return f"## {_cell(self.title)}\n\n{body}"

    def csv(self) -> str:
        """Without its title."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [plain(cell, LONGEST) for cell in line] for line in (self.head, *self.rows)
        )
        return text.getvalue()


def figure_sheet(every: Sequence[Figures]) -> Sheet:
    """What came of the proposals and what they cost, a column for each source and mode."""
    lines = [
        ("proposed", [str(f.proposed) for f in every]),
        ("valid", [_share(f, f.valid) for f in every]),
        ("new", [_share(f, f.novel) for f in every]),
        ("executed", [_share(f, f.executed) for f in every]),
        ("accepted", [_share(f, f.accepted) for f in every]),
        ("accepted after a repair", [str(f.repaired) for f in every]),
        ("success of accepted tasks", [_mean(f, f"{f.pass_rate:.1%}") for f in every]),
        ("novelty of accepted tasks", [_mean(f, f"{f.novelty:.2f}") for f in every]),
        ("tokens per accepted task", [_each(f, f.tokens, "{:.0f}") for f in every]),
        ("cost per accepted task", [_each(f, f.cost, "{:.4f}") for f in every]),
        ("seconds per accepted task", [_each(f, f.seconds, "{:.1f}") for f in every]),
    ]
    rows = tuple((name, *cells) for name, cells in lines)
    return Sheet("Proposals", ("", *(f.title for f in every)), rows)


def stage_sheet(every: Sequence[Figures]) -> Sheet:
    """Of the proposals that reach a stage, how many pass it."""
    rows = []
    for stage in (*STAGES, OTHER):
        found = [next((p for p in f.stages if p.stage == stage), None) for f in every]
        if any(found):
            cells = (
                f"{p.passed} of {p.reached} ({p.passed / p.reached:.0%})" if p else NOTHING
                for p in found
            )
            rows.append((stage.replace("_", " "), *cells))
    return Sheet("Stages at which some failed", ("passed", *(f.title for f in every)), tuple(rows))


def accepted_sheet(decisions: Iterable[Decision]) -> Sheet:
    """The accepted tasks."""
    rows = tuple(
        (d.name, d.instruction, f"{d.pass_rate:.0%} of {d.episodes}", f"{d.novelty:.2f}")
        for d in decisions
        if d.accepted
    )
    return Sheet("Accepted tasks", ("task", "instruction", "success", "novelty"), rows)


def rejected_sheet(decisions: Iterable[Decision]) -> Sheet:
    """The rejected ones, and why."""
    rows = tuple(
        (d.name or NOTHING, d.instruction, d.stage, d.reason) for d in decisions if not d.accepted
    )
    return Sheet("Rejected proposals", ("task", "instruction", "stage", "reason"), rows)


def _share(figures: Figures, count: int) -> str:
    return f"{count} ({figures.share(count):.0%})" if figures.proposed else NOTHING


def _mean(figures: Figures, text: str) -> str:
    return text if figures.accepted else NOTHING


def _each(figures: Figures, total: float, form: str) -> str:
    value = figures.each(total)
    return NOTHING if value is None or not total else form.format(value)


def _cell(text: str) -> str:
    """What a model says must not end a cell, nor become a link or a tag."""
    found = plain(text, LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return "".join(f"\\{c}" if c in "[]`*_" else c for c in found)
