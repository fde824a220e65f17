"""Measures success, approach and planning time over seeded random episodes, without transport.

    ros2 run gensim2_episodes bench_success [--tasks all] [--episodes 20] [--asset-root FOLDER]

Every number comes from running the episode: physics decides, not the planner. With `--json` every
episode is written to a file; episodes of the same options that it holds already are not run again,
so a long run can be made in pieces. `bench_table` makes one table of several files. With
`--dataset` the episodes are also recorded, failures too, as the graph does with `keep_failures`:
the state of robot and objects.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from ament_index_python.packages import get_package_share_directory
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.cameras import NoRenderDeviceError
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.catalogue import TaskError, select_tasks
from gensim2_tasks.gensim2_judge import JUDGES, PREDICATES
from gensim2_tasks.placement import Start
from gensim2_tasks.randomisation import SWITCHES, TASK, RandomisationError, Variation
from gensim2_tasks.splits import ALL, Split
from rich.table import Table

from gensim2_episodes.attempts import CollectRequest
from gensim2_episodes.batch import CONTROLLERS, EXPERT, BatchEpisode, BatchRunner
from gensim2_episodes.batch_eyes import BatchEyes
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.disturbance import DisturbanceKind
from gensim2_episodes.errors import StoreError
from gensim2_episodes.provenance import software_record
from gensim2_episodes.replay_report import wilson
from gensim2_episodes.run_file import Run, RunFileError, load_run
from gensim2_episodes.store import EpisodeStore

NONE = "none"
QUIET_APPROACH = 0.05  # change of openness before the actuation pose


def summary_row(task: str, episodes: Sequence[BatchEpisode]) -> list[str]:
    """The figures of one task, as the table shows them."""
    won = sum(e.success for e in episodes)
    low, high = wilson(won, len(episodes))
    moved = [e.approach_disturbance for e in episodes if e.sim_time > 0]
    quiet = sum(m <= QUIET_APPROACH for m in moved)
    plan = [e.plan_time for e in episodes if e.plan_time > 0] or [0.0]
    return [
        task,
        f"{won}/{len(episodes)}",
        f"{100 * low:.0f} to {100 * high:.0f} %",
        f"{quiet}/{len(moved)}",
        f"{max(moved, default=0.0):.3f}",
        f"{np.median(plan):.3f}",
        f"{np.quantile(plan, 0.95):.3f}",
        f"{np.mean([e.cpu_time for e in episodes]):.2f}",
        f"{np.mean([e.sim_time for e in episodes]):.1f}",
        f"{np.mean([e.retries for e in episodes]):.2f}",
        _counted(e.failure for e in episodes if not e.success),
    ]


def _counted(kinds: Iterable[str]) -> str:
    """Kinds of failures and how often each was, the most frequent first."""
    return ", ".join(f"{kind} {n}" for kind, n in Counter(kinds).most_common())


def recovery(episodes: Sequence[BatchEpisode]) -> str:
    """How many of the episodes that were spoiled have succeeded after all, in a sentence."""
    disturbed = [e for e in episodes if e.disturbed]
    undone = [e for e in disturbed if e.undone]
    won = sum(e.success for e in undone)
    low, high = wilson(won, len(undone)) if undone else (0.0, 1.0)
    return (
        f"disturbed {len(disturbed)} of {len(episodes)} episodes; in {len(undone)} the try was "
        f"lost, {won} of those recovered (Wilson 95 %: {100 * low:.0f} to {100 * high:.0f} %); in "
        f"the other {len(disturbed) - len(undone)} it went on, "
        f"{sum(e.success for e in disturbed if not e.undone)} succeeded"
    )


COLUMNS = (
    "task",
    "success",
    "Wilson 95 %",
    "quiet approach",
    "worst",
    "plan median",
    "plan p95",
    "CPU s/episode",
    "sim s/episode",
    "retries",
    "failures",
)


def main(
    tasks: Annotated[str, typer.Option(help="Task name, comma list, or 'all'.")] = "all",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per task.")] = 20,
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets; default: generated ones.")
    ] = None,
    asset: Annotated[
        str, typer.Option(help="One asset for all episodes: reference, id, seed.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first episode; then +1.")] = 0,
    randomize: Annotated[bool, typer.Option(help="Draw pose and openness.")] = True,
    start: Annotated[
        Start,
        typer.Option(
            help="How far objects are open: task = as drawn, closed, open, honest = closed where "
            "the task opens and open where it closes."
        ),
    ] = "task",
    controller: Annotated[
        str,
        typer.Option(
            help="Who performs the task: the expert, nobody (idle), or random motions, about the "
            "pose at home (random) or where objects stand (sweep)."
        ),
    ] = EXPERT,
    judge: Annotated[
        str,
        typer.Option(
            help="Who says what a success is: the predicates of the task, or, for comparison, the "
            "criteria of the public GenSim2 (gensim2)."
        ),
    ] = PREDICATES,
    dataset: Annotated[
        Path | None, typer.Option(help="Record the episodes into this data set.")
    ] = None,
    clouds: Annotated[
        bool, typer.Option(help="Record clouds too: what the cameras see is rendered.")
    ] = False,
    perturb: Annotated[
        str, typer.Option(help=f"Spoil every episode once: {NONE}, {', '.join(DisturbanceKind)}.")
    ] = NONE,
    randomise: Annotated[
        str,
        typer.Option(help=f"What differs beside where objects stand: of {', '.join(SWITCHES)}."),
    ] = TASK,
    clutter: Annotated[
        int, typer.Option(help="Things that stand about; -1 = as the task file says.")
    ] = -1,
    split: Annotated[Split, typer.Option(help="Which assets may be drawn.")] = ALL,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write every episode to this file; go on where it ends."),
    ] = None,
) -> None:
    """Runs the episodes and prints a table."""
    # Drake reports every infeasible time law; the planner tries the next one.
    logging.getLogger("drake").setLevel(logging.CRITICAL)
    console = make_console()
    for name, value, known in (
        ("controller", controller, CONTROLLERS),
        ("judge", judge, JUDGES),
    ):
        if value not in known:
            console.print(f"{name} {value!r}: expected {' or '.join(known)}")
            raise typer.Exit(2)
    if dataset is not None and (controller != EXPERT or start != "task"):
        console.print(
            f"error: --dataset records {EXPERT} from the usual start",
            style="red",
            soft_wrap=True,
            markup=False,
        )
        raise typer.Exit(2)
    if perturb not in (NONE, *DisturbanceKind):
        console.print(f"perturb {perturb!r}: expected {NONE}, {', '.join(DisturbanceKind)}")
        raise typer.Exit(2)
    disturb = None if perturb == NONE else DisturbanceKind(perturb)
    try:
        names = select_tasks(tasks)
        if dataset is not None:
            EpisodeStore(dataset, create=True, software=software_record())
        runner = BatchRunner(
            resolve_packages(robot_description()),
            AssetLibrary(asset_root),
            render=clouds,
            judge=judge,
            variation=Variation.parse(randomise, clutter, split),
        )
        eyes = batch_eyes() if clouds else None
    except (TaskError, AssetError, RandomisationError, StoreError, NoRenderDeviceError) as error:
        console.print(f"error: {error}", style="red", soft_wrap=True, markup=False)
        raise typer.Exit(2) from None
    json_file = json_file.expanduser() if json_file is not None else None
    if json_file is not None and not json_file.parent.is_dir():
        console.print(
            f"error: there is no folder {json_file.parent}",
            style="red",
            soft_wrap=True,
            markup=False,
        )
        raise typer.Exit(2)
    kept = Run.here(
        {
            "controller": controller,
            "assets": "imported" if asset_root else "generated",
            "asset": asset,
            "randomize": randomize,
            "judge": judge,
            "perturb": perturb,
            "start": start,
            "randomise": randomise,
            "clutter": clutter,
            "split": split,
        }
    )
    try:
        if json_file is not None and json_file.exists():
            kept = load_run(json_file).joined(kept)
    except RunFileError as error:
        console.print(f"error: {json_file}: {error}", style="red", soft_wrap=True, markup=False)
        raise typer.Exit(2) from None
    done = {(e.task, e.seed): e for e in kept.episodes}
    results: list[BatchEpisode] = []
    source = "imported assets" if asset_root else "procedural assets"
    table = Table(
        *COLUMNS, title=f"{controller}, {source}, {start} start, {episodes} episodes per task"
    )
    for task in names:
        of_task: list[BatchEpisode] = []

        def ended(episode: BatchEpisode, of_task: list[BatchEpisode] = of_task) -> None:
            of_task.append(episode)
            if not episode.success and controller == EXPERT:
                console.print(
                    f"{episode.task} seed {episode.seed} {episode.asset}: {episode.outcome}: "
                    f"{episode.reason}",
                    style="yellow",
                    markup=False,
                )

        if dataset is None:
            for number in range(episodes):
                ended(
                    done.get((task, seed + number))
                    or runner.run(
                        task,
                        seed + number,
                        asset=asset,
                        randomize=randomize,
                        controller=controller,
                        disturb=disturb,
                        start=start,
                    )
                )
        else:
            request = CollectRequest(
                (task,),
                asset=asset,
                episodes=episodes,
                max_attempts=episodes,
                seed=seed,
                randomize=randomize,
                keep_failures=True,
                dataset=str(dataset),
            )
            result = collect_batch(runner, request, ended, disturb, eyes)
            if len(of_task) < episodes:
                console.print(f"error: {result.text}", style="red", soft_wrap=True, markup=False)
                raise typer.Exit(1) from result.cause
        table.add_row(*summary_row(task, of_task))
        results += of_task
        if json_file is not None:
            kept = kept.joined(dataclasses.replace(kept, episodes=tuple(of_task)))
            kept.save(json_file)
    table.add_section()
    table.add_row(*summary_row("all", results))
    console.print(table)
    console.print(
        "quiet approach: openness changed by at most "
        f"{QUIET_APPROACH} before the actuation pose; times in s, planning and CPU in CPU seconds",
        style="dim",
    )
    if disturb is not None:
        console.print(recovery(results))


def batch_eyes() -> BatchEyes:
    """Eyes where the calibration file of the project has the cameras."""
    file = Path(get_package_share_directory("gensim2")) / "config" / "cameras.yaml"
    kinematics = Fr3Kinematics.from_urdf(robot_description())
    return BatchEyes(CameraCalibrations.load(file), kinematics)


def run() -> None:
    """Entry point."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


if __name__ == "__main__":
    run()
