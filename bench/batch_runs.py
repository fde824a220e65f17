"""Episodes without transport, run once for all the figures that come from them; planning."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from figures import BenchError, Figure, Settings, Spread, ratio
from gensim2_control.description import DescriptionError, resolve_packages, robot_description
from gensim2_episodes.batch import BatchRunner
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.catalogue import load_task, select_tasks


@dataclass(frozen=True)
class Run:
    """One episode. Times in s.

    Attributes:
        success: Whether physics say so.
        plan_time: CPU time of planning; 0 where it did not come to that.
        cpu_time: CPU time of everything.
        wall_time: Wall time of everything.
        sim_time: Simulated time.
    """

    success: bool
    plan_time: float
    cpu_time: float
    wall_time: float
    sim_time: float


def make_runner(settings: Settings, *, render: bool) -> BatchRunner:
    """Makes what runs episodes.

    Raises:
        BenchError: The workspace or the assets are not as they should be.
    """
    # Drake reports every infeasible time law; the planner tries the next one.
    logging.getLogger("drake").setLevel(logging.CRITICAL)
    try:
        urdf = resolve_packages(robot_description())
        return BatchRunner(urdf, AssetLibrary(settings.asset_root), render=render)
    except (DescriptionError, AssetError) as error:
        raise BenchError(str(error)) from error


class Batch:
    """Runs the episodes of every task on demand."""

    def __init__(self, settings: Settings) -> None:
        """Runs none yet."""
        self._settings = settings
        self._runs: dict[str, list[Run]] = {}

    def get(self) -> dict[str, list[Run]]:
        """Gives the episodes by task.

        Raises:
            BenchError: See `make_runner`.
        """
        if not self._runs:
            self._runs = self._run()
        return self._runs

    def _run(self) -> dict[str, list[Run]]:
        settings = self._settings
        count = settings.times(20, 2)
        runner = make_runner(settings, render=False)
        # One manipulation each: of the tasks in several steps `task_table.py` tells.
        tasks = [name for name in select_tasks("all") if len(load_task(name).subtasks) == 1]
        # What is loaded at first use belongs to no episode.
        runner.run(tasks[0], settings.seed)
        runs: dict[str, list[Run]] = {}
        for task in tasks:
            settings.say(f"without transport: {count} episodes of {task}")
            runs[task] = []
            for number in range(count):
                began = time.monotonic()
                episode = runner.run(task, settings.seed + number)
                wall = time.monotonic() - began
                runs[task].append(
                    Run(
                        episode.success,
                        episode.plan_time,
                        episode.cpu_time,
                        wall,
                        episode.sim_time,
                    )
                )
        return runs


def measure_planning(settings: Settings, batch: Batch) -> list[Figure]:
    """Measures the CPU time of planning, per task and of all."""
    found: list[Figure] = []
    everything: list[float] = []
    for task, runs in batch.get().items():
        times = [run.plan_time for run in runs if run.plan_time > 0]
        everything += times
        found += Spread(times).figures(f"plan.{task}.cpu", f"{task}, CPU", "s", "median", "p95")
    found += Spread(everything).figures("plan.all.cpu", "all tasks, CPU", "s", "median", "p95")
    whole = sum(run.cpu_time for runs in batch.get().values() for run in runs)
    share = 100 * ratio(sum(everything), whole)
    found.append(Figure("plan.share", "share of an episode without transport", share, "%", None))
    return found
