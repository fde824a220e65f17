"""Program `evaluate`: how well a policy does its tasks in simulation, without the graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.words import (
    HELP,
    Word,
    WordError,
    number,
    read_words,
    refuse,
    tell_words,
    truth,
)

from .checkpoint import CheckpointError, find_checkpoint, load_record
from .evaluation import Judged, share, table, write_report
from .headless_pool import calibration_file, run_episodes
from .headless_worker import Job

WORDS = {
    "policy": Word(None, "Folder of a run or of a checkpoint."),
    "task": Word("all", "A task, several with commas between them; all = those it was trained on."),
    "episodes": Word("20", "Episodes of every task."),
    "seed": Word("900000", "Of the first episode; the others follow."),
    "instruction": Word("", "What the policy is told; empty = the instruction of the task."),
    "asset_root": Word("", "Folder of imported assets; empty = generated ones."),
    "calibration": Word("", "Calibration file of the cameras; empty = that of the project."),
    "out": Word("", "Folder of the report; empty = evaluation beside the policy."),
    "pictures": Word("true", "Whether every episode gets a contact sheet."),
    "videos": Word("false", "Whether every episode gets a video of what the cameras saw."),
    "jobs": Word("0", "Processes; 0 = as many as there are cores."),
    "language_weights": Word("", "Folder of the CLIP model of a policy; empty = as in training."),
    "device": Word("cpu", "Where the policy runs: cpu or cuda."),
}
USAGE = "ros2 run gensim2_policy evaluate policy:=FOLDER [name:=value ...]"
FAILED, WRONG, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = make_console()
    if any(word in HELP for word in given):
        tell_words(console, USAGE, WORDS)
        return 0
    try:
        values, _ = read_words(given, WORDS)
        count, seed = number(values, "episodes", 1), number(values, "seed")
        jobs = number(values, "jobs") or os.cpu_count() or 1
        record = load_record(find_checkpoint(Path(values["policy"])))
        tasks = _tasks(values["task"], sorted(record.tasks))
        pictures, videos = truth(values, "pictures"), truth(values, "videos")
    except (WordError, CheckpointError) as error:
        return refuse(console, error, WRONG)
    policy = Path(values["policy"]).expanduser()
    out = Path(values["out"]).expanduser() if values["out"] else policy / "evaluation"
    job = Job(
        policy=policy,
        device=values["device"],
        asset_root=values["asset_root"],
        calibration=calibration_file(values["calibration"]),
        instruction=values["instruction"],
        out=out,
        pictures=pictures,
        videos=videos,
        language_weights=values["language_weights"],
        instances=frozenset(record.instances),
    )
    wanted = [(task, seed + k) for task in tasks for k in range(count)]
    done: list[Judged] = []
    code = 0
    try:
        for judged in run_episodes(job, wanted, jobs):
            done.append(judged)
            how = "success" if judged.success else judged.failure
            console.print(
                f"{len(done)}/{len(wanted)} {judged.task} seed {judged.seed}: {how}", soft_wrap=True
            )
    except KeyboardInterrupt:
        console.print("interrupted: the report holds what was done so far")
        code = INTERRUPTED
    except RuntimeError as error:
        code = refuse(console, error, FAILED)
    if done:
        done.sort(key=lambda e: (tasks.index(e.task), e.seed))
        title = f"{policy.name}, step {record.step}, without the graph"
        console.print(table(title, done))
        console.print(f"report: {write_report(out, title, done)}", soft_wrap=True)
        console.print(f"success {share(done).text}")
    return code


def _tasks(text: str, known: Sequence[str]) -> list[str]:
    if text == "all":
        return list(known)
    tasks = [task for task in text.split(",") if task]
    if not tasks:
        raise WordError("task: name one, or all")
    return tasks
