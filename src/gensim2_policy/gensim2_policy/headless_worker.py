"""A process of an evaluation: it runs its share of the episodes, and tells of each."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .evaluation import SEEN, UNSEEN, Judged, relative

Wanted = tuple[str, int]
"""Task and seed of an episode."""
MOMENTS = 8  # of an episode on its contact sheet


class Results(Protocol):
    """Where results go."""

    def put(self, result: Any) -> None:
        """Takes a `Judged`, or the text of an error."""


@dataclass(frozen=True)
class Job:
    """What a process needs to know.

    Attributes:
        policy: Folder.
        device: Of the policy.
        asset_root: Of imported assets; empty = none.
        calibration: File.
        instruction: What the policy is told; empty = that of the task.
        out: Folder of the report.
        pictures: Whether there are contact sheets.
        language_weights: Folder of the encoder of instructions; empty = as in the training.
        instances: Objects of the training.
    """

    policy: Path
    device: str
    asset_root: str
    calibration: Path
    instruction: str
    out: Path
    pictures: bool
    language_weights: str = ""
    instances: frozenset[str] = field(default_factory=frozenset)


def work(job: Job, wanted: list[Wanted], results: Results) -> None:
    """Runs episodes."""
    # Ctrl-C reaches all processes of a terminal; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _work(job, wanted, results)
    except Exception as error:
        results.put(f"{type(error).__name__}: {error}")


def _work(job: Job, wanted: list[Wanted], results: Results) -> None:
    import torch
    from gensim2_control.camera_calibration import CameraCalibrations
    from gensim2_control.description import resolve_packages, robot_description
    from gensim2_tasks.assets import AssetLibrary

    from .acting import Policy
    from .headless import HeadlessRunner
    from .strip import Strip

    torch.set_num_threads(1)
    policy = Policy(job.policy, job.device, language_weights=job.language_weights)
    library = AssetLibrary(job.asset_root)
    calibrations = CameraCalibrations.load(job.calibration)
    runner = HeadlessRunner(resolve_packages(robot_description()), library, calibrations)
    for task, seed in wanted:
        strip = Strip(MOMENTS)
        look = strip.take if job.pictures else None
        episode = runner.run(policy, task, seed, instruction=job.instruction, look=look)
        picture = ""
        if job.pictures and len(strip):
            file = job.out / "episodes" / f"{task}-{seed}.jpg"
            strip.save(file)
            picture = relative(file, job.out)
        rollout = episode.rollout
        results.put(
            Judged(
                task=task,
                instruction=episode.instruction,
                seed=seed,
                asset=episode.asset,
                instance=SEEN if episode.asset in job.instances else UNSEEN,
                success=episode.success,
                failure=episode.failure,
                seconds=0.0 if rollout is None else rollout.ended - rollout.started,
                reason=episode.text,
                picture=picture,
            )
        )
