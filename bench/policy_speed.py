"""Speed of training and inference of the policy, beside LeRobot; see README.md.

Both are asked in turns for a few steps each, in processes of their own on one core, and each counts
its own CPU time, so that what else the machine does is the same for both.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from figures import OVER, BenchError, Figure, Settings, Spread, make_document, make_table, ratio
from machine import read_machine, read_versions
from policy_contests import CONTESTS, Contest, opening
from policy_loader import measure_loader
from rich.console import Console

SAME_SIZE = 0.15
"""Share by which the numbers of parameters may differ."""
_HERE = Path(__file__).parent
_ACTS = 5  # chunks of a round
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Worker:
    """A process that answers questions; see `policy_contests.serve`.

    Args:
        python: The interpreter of its environment.
        script: Beside this one.
    """

    def __init__(self, python: Path, script: str) -> None:
        self._script = script
        own = python == Path(sys.executable)
        # Packages of this project's environment are of no use to another one.
        hidden = () if own else ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        self._process = subprocess.Popen(
            [str(python), str(_HERE / script)],
            env={**environment, **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, question: dict[str, Any]) -> Any:
        """Gives the answer to a question.

        Raises:
            BenchError: The process has ended.
        """
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None and told is not None
        try:
            asked.write(json.dumps(question) + "\n")
            asked.flush()
            answer = told.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise BenchError(f"{self._script} failed, see above")
        return json.loads(answer)


@dataclass
class Times:
    """CPU times of a side in a contest, ms.

    Attributes:
        parameters: Its size.
        used: What of it a chunk needs: ACT encodes actions only when it is trained.
        train: Of training steps, one a round.
        act: Of chunks, the median of each round.
    """

    parameters: int
    used: int
    train: list[float] = field(default_factory=list)
    act: list[float] = field(default_factory=list)


def same_size(ours: int, theirs: int) -> bool:
    """Whether two numbers of parameters may be compared."""
    return abs(theirs - ours) <= SAME_SIZE * ours


def compare(
    contest: Contest, workers: list[Worker], rounds: int, steps: int
) -> tuple[Times, Times | None]:
    """Lets both sides of a contest work in turns; theirs is None where only ours is there.

    Raises:
        BenchError: They are not of one size, or one has failed.
    """
    sides: list[Times] = []
    for worker in workers:
        wanted = sides[0].parameters if sides else 0
        sides.append(Times(*worker.ask(opening(contest, wanted, steps))))
        if not same_size(sides[0].parameters, sides[-1].parameters):
            sizes = " and ".join(str(side.parameters) for side in sides)
            raise BenchError(f"{contest.key}: {sizes} parameters are not one size")
        worker.ask({"do": "act", "times": 2})
        worker.ask({"do": "train", "times": 1})
    for number in range(rounds):
        order = list(zip(workers, sides, strict=True))
        for worker, side in order if number % 2 == 0 else order[::-1]:
            side.train += worker.ask({"do": "train", "times": 1})
        for worker, side in order if number % 2 == 0 else order[::-1]:
            side.act.append(Spread(worker.ask({"do": "act", "times": _ACTS})).median)
    return sides[0], sides[1] if len(sides) > 1 else None


def contest_figures(contest: Contest, ours: Times, theirs: Times | None) -> Iterator[Figure]:
    """Figures of a contest: samples per second, CPU time of chunks, and ours over theirs.

    Ours must not be slower where both see as much and have as many parameters to reckon with.
    """
    key = f"policy.{contest.key}"
    yield from _side_figures(key, f"{contest.key}, ours", contest, ours, contest.latency or None)
    if theirs is None:
        return
    yield from _side_figures(f"{key}.lerobot", f"{contest.key}, LeRobot", contest, theirs, None)
    for what, mine, others, alike in (
        ("train", ours.train, theirs.train, contest.alike),
        ("act", ours.act, theirs.act, contest.alike and same_size(ours.used, theirs.used)),
    ):
        shares = Spread([ratio(a, b) for a, b in zip(mine, others, strict=True)])
        note = f"{shares.quantile(0.1):.2f} to {shares.quantile(0.9):.2f}"
        label = f"{contest.key}, {what}: CPU time of ours / LeRobot"
        bound = 1.0 if alike else None
        yield Figure(f"{key}.{what}.share", label, shares.median, "x", bound, len(mine), note)


def _side_figures(
    key: str, label: str, contest: Contest, times: Times, latency: float | None
) -> Iterator[Figure]:
    """Figures of one side of a contest."""
    train, act = Spread(times.train), Spread(times.act)
    rate, size = ratio(1000.0 * contest.batch, train.median), f"{times.parameters / 1e6:.2f} M"
    note = f"{size}, batch {contest.batch}"
    yield Figure(
        f"{key}.train", f"{label}, training", rate, "samples/s", None, len(train.values), note
    )
    note = f"p95 {act.p95:.1f}, {times.used / 1e6:.2f} M used"
    yield Figure(
        f"{key}.act", f"{label}, chunk, CPU", act.median, "ms", latency, len(act.values), note
    )


def measure_policies(settings: Settings, lerobot: Path | None, only: str = "") -> Iterator[Figure]:
    """Measures every contest, and the loader.

    Args:
        settings: Of the bench.
        lerobot: Python of the environment of LeRobot; None = only ours.
        only: Contests whose keys begin with it.
    """
    from gensim2_policy.settings import make_settings

    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(Path(sys.executable), "policy_worker.py"))]
        if lerobot is not None:
            workers.append(stack.enter_context(Worker(lerobot, "policy_lerobot_worker.py")))
        for contest in CONTESTS:
            if not contest.key.startswith(only):
                continue
            settings.say(f"policy: {contest.key}")
            steps = make_settings(contest.preset, contest.overrides).model.head.steps
            rounds = settings.times(10, 1)
            yield from contest_figures(contest, *compare(contest, workers, rounds, steps))
    if not only:
        yield from measure_loader(settings)


def main(
    lerobot: Annotated[
        Path | None, typer.Option(help="Environment of LeRobot (lerobot.txt); default: only ours.")
    ] = None,
    only: Annotated[str, typer.Option(help="Contests whose keys begin with this.")] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One round.")] = False,
    check: Annotated[bool, typer.Option(help="Exit code 1 where a figure is over.")] = True,
) -> None:
    """Compares training and inference of the policy with LeRobot's, on one core."""
    python = None if lerobot is None else lerobot.expanduser().absolute() / "bin" / "python"
    if python is not None and not python.exists():
        raise typer.BadParameter(f"there is no {python}; lerobot.txt says how to make it")
    progress, console = Console(stderr=True, style="dim", highlight=False), Console(width=140)
    facts = {"machine": read_machine(), "versions": read_versions(Path(__file__))}
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gensim2-bench-") as folder:
        settings = Settings(
            0,
            quick,
            None,
            Path(folder),
            lambda text: progress.print(f"[bench] {text}", markup=False),
        )
        try:
            # One by one: what was measured before an error is shown.
            for figure in measure_policies(settings, python, only):
                figures.append(figure)
        except BenchError as error:
            failures["policy"] = str(error)
            console.print(f"not measured: {error}", style="red", markup=False)
    console.print(make_table("policy", figures))
    facts["machine"]["load_at_end"] = round(os.getloadavg()[0], 2)
    console.print(", ".join(f"{k} {v}" for part in facts.values() for k, v in part.items()))
    if json_file is not None:
        document = make_document(figures, failures, facts, {"quick": quick, "only": only})
        json_file.expanduser().write_text(json.dumps(document, indent=1) + "\n")
    over = any(figure.verdict == OVER or math.isnan(figure.value) for figure in figures)
    if failures or not figures or (over and check):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
