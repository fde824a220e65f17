"""Shows that a policy learns: trained, and judged in scenes it has not seen, beside a control.

The control is trained on the same observations with the actions of other moments: whatever it does,
it has not learned what to do.

    ./ws python bench/policy_learning.py --dataset FOLDER --run FOLDER
    ./ws python bench/policy_learning.py --dataset FOLDER --run FOLDER --control
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gensim2_policy.demonstrations import Demonstration, Source
from gensim2_policy.evaluate_cli import main as evaluate
from gensim2_policy.settings import make_settings
from policy_training import trained


def shuffled(demonstrations: list[Demonstration]) -> list[Demonstration]:
    """The demonstrations with the actions of other moments of any of them."""
    order = np.random.default_rng(0).permutation(sum(len(d) for d in demonstrations))
    tcp = np.concatenate([d.tcp_ref for d in demonstrations])[order]
    q = np.concatenate([d.q_ref for d in demonstrations])[order]
    finger = np.concatenate([d.finger_ref for d in demonstrations])[order]
    changed, first = [], 0
    for d in demonstrations:
        mine = slice(first, first + len(d))
        changed.append(
            dataclasses.replace(d, tcp_ref=tcp[mine], q_ref=q[mine], finger_ref=finger[mine])
        )
        first += len(d)
    return changed


def main(
    dataset: Annotated[Path, typer.Option(help="Demonstrations with clouds.")],
    run: Annotated[Path, typer.Option(help="Folder of the run; it goes on where it was stopped.")],
    steps: Annotated[int, typer.Option(help="Of the training.")] = 7000,
    episodes: Annotated[int, typer.Option(help="Of every task.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the first scene.")] = 900_000,
    jobs: Annotated[int, typer.Option(help="Processes of the evaluation.")] = 2,
    threads: Annotated[int, typer.Option(help="Of the training; 0 = one per core.")] = 0,
    control: Annotated[bool, typer.Option(help="Shuffle the actions.")] = False,
) -> None:
    """Trains ppt-tiny and evaluates it without the graph."""
    settings = make_settings("ppt-tiny", [f"train.steps={steps}", f"train.threads={threads}"])
    if control:
        trained(settings, [Source(dataset)], run, prepare=shuffled)
    else:
        trained(settings, [Source(dataset)], run)
    words = [f"policy:={run}", f"episodes:={episodes}", f"seed:={seed}", f"jobs:={jobs}"]
    sys.exit(evaluate(words))


if __name__ == "__main__":
    typer.run(main)
