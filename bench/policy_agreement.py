"""Compares an evaluation over the graph with one without it: the same scenes, the same policy.

./ws --with policy ros2 run gensim2_policy evaluate policy:=RUN episodes:=20
./ws ros2 launch gensim2 sim_eval.launch.py policy:=RUN episodes:=20
./ws --with policy python bench/policy_agreement.py RUN/evaluation RUN/sim_eval
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from gensim2_policy.evaluation import RESULTS, Judged, read_results, share
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

DIFFERENT = 0.05
"""Probability of a difference as large by chance, below which they do not agree."""
FAILED = 1

Pair = tuple[Judged, Judged]


def paired(one: list[Judged], other: list[Judged]) -> dict[str, list[Pair]]:
    """Episodes of the same scene, by task.

    Raises:
        ValueError: A scene is in one of them only, or the same seed has drawn another object.
    """
    others = {(e.task, e.seed): e for e in other}
    if {*others} != {(e.task, e.seed) for e in one}:
        raise ValueError("not the same episodes: give both the same tasks, seed and number")
    pairs: dict[str, list[Pair]] = {}
    for e in one:
        twin = others[e.task, e.seed]
        if twin.asset != e.asset:
            raise ValueError(f"{e.task}, seed {e.seed}: {e.asset} and {twin.asset}")
        pairs.setdefault(e.task, []).append((e, twin))
    return pairs


def chance(pairs: list[Pair]) -> float:
    """Probability of a difference at least as large if both succeed as often (McNemar, exact)."""
    won = sum(a.success and not b.success for a, b in pairs)
    lost = sum(b.success and not a.success for a, b in pairs)
    return 1.0 if won + lost == 0 else float(binomtest(won, won + lost).pvalue)


def main(
    headless: Annotated[Path, typer.Argument(help="Folder of the one report.")],
    graph: Annotated[Path, typer.Argument(help="Folder of the other.")],
) -> None:
    """Prints both, and how often they agree; exit code 1 if they differ by more than chance."""
    try:
        pairs = paired(read_results(headless / RESULTS), read_results(graph / RESULTS))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(FAILED)
    table = Table(title="without the graph and over it (Wilson 95 %)")
    for head in ("task", "without", "over the graph", "same outcome", "by chance"):
        table.add_column(head)
    everything = [pair for group in pairs.values() for pair in group]
    groups = [*pairs.items(), *([("all", everything)] if len(pairs) > 1 else [])]
    for task, group in groups:
        same = sum(a.success == b.success for a, b in group)
        ones, others = zip(*group, strict=True)
        figures = (share(ones).text, share(others).text, f"{same}/{len(group)}")
        table.add_row(task, *figures, f"{chance(group):.2f}")
    Console(highlight=False).print(table)
    sys.exit(FAILED if any(chance(group) < DIFFERENT for _, group in groups) else 0)


if __name__ == "__main__":
    typer.run(main)
