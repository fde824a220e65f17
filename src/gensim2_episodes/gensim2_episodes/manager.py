"""Collects demonstrations: reset, run a controller, judge, store or discard, and again.

An attempt is a success if the controller reports no error, the success predicates of the task hold
and have held for their dwell time at the end, and every observation was recorded. Anything else is
a failure with a name and a reason. Nothing here knows about ROS: the graph is behind `Graph`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gensim2_tasks.catalogue import TaskError, load_task
from gensim2_tasks.failure import FailureKind
from pydantic import JsonValue

from gensim2_episodes.attempts import (
    Attempt,
    CollectionError,
    CollectRequest,
    CollectResult,
    ExecuteReply,
    Graph,
    GraphError,
    ResetReply,
    ResultCode,
    Stopped,
    TaskImpossibleError,
    UnknownTaskError,
    attempt_seed,
)
from gensim2_episodes.errors import StoreError
from gensim2_episodes.manifest import (
    EpisodeRecord,
    JsonObject,
    Outcome,
    Rates,
    RecordingReport,
    SoftwareRecord,
    Timings,
)
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene, approach_disturbance
from gensim2_episodes.store import EpisodeStore

_RESETS = 3
"""Scenes that may be tried until an observation arrives."""


@dataclass(frozen=True)
class TaskDocument:
    """What a manifest says of a task."""

    instruction: str
    spec: dict[str, JsonValue]


def catalogue_task(name: str) -> TaskDocument:
    """Looks a task up in the catalogue.

    Raises:
        UnknownTaskError: It is not there.
    """
    try:
        task = load_task(name)
    except TaskError as error:
        raise UnknownTaskError(str(error)) from error
    return TaskDocument(task.instruction, task.model_dump(mode="json"))


@dataclass(frozen=True)
class ManagerConfig:
    """Settings.

    Attributes:
        rates: For the manifest.
        recording_timeout: Longest wait for the last observation [s, wall clock].
        max_lost: Observations that may be missing from a successful episode.
    """

    rates: Rates
    recording_timeout: float = 10.0
    max_lost: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a collection stands.

    Attributes:
        stage: "reset", "run", "judge", "verdict" or "store".
        last: The attempt that has just ended, or None.
        collected: Successes so far, over all tasks.
        requested: Successes wanted, over all tasks.
        task: The present one.
    """

    stage: str
    last: Attempt | None
    collected: int
    requested: int
    task: str = ""


