"""Verifies a candidate by execution: reset, plan and physics over several scenes, and controls.

The same modules as on the graph, called directly; nothing is rendered. A candidate is accepted
where the expert succeeds in enough of the scenes, the success still holds after everything has
come to rest, and neither doing nothing nor moving at random ever achieves it.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from gensim2_control.body import Body
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.batch import BatchCell, run_control
from gensim2_kpam.expert import perform
from gensim2_kpam.performance import ExpertCode, Performance
from gensim2_kpam.planner import Planner
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.failure import FailureKind
from gensim2_tasks.monitor import TaskMonitor

from gensim2_episodes import batch

from .candidate import Candidate
from .judging import VerifyConfig
from .verdict import EXPERT, IDLE, RANDOM, Measured, Trial, Verdict

OBSERVATION_STEPS = 20
SETTLE = 2.0  # s of doing nothing after a success, in which it must last
REASONS = 3  # of failed episodes that a reason quotes
LONGEST = 400  # characters of one of them


class Laboratory:
    """Runs candidates in this process.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from.
        config: How a candidate is judged.
    """

    def __init__(
        self, urdf: str, library: AssetLibrary, config: VerifyConfig | None = None
    ) -> None:
        self._config = config or VerifyConfig()
        world = World(urdf, WorldConfig(render=False))
        body = Body(SapienHardware(world))
        self._simulation = Simulation(world, body, library, OBSERVATION_STEPS)
        self._planner = Planner(urdf)
        self._kinematics = Fr3Kinematics.from_urdf(urdf)

    def verify(self, candidate: Candidate) -> Verdict:
        """See `Verifier`."""
        began, config = time.monotonic(), self._config
        trials: list[Trial] = []

        def verdict(stage: str, reason: str) -> Verdict:
            return Verdict(not stage, stage, reason, tuple(trials), time.monotonic() - began)

        with _Solvers(candidate) as folder:
            planner = TaskPlanner(self._planner, folder)
            # What costs least and rejects most comes first.
            for number in range(config.episodes):
                trials.append(self._run(candidate, planner, EXPERT, config.seed + number))
                lost = [t for t in trials if t.actor == EXPERT and not (t.success and t.held)]
                if number == 0:
                    trials.append(self._run(candidate, planner, IDLE, config.seed))
                    if trials[-1].success:
                        return verdict("control", "it is a success although nobody does anything")
                if len(lost) > config.spare:
                    return verdict(*_blame(lost, number + 1))
            for actor in (IDLE, RANDOM):
                for number in range(actor == IDLE, config.controls):
                    trials.append(self._run(candidate, planner, actor, config.seed + number))
                    if trials[-1].success:
                        how = "doing nothing" if actor == IDLE else "moving at random"
                        return verdict("control", f"{how} achieves it (seed {trials[-1].seed})")
        return verdict("", "")

    def _run(self, candidate: Candidate, planner: TaskPlanner, actor: str, seed: int) -> Trial:
        """One episode."""
        began, simulation, task = time.process_time(), self._simulation, candidate.task
        try:
            simulation.reset(task, "", seed, True)
        except ResetError as error:
            cpu = time.process_time() - began
            return Trial(actor, seed, "", False, False, "scene", str(error), cpu_time=cpu)
        world, monitor = simulation.world, simulation.monitor
        assert isinstance(monitor, TaskMonitor)
        begun, ever = world.t, False

        def moved() -> None:
            nonlocal ever
            ever = ever or monitor.succeeded

        cell = BatchCell(simulation, planner, seed, moved=moved)
        if actor == EXPERT:
            performance = perform(task, cell, cell.progress)
            success = performance.code is ExpertCode.NONE and monitor.succeeded
            held = success and self._holds(cell, monitor)
        else:
            performance = None
            controller = batch.IDLE if actor == IDLE else batch.RANDOM
            run_control(controller, cell, self._kinematics, lambda: ever)
            # What nobody wanted must not happen, even if it does not last.
            success = held = ever
        measured = tuple(
            Measured(e.name, float(e.value), float(e.threshold), e.satisfied)
            for e in monitor.evaluations
        )
        failure, reason, subtask = _why(performance, success, held, measured)
        return Trial(
            actor=actor,
            seed=seed,
            asset=str(world.objects[0].asset.ref),
            success=success,
            held=held,
            failure=failure,
            reason=reason[:LONGEST],
            subtask=subtask,
            measured=measured,
            sim_time=world.t - begun,
            cpu_time=time.process_time() - began,
        )

    def _holds(self, cell: BatchCell, monitor: TaskMonitor) -> bool:
        end = cell.now() + SETTLE
        while cell.now() < end:
            cell.tick()
        return monitor.succeeded


class _Solvers(AbstractContextManager[Path]):
    """A folder with the own solver configurations of a candidate."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="gensim2-candidate-")
        root = Path(self._folder.name)
        for name, text in self._candidate.files().items():
            if name.startswith("solvers/"):
                (root / Path(name).name).write_text(text, encoding="utf-8")
        return root

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._folder is not None
        self._folder.cleanup()


def _why(
    performance: Performance | None, success: bool, held: bool, measured: tuple[Measured, ...]
) -> tuple[str, str, str]:
    """Kind of a failure, the reason in words, and the sub-task; empty after a success."""
    if performance is None or (success and held):
        return "", "", ""
    values = ", ".join(
        f"{m.name}: {m.value:.3f} (threshold {m.threshold:g})" for m in measured if not m.satisfied
    )
    if success:
        text = f"it did not last for {SETTLE:g} s: {values or 'it went on and off'}"
        return str(FailureKind.NOT_ACHIEVED), text, ""
    failed = [t for t in performance.tries if t.failure is not None]
    kind = str(performance.failure or FailureKind.NOT_ACHIEVED)
    subtask = failed[-1].subtask if failed else ""
    words = performance.text or (failed[-1].text if failed else "") or "it was not achieved"
    return kind, f"{words}; {values}" if values else words, subtask


def _blame(lost: list[Trial], of: int) -> tuple[str, str]:
    """Stage and reason of a rejection."""
    if all(t.failure == "scene" for t in lost):
        stage = "start"
    else:
        stage = "settle" if all(t.success for t in lost) else "execute"
    told = "; ".join(
        f"seed {t.seed}: {t.subtask + ': ' if t.subtask else ''}{t.failure}: {t.reason}"
        for t in lost[:REASONS]
    )
    return stage, f"{len(lost)} of {of} episodes failed: {told}"
