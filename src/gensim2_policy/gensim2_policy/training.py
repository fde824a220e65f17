"""A whole training: data, steps, validation, logs and checkpoints; it goes on where it ended."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
import yaml
from gensim2_control.atomic_file import write_atomically

from .batches import training_samples
from .checkpoint import (
    BEST,
    CHECKPOINTS,
    LAST,
    CheckpointError,
    PolicyRecord,
    find_checkpoint,
    find_last,
    load_record,
    load_training,
    save_checkpoint,
    scale_record,
)
from .demonstrations import (
    DataError,
    Demonstration,
    Source,
    load_demonstrations,
    slowest_chunk,
    split,
)
from .language import encoder_of
from .learner import Learner
from .run_log import RunLog
from .settings import Settings
from .statistics import cloud_statistics
from .windows import Windows

SETTINGS_FILE = "settings.yaml"
# Of a run that goes on: how long, how fast, and where the same weights of an encoder lie.
MAY_CHANGE = ("train.steps", "train.threads", "model.language_weights")


class TrainingError(RuntimeError):
    """A training cannot begin or go on; says why."""


@dataclass(frozen=True)
class Progress:
    """Told after every step: step, of how many, loss, samples per second, and where time goes."""

    step: int
    steps: int
    loss: float
    samples_per_second: float
    waiting: float


@dataclass(frozen=True)
class Outcome:
    """What became of a training: steps, losses, whether it came to its end, and its folder."""

    run: Path
    step: int
    loss: float
    best: float
    finished: bool
    waiting: float


@dataclass(frozen=True)
class Rollouts:
    """Tries a policy out: every so many steps, and at the end.

    Attributes:
        every: Steps.
        run: Given the folder of a checkpoint, tells the share of successes.
    """

    every: int
    run: Callable[[Path], float]


def train(
    settings: Settings,
    sources: Sequence[Source],
    run: Path,
    *,
    tasks: Sequence[str] = (),
    device: str = "cpu",
    told: Callable[[Progress], None] = lambda _: None,
    software: Mapping[str, str] | None = None,
    prepare: Callable[[list[Demonstration]], list[Demonstration]] = lambda loaded: loaded,
    rollouts: Rollouts | None = None,
    rank: int = 0,
    processes: int = 1,
) -> Outcome:
    """Trains a policy; where the folder holds a training that was stopped, it goes on.

    Ctrl-C ends it after the present step, with a checkpoint.

    Args:
        settings: Of the policy and the training.
        sources: Data sets.
        run: Folder of the run, new or of the same settings.
        tasks: Only these; empty = all.
        device: ``cpu`` or ``cuda``.
        told: Called after every step.
        software: Versions, for the record.
        prepare: Changes the demonstrations before anything is made of them.
        rollouts: Tries the policy out now and then; None = nobody does.
        rank: Of this process.
        processes: That share every step.

    Raises:
        TrainingError: The device is missing, or the folder holds another training.
        DataError: There is nothing to train on.
        LanguageError: Instructions cannot be encoded.
        FloatingPointError: The loss is not finite.
    """
    chosen = _device(device)
    torch.set_num_threads(settings.train.threads or torch.get_num_threads())
    _check_folder(run, settings)
    demonstrations = prepare(list(load_demonstrations(sources, settings.observation, tasks=tasks)))
    if not demonstrations:
        where = ", ".join(str(source.folder) for source in sources)
        raise DataError(
            f"{where}: no successful episode" + (f" of {', '.join(tasks)}" if tasks else "")
        )
    _check_domains(demonstrations, settings)
    _check_batch(demonstrations, settings, processes)
    training, validation = split(demonstrations, settings.train.validation, settings.train.seed)
    encoder = encoder_of(settings.model)
    windows = Windows(training, settings, encoder)
    held = Windows(validation, settings, encoder, windows.normaliser) if validation else None
    learner = Learner(settings, chosen)
    record = _record(settings, windows, encoder.name, software or {})
    last = find_last(run)
    best = np.inf
    if last is not None:
        if load_record(last).language not in ("", record.language):
            raise TrainingError(
                f"{run} was trained with another encoder of instructions: name the weights that it "
                "had, model.language_weights=FOLDER, or another run"
            )
        learner.resume(load_training(last))
        with contextlib.suppress(CheckpointError):
            found = load_record(run / CHECKPOINTS / BEST).validation
            best = np.inf if found is None else found
    elif rank == 0:
        run.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(settings.model_dump(mode="json"))
        write_atomically(run / SETTINGS_FILE, text.encode())
    log = RunLog(run, first=learner.step) if rank == 0 else None
    return _Loop(
        learner, windows, held, record, run, log, told, best, rollouts, rank, processes
    ).go()


class _Loop:
    """The steps of a training."""

    def __init__(
        self,
        learner: Learner,
        windows: Windows,
        held: Windows | None,
        record: PolicyRecord,
        run: Path,
        log: RunLog | None,
        told: Callable[[Progress], None],
        best: float,
        rollouts: Rollouts | None,
        rank: int,
        processes: int,
    ) -> None:
        self._learner, self._windows, self._held = learner, windows, held
        self._record, self._run, self._log, self._told = record, run, log, told
        self._best, self._rank, self._processes = best, rank, processes
        self._rollouts = rollouts
        self._loss, self._saved = float("nan"), time.monotonic()

    def go(self) -> Outcome:
        """Learns until the end, or until it is interrupted."""
        train = self._learner.settings.train
        waited = worked = 0.0
        samples_ahead = training_samples(
            self._windows,
            train.batch,
            train.seed,
            first=self._learner.step,
            rank=self._rank,
            processes=self._processes,
        )
        with _interruption() as interrupted, samples_ahead as batches:
            while self._learner.step < train.steps:
                if self._learner.any_process(interrupted()):
                    break
                began = time.monotonic()
                samples = next(batches)
                ready = time.monotonic()
                self._loss = self._learner.learn(samples)
                now = time.monotonic()
                waited, worked = waited + ready - began, worked + now - ready
                self._after_step(
                    sum(len(s.state) for s in samples), now - began, waited / (waited + worked)
                )
        self._save(LAST)
        if self._log is not None:
            self._log.close()
        return Outcome(
            self._run,
            self._learner.step,
            self._loss,
            self._best,
            self._learner.step >= train.steps,
            waited / max(1e-9, waited + worked),
        )

    def _after_step(self, samples: int, seconds: float, waiting: float) -> None:
        train, step = self._learner.settings.train, self._learner.step
        rate = self._processes * samples / max(seconds, 1e-9)
        figures = {"loss": self._loss, "samples_per_second": rate}
        if step % train.validate_every == 0 or step == train.steps:
            if self._held is not None:
                seen = self._learner.validate(self._held)
                figures |= {f"validation_{k}": v for k, v in seen.items()}
            value = figures.get("validation_error", self._loss)
            if value <= self._best:
                self._best = value
                self._save(BEST)
        tried = self._rollouts
        if tried is not None and (step % tried.every == 0 or step == train.steps):
            self._save(LAST)
            if self._rank == 0:
                figures["success"] = tried.run(find_checkpoint(self._run / CHECKPOINTS / LAST))
        if self._log is not None:
            self._log.note(step, figures)
        self._told(Progress(step, train.steps, self._loss, rate, waiting))
        if time.monotonic() - self._saved > train.save_seconds:
            self._save(LAST)

    def _save(self, name: str) -> None:
        if self._rank == 0:
            value = None if not np.isfinite(self._best) else float(self._best)
            record = self._record.model_copy(
                update={"step": self._learner.step, "validation": value}
            )
            resumed = self._learner.resumed() if name == LAST else None
            save_checkpoint(self._run, name, self._learner.average, record, resumed)
        if name == LAST:
            self._saved = time.monotonic()


@contextlib.contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; a second one ends the program at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not in the main thread
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device cuda: there is no GPU that PyTorch can use; take cpu")
    return torch.device(name)


def _check_folder(run: Path, settings: Settings) -> None:
    """A run goes on with the settings it began with, but for `MAY_CHANGE`."""
    file = run / SETTINGS_FILE
    if not file.exists():
        if run.is_dir() and any(run.iterdir()):
            raise TrainingError(f"{run} is not empty and holds no training; name another folder")
        return
    try:
        before = yaml.safe_load(file.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        before = None
    if not isinstance(before, dict):
        raise TrainingError(f"{file} is damaged; name another folder, or remove this one")
    now = settings.model_dump(mode="json")
    changed = [*_differences(before, now)]
    changed = [name for name in changed if name not in MAY_CHANGE]
    if changed:
        raise TrainingError(
            f"{run} holds a training with other settings ({', '.join(changed[:4])}); "
            "name another folder, or leave them as they are"
        )


def _differences(a: object, b: object, before: str = "") -> Iterator[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a} | {*b}):
            yield from _differences(a.get(key), b.get(key), f"{before}{key}.")
    elif a != b:
        yield before.rstrip(".")


def _check_domains(demonstrations: Sequence[Demonstration], settings: Settings) -> None:
    unknown = sorted({d.domain for d in demonstrations} - {*settings.model.domains})
    if unknown:
        known = ",".join((*settings.model.domains, *unknown))
        raise DataError(
            f"there are episodes of the domain {', '.join(unknown)}, which the policy has no stems "
            f"for; set model.domains=[{known}]"
        )


def _check_batch(
    demonstrations: Sequence[Demonstration], settings: Settings, processes: int
) -> None:
    domains = len({d.domain for d in demonstrations})
    if settings.train.batch < domains * processes:
        raise TrainingError(
            f"train.batch {settings.train.batch} is less than one sample for each of {domains} "
            f"domains and {processes} processes; set it to {domains * processes} at least"
        )


def _record(
    settings: Settings, windows: Windows, language: str, software: Mapping[str, str]
) -> PolicyRecord:
    demonstrations = windows.demonstrations
    return PolicyRecord(
        settings=settings,
        state=scale_record(windows.normaliser.state),
        action=scale_record(windows.normaliser.action),
        tasks={d.task: d.instruction for d in demonstrations},
        durations=_longest(demonstrations),
        slowest=slowest_chunk(demonstrations, settings.action.horizon),
        instances=tuple(sorted({d.instance for d in demonstrations})),
        step=0,
        language=language if settings.model.language != "none" else "",
        clouds=cloud_statistics(demonstrations),
        cameras={d.domain: dict(d.camera_poses) for d in demonstrations if d.camera_poses},
        software=dict(software),
    )


def _longest(demonstrations: Sequence[Demonstration]) -> dict[str, float]:
    longest: dict[str, float] = {}
    for d in demonstrations:
        longest[d.task] = max(longest.get(d.task, 0.0), d.duration)
    return longest