class Collection:
    """One collection from its request to its result."""

    def __init__(
        self,
        request: CollectRequest,
        graph: Graph,
        config: ManagerConfig,
        *,
        software: SoftwareRecord,
        stopped: Stopped = lambda: None,
        feedback: Callable[[Progress], None] = lambda progress: None,
        tasks: Callable[[str], TaskDocument] = catalogue_task,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares a collection.

        Args:
            request: What to collect.
            graph: The nodes.
            config: Settings.
            software: For the manifests.
            stopped: Why to end early, if so; asked again and again.
            feedback: Told about every stage and every attempt.
            tasks: The catalogue.
            clock: Wall clock [s].
        """
        self._request = request
        self._graph = graph
        self._config = config
        self._software = software
        self._stopped = stopped
        self._feedback = feedback
        self._tasks = tasks
        self._clock = clock
        self._attempts: list[Attempt] = []
        self._problems: list[str] = []
        self._task = ""

    def run(self) -> CollectResult:
        """Collects until every episode is there, attempts run out, or something breaks.

        Episodes that were stored stay, however it ends. Errors become the code of the result.
        """
        try:
            documents = {task: self._tasks(task) for task in self._request.tasks}
            if not documents or self._request.episodes < 1:
                raise UnknownTaskError("nothing to do: name at least one task and one episode")
            store = EpisodeStore(self._request.dataset, create=True, software=self._software)
            for task, document in documents.items():
                self._collect_task(store, task, document)
        except CollectionError as error:
            return self._result(error.code, str(error))
        except StoreError as error:
            return self._result(ResultCode.DATASET_ERROR, str(error))
        except Exception as error:  # The episodes so far must be reported, whatever happened.
            text = f"unexpected {type(error).__name__}: {error}"
            return replace(self._result(ResultCode.INTERNAL, text), cause=error)
        if self._problems:
            return self._result(ResultCode.INCOMPLETE, "; ".join(self._problems))
        return self._result(ResultCode.NONE, "")

    def _result(self, code: ResultCode, text: str) -> CollectResult:
        return CollectResult(tuple(self._attempts), code, text)

    def _collect_task(self, store: EpisodeStore, task: str, document: TaskDocument) -> None:
        wanted, collected, self._task = self._request.episodes, 0, task
        for number in range(1, self._request.attempts_allowed + 1):
            if collected == wanted:
                return
            attempt = Attempt(
                task=task,
                index=collected + 1,
                requested=wanted,
                attempt=number,
                seed=attempt_seed(self._request.seed, number),
            )
            try:
                ended = self._attempt(store, attempt, document)
            except TaskImpossibleError as error:
                self._problems.append(f"{task}: {error}")
                return
            self._attempts.append(ended)
            collected += ended.success
            self._tell("store", ended)
        if collected < wanted:
            self._problems.append(
                f"{task}: {collected} of {wanted} episodes after "
                f"{self._request.attempts_allowed} attempts"
            )

    def _tell(self, stage: str, last: Attempt | None = None) -> None:
        if error := self._stopped():
            raise error
        collected = sum(attempt.success for attempt in self._attempts)
        requested = len(self._request.tasks) * self._request.episodes
        self._feedback(Progress(stage, last, collected, requested, self._task))

    def _attempt(self, store: EpisodeStore, attempt: Attempt, document: TaskDocument) -> Attempt:
        started = self._clock()
        for _ in range(_RESETS):
            self._tell("reset")
            self._graph.ready(self._stopped)
            reset = self._graph.reset(
                attempt.task,
                self._request.asset,
                attempt.seed,
                self._request.randomize,
                self._stopped,
            )
            if reset.scene is None:
                wall = self._clock() - started
                return replace(
                    attempt, outcome=Outcome.SCENE_FAILED, reason=reset.text, wall_time=wall
                )
            with store.writer(attempt.task) as writer:
                recording = self._graph.record(writer, reset.scene)
                try:
                    lacking = self._graph.first_observation(recording, self._stopped)
                    if recording.error is not None:
                        raise _unusable(recording.error)
                    if not lacking:
                        run = self._run(attempt, document, reset, reset.scene, recording)
                        return self._end(attempt, document, run, recording, started)
                finally:
                    recording.discard()
        # The first observation after the start of the graph may be lost while nodes are finding
        # each other; after several scenes it is something else.
        raise GraphError(
            f"no complete observation after {_RESETS} resets; lacking: {', '.join(lacking)}"
        )

    def _run(
        self,
        attempt: Attempt,
        document: TaskDocument,
        reset: ResetReply,
        start: Scene,
        recording: Recording,
    ) -> _Run:
        def stopped() -> Exception | None:
            # Once the disk is full there is no point in going on to the end.
            full = isinstance(recording.error, StoreError)
            return self._stopped() or (recording.error if full else None)

        self._tell("run")
        controller, words = self._request.controller, document.instruction
        reply = self._graph.execute(controller, attempt.task, words, start.stamp_ns, stopped)
        self._tell("judge")
        end = self._graph.scene_at(start.reset_count, reply.end_ns, stopped)
        try:
            report = recording.finish(end.stamp_ns, self._config.recording_timeout, stopped)
            broken = _lost(report, recording, self._config.max_lost)
        except ValueError as error:
            report, broken = RecordingReport(), str(error)
        if end.undecided and reply.failure is None:
            self._tell("verdict")
            end = replace(self._graph.verdict(end, stopped), stamp_ns=end.stamp_ns)
        disturbance = approach_disturbance(
            start, self._graph.history(start.reset_count), reply.actuation_ns
        )
        outcome, reason = _judge(reply, end, broken)
        return _Run(reset, start, end, reply, report, outcome, reason, disturbance)

    def _end(
        self,
        attempt: Attempt,
        document: TaskDocument,
        run: _Run,
        recording: Recording,
        started: float,
    ) -> Attempt:
        self._tell("store")
        ended = replace(
            attempt,
            asset=", ".join(thing.asset for thing in run.start.objects),
            outcome=run.outcome,
            reason=run.reason,
            failure=_failure(run.outcome, run.reply),
            retries=run.reply.retries,
            wall_time=self._clock() - started,
            sim_time=(run.end.stamp_ns - run.start.stamp_ns) * 1e-9,
            plan_time=run.reply.plan_time,
            approach_disturbance=run.disturbance or 0.0,
            frames=recording.frames,
        )
        if recording.frames and (ended.success or self._request.keep_failures):
            manifest = recording.commit(self._record(ended, document, run))
            ended = replace(ended, episode_id=manifest.episode_id)
        return replace(ended, wall_time=self._clock() - started)

    def _record(self, ended: Attempt, document: TaskDocument, run: _Run) -> EpisodeRecord:
        reply = run.reply
        return EpisodeRecord(
            task=ended.task,
            instruction=document.instruction,
            task_spec=document.spec,
            seed=ended.seed,
            attempt=ended.attempt,
            randomize=self._request.randomize,
            controller=self._request.controller,
            scene=run.start.record(run.reset.parameters),
            cameras=dict(self._graph.cameras()),
            rates=_rates(self._config.rates, run.reset.parameters),
            software=self._software,
            outcome=ended.outcome,
            reason=ended.reason,
            failure=ended.failure,
            retries=ended.retries,
            timings=Timings(
                plan_cpu=reply.plan_time,
                sim=ended.sim_time,
                wall=ended.wall_time,
                execution=reply.execution_time,
                actuation=reply.actuation_time,
                actuation_stamp_ns=reply.actuation_ns,
            ),
            approach_disturbance=run.disturbance,
            predicates=run.end.predicates,
            solver_report=reply.report,
            recording=run.report,
        )


@dataclass(frozen=True)
class _Run:
    reset: ResetReply
    start: Scene
    end: Scene
    reply: ExecuteReply
    report: RecordingReport
    outcome: Outcome
    reason: str
    disturbance: float | None


def _rates(own: Rates, parameters: JsonObject) -> Rates:
    """The rates, with what the scene says of its own under "rates": control, physics [Hz]."""
    told = parameters.get("rates")
    if not isinstance(told, dict):
        return own
    known = {key: told[key] for key in ("control", "physics") if isinstance(told.get(key), float)}
    return own.model_copy(update=known)


def _judge(reply: ExecuteReply, end: Scene, broken: str) -> tuple[Outcome, str]:
    if reply.failure is not None:
        return reply.failure, reply.text or "the controller gave no reason"
    if not end.succeeded:
        unmet = [
            f"{predicate.get('name')} is {predicate.get('value')}"
            for predicate in end.predicates
            if not predicate.get("satisfied")
        ]
        held = "the predicates hold, but not for long enough, or not every sub-task was achieved"
        return Outcome.NOT_ACHIEVED, "; ".join(unmet) or held
    if broken:
        return Outcome.RECORDING_INCOMPLETE, broken
    return Outcome.SUCCESS, ""


_FAILURES = {
    Outcome.PLAN_FAILED: FailureKind.NO_PLAN,
    Outcome.GOAL_REJECTED: FailureKind.STOPPED,
    Outcome.EXECUTION_FAILED: FailureKind.STOPPED,
    Outcome.SENSOR_STALE: FailureKind.NO_NEWS,
    Outcome.TIMEOUT: FailureKind.TIMED_OUT,
    Outcome.NOT_ACHIEVED: FailureKind.NOT_ACHIEVED,
    Outcome.CANCELED: FailureKind.CANCELED,
    Outcome.INTERNAL: FailureKind.INTERNAL,
}


def _failure(outcome: Outcome, reply: ExecuteReply) -> FailureKind | None:
    """The kind of a failure: what the controller knows of it, or else what the outcome says."""
    kind = _FAILURES.get(outcome)
    return kind if kind is None else reply.kind or kind


def _unusable(error: Exception) -> Exception:
    """A disk that is full says so itself; a message that makes no sense is the graph's fault."""
    return error if isinstance(error, StoreError) else GraphError(f"cannot be recorded: {error}")


def _lost(report: RecordingReport, recording: Recording, allowed: int) -> str:
    """What is wrong with a recording; empty if nothing is."""
    if report.lost <= allowed:
        return ""
    streams = ", ".join(f"{name} {count}" for name, count in report.missing.items())
    return (
        f"{report.lost} of {report.lost + recording.frames} observations are missing; "
        f"without a sample: {streams}"
    )
