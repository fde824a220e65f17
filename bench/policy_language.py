"""Shows that a policy does what it is told: one network, one scene, two things that can be done.

A drawer stands half open. The same seed draws the same scene for the task that opens it and for
the one that closes it, so that nothing but the instruction says which is meant. Every scene is
run with each of the instructions, and judged by each of the tasks: the one asked for should
be done, the other one not.

    ./ws --with policy python bench/policy_language.py --dataset OPEN --dataset CLOSE --run FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gensim2_policy.checkpoint import find_checkpoint, load_record
from gensim2_policy.demonstrations import Source
from gensim2_policy.evaluate_cli import main as evaluate
from gensim2_policy.evaluation import RESULTS, Share, read_results, share
from gensim2_policy.settings import make_settings
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import draw_scene
from policy_training import trained
from rich.console import Console
from rich.table import Table

TASKS = ("OpenDrawer", "PushDrawerClose")
BOUND = 0.8  # least share of what was told, and of what was not told that is not done
FAILED = 1


def same_scenes(tasks: Sequence[str], seeds: Sequence[int]) -> bool:
    """Whether all tasks draw the same objects at the same places, as far open, for every seed."""
    library = AssetLibrary("")

    def drawn(task: str, seed: int) -> list[dict[str, object]]:
        scene = draw_scene(load_task(task), library, np.random.default_rng(seed))
        return [placed.parameters() for placed in scene]

    return all(len({str(drawn(task, seed)) for task in tasks}) == 1 for seed in seeds)


def obeys(done: dict[tuple[str, str], Share]) -> bool:
    """Whether, by instruction and judge, the same are mostly done and others mostly not."""
    return all(
        cell.of > 0 and (cell.won if told == judge else cell.of - cell.won) >= BOUND * cell.of
        for (told, judge), cell in done.items()
    )


def shown(instructions: dict[str, str], done: dict[tuple[str, str], Share]) -> Table:
    """What was told, and what was done."""
    table = Table(title="told and done, in the same scenes (Wilson 95 %)")
    for head in ("told", *(f"done: {task}" for task in instructions)):
        table.add_column(head)
    for told, words in instructions.items():
        table.add_row(words, *(done[told, judge].text for judge in instructions))
    return table


def main(
    dataset: Annotated[list[Path], typer.Option(help="Demonstrations with clouds of both tasks.")],
    run: Annotated[Path, typer.Option(help="Folder of the run; it goes on where it was stopped.")],
    steps: Annotated[int, typer.Option(help="Of the training.")] = 7000,
    episodes: Annotated[int, typer.Option(help="Scenes.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the first scene.")] = 900_000,
    jobs: Annotated[int, typer.Option(help="Processes of the evaluation.")] = 2,
    threads: Annotated[int, typer.Option(help="Of the training; 0 = one per core.")] = 0,
) -> None:
    """Trains ppt-tiny on both tasks and evaluates it without the graph."""
    if not same_scenes(TASKS, range(seed, seed + episodes)):
        print(f"the tasks {' and '.join(TASKS)} do not draw the same scenes", file=sys.stderr)
        sys.exit(FAILED)
    settings = make_settings("ppt-tiny", [f"train.steps={steps}", f"train.threads={threads}"])
    trained(settings, [Source(folder) for folder in dataset], run, tasks=TASKS)
    record = load_record(find_checkpoint(run))
    instructions = {task: record.tasks[task] for task in TASKS}
    done: dict[tuple[str, str], Share] = {}
    for told, words in instructions.items():
        for judge in TASKS:
            out = run / "language" / f"{told}-judged-by-{judge}"
            given = [f"policy:={run}", f"task:={judge}", f"instruction:={words}", f"out:={out}"]
            given += [f"episodes:={episodes}", f"seed:={seed}", f"jobs:={jobs}"]
            code = evaluate(given)
            if code:
                sys.exit(code)
            done[told, judge] = share(read_results(out / RESULTS))
    Console(highlight=False).print(shown(instructions, done))
    sys.exit(0 if obeys(done) else FAILED)


if __name__ == "__main__":
    typer.run(main)
