"""A process of an evaluation: it runs its share of the episodes, and tells of each."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gensim2_episodes.errors import StoreError
from numpy.typing import NDArray

from .acting import Policy, PolicyError
from .checkpoint import CheckpointError
from .evaluation import SEEN, UNSEEN, Judged, relative
from .film import Film
from .language import LanguageError
from .strip import Strip

if TYPE_CHECKING:
    from .headless import Look

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
        videos: Whether there are videos.
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
    videos: bool = False
    language_weights: str = ""
    instances: frozenset[str] = field(default_factory=frozenset)


def work(job: Job, wanted: list[Wanted], results: Results) -> None:
    """Runs episodes."""
    # Ctrl-C reaches all processes of a terminal; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _work(job, wanted, results)
    except (PolicyError, CheckpointError, LanguageError, StoreError, OSError) as error:
        results.put(str(error))
    except Exception as error:
        results.put(f"{type(error).__name__}: {error}")


def _work(job: Job, wanted: list[Wanted], results: Results) -> None:
    import torch
    from gensim2_control.camera_calibration import CameraCalibrations
    from gensim2_control.description import resolve_packages, robot_description
    from gensim2_tasks.assets import AssetLibrary

    from .headless import HeadlessRunner

    torch.set_num_threads(1)
    policy = Policy(job.policy, job.device, language_weights=job.language_weights)
    library = AssetLibrary(job.asset_root)
    calibrations = CameraCalibrations.load(job.calibration)
    runner = HeadlessRunner(resolve_packages(robot_description()), library, calibrations)
    for task, seed in wanted:
        sheet = Strip(MOMENTS) if job.pictures else None
        film = Film(runner.cameras) if job.videos else None
        look = _shown_to(sheet, runner.overview, film) if job.pictures or job.videos else None
        episode = runner.run(policy, task, seed, instruction=job.instruction, look=look)
        picture, video = (job.out / "episodes" / f"{task}-{seed}.{end}" for end in ("jpg", "mp4"))
        rollout, (before, after) = episode.rollout, episode.openness
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
                reason=f"{episode.text}; openness {before:.2f} to {after:.2f}",
                picture=_saved(sheet, picture, job.out),
                video=_saved(film, video, job.out),
            )
        )


def _saved(what: Strip | Film | None, file: Path, out: Path) -> str:
    """Where it is, as seen from the report; empty = there is nothing to see."""
    return relative(file, out) if what is not None and what.save(file) else ""


def _shown_to(sheet: Strip | None, overview: str, film: Film | None) -> Look:
    """Lets both see an episode."""

    def look(stamp_ns: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        if sheet is not None:
            sheet.take(pictures[overview])
        if film is not None:
            for camera, picture in pictures.items():
                film.take(stamp_ns, camera, picture)

    return look
