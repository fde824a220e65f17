"""Proposals of the small language model through the whole pipeline, beside the grammar alone.

    ./ws --with policy --with local python bench/generation_local.py --out runs/local

prints a Markdown table: of so many proposals, how many were valid, new, run, done and accepted, and
at which stage the others failed. What was measured before in the folder is gone on with.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from gensim2_generation.affordances import shipped_affordances
from gensim2_generation.candidate import Candidate
from gensim2_generation.composer import OF_MODE, Composer
from gensim2_generation.generator import Options, Pool, generate
from gensim2_generation.judging import VerifyConfig
from gensim2_generation.library import TaskLibrary
from gensim2_generation.local_model import LocalModel
from gensim2_generation.local_source import LocalSource
from gensim2_generation.metrics import Figures, figures
from gensim2_generation.outcome import Decision, End, Progress
from gensim2_generation.run_folder import RunError, RunFolder, RunRequest, read_decisions
from gensim2_generation.source import Known, Proposed, Source, SourceError, Wanted
from gensim2_generation.verdict import Verdict
from gensim2_generation.verify_pool import Limits, MakeLaboratory, VerifyPool
from rich.console import Console

NOTES = "notes.jsonl"
SOURCES = ("local", "catalogue")


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        out: Folder of the records.
        proposals: Of each source.
        seed: Of the sources.
    """

    out: Path
    proposals: int
    seed: int

    def shares(self) -> dict[str, int]:
        """Proposals of each mode."""
        modes = len(OF_MODE)
        return {mode: (self.proposals + modes - 1 - i) // modes for i, mode in enumerate(OF_MODE)}

    def folder(self, source: str, mode: str) -> Path:
        """Of the record of one source in one mode."""
        return self.out / source / mode


class Noting:
    """A `Source` that writes down what is noted of the proposals of another one."""

    def __init__(self, source: Source, file: Path) -> None:
        self._source, self._file = source, file

    @property
    def name(self) -> str:
        """See `Source`."""
        return self._source.name

    def propose(self, known: Known) -> Proposed:
        """See `Source`."""
        return self._noted(self._source.propose(known))

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        """See `Source`."""
        repaired = self._source.repair(candidate, verdict)
        return None if repaired is None else self._noted(repaired)

    def _noted(self, proposed: Proposed) -> Proposed:
        notes = proposed.origin.notes if isinstance(proposed, Candidate) else ()
        line = {"name": proposed.name, "notes": notes, "seconds": _making(proposed)}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return proposed


def _making(proposed: Proposed) -> float:
    return proposed.origin.seconds if isinstance(proposed, Candidate) else proposed.seconds


def run_source(plan: Plan, kind: str, pool: Pool, model: LocalModel | None, say: Console) -> None:
    """Has a source make its proposals, and each of them judged."""
    library = TaskLibrary(plan.out / kind / "library", {})
    for mode, count in plan.shares().items():
        wanted = Wanted(mode, seed=plan.seed)
        known = shipped_affordances()
        source: Source = (
            Composer(wanted, known) if model is None else LocalSource(wanted, known, model)
        )
        folder = RunFolder(plan.folder(kind, mode), RunRequest(wanted, kind, count))
        before = folder.before()
        if len(before) >= count:
            continue

        def told(progress: Progress, mode: str = mode) -> None:
            if progress.note:
                say.print(f"{kind} {mode}: {progress.task} {progress.note[:120]}", markup=False)

        outcome = generate(
            Noting(source, folder.path / NOTES),
            pool,
            library,
            count,
            run=folder.path,
            clock=time.monotonic,
            options=Options(proposals=1, repairs=0),
            told=told,
            decided=folder.decided,
            before=before,
        )
        if outcome.end not in (End.NONE, End.NOT_ENOUGH):
            raise SourceError(outcome.text)


def decisions(plan: Plan, kind: str) -> list[Decision]:
    """What was decided of a source so far."""
    found = []
    for mode in plan.shares():
        found += [decision for decision, _ in read_decisions(plan.folder(kind, mode))]
    return found


def table(rows: Sequence[Figures]) -> str:
    """A Markdown table of figures."""
    heads = ("source, mode", "proposed", "valid", "new", "run", "done", "accepted", "failed at")
    lines = [f"| {' | '.join(heads)} |", f"|---{'|---:' * 6}|---|"]
    for row in rows:
        failed = ", ".join(f"{name} {count}" for name, count in row.rejected.items()) or "-"
        # Of those that fail under the controls the expert has done all.
        done = row.accepted + row.rejected.get("control", 0)
        counts = (row.proposed, row.valid, row.novel, row.executed, done, row.accepted)
        lines.append(f"| {row.title} | {' | '.join(map(str, counts))} | {failed} |")
    return "\n".join(lines)


def notes(plan: Plan) -> str:
    """What was noted of the proposals of the model, counted."""
    counts: Counter[str] = Counter()
    seconds = []
    for mode in plan.shares():
        file = plan.folder("local", mode) / NOTES
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            read = json.loads(line)
            counts["proposals"] += 1
            said = any(n == "instruction: by the grammar" for n in read["notes"])
            counts["instructions by the grammar"] += said
            counts["sentences refused"] += sum("refused" in n for n in read["notes"])
            counts["decisions forced"] += sum(n.endswith("was left") for n in read["notes"])
            seconds.append(read["seconds"])
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    mean = sum(seconds) / len(seconds) if seconds else 0.0
    return f"local: {told}; {mean:.1f} s of wall time for each proposal"


def main(
    out: Annotated[Path, typer.Option(help="Folder of the records; it is gone on with.")],
    proposals: Annotated[int, typer.Option(min=3, help="Of each source, over all modes.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Of the sources.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that verify.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="Of the language model.")] = 1,
    seconds: Annotated[float, typer.Option(min=1.0, help="CPU time of one verification, s.")] = 180,
    only: Annotated[str, typer.Option(help="local or catalogue; empty = both.")] = "",
) -> None:
    """Measures, and prints the table."""
    say, console = Console(stderr=True, style="dim", highlight=False), Console(soft_wrap=True)
    if only and only not in SOURCES:
        raise typer.BadParameter(f"{only!r}: expected {' or '.join(SOURCES)}")
    plan = Plan(out, proposals, seed)
    kinds = [kind for kind in SOURCES if only in ("", kind)]
    try:
        model = LocalModel(threads=threads) if "local" in kinds else None
        make = MakeLaboratory("", VerifyConfig())
        with VerifyPool(jobs, make, Limits(seconds)) as pool:
            for kind in kinds:
                run_source(plan, kind, pool, model if kind == "local" else None, say)
    except (SourceError, RunError, OSError) as error:
        console.print(f"not measured: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    for kind in SOURCES:
        console.print(table(figures(decisions(plan, kind))), markup=False)
    console.print(notes(plan), markup=False)


if __name__ == "__main__":
    typer.run(main)
