"""What a collection asks for, what became of each attempt, and what it needs of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from gensim2_tasks.failure import FailureKind

from gensim2_episodes.manifest import CameraRecord, JsonObject, Outcome
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene
from gensim2_episodes.writer import EpisodeWriter

_SEEDS = 2**64
Stopped = Callable[[], Exception | None]
"""Why waiting should end early, if it should."""


class ResultCode(IntEnum):
    """The error codes of CollectEpisodes."""

    NONE = 0
    INCOMPLETE = 1
    UNKNOWN_TASK = 2
    DATASET_ERROR = 3
    GRAPH_ERROR = 4
    CANCELED = 5
    INTERNAL = 99


class CollectionError(Exception):
    """The collection cannot go on."""

    code = ResultCode.INTERNAL


class UnknownTaskError(CollectionError):
    """The catalogue, the scene or the controller does not know a task."""

    code = ResultCode.UNKNOWN_TASK


class GraphError(CollectionError):
    """A node that is needed does not answer; the text names it."""

    code = ResultCode.GRAPH_ERROR


class NoAnswerError(GraphError):
    """Something has not happened in time; asking again may help."""


class CanceledError(CollectionError):
    """The collection was cancelled."""

    code = ResultCode.CANCELED


class TaskImpossibleError(Exception):
    """This task cannot be collected as asked, for example with this asset; others may."""


@dataclass(frozen=True)
class CollectRequest:
    """What to collect.

    Attributes:
        tasks: Task names.
        asset: Asset reference or id; empty = drawn by seed.
        episodes: Successes wanted per task.
        max_attempts: Per task; 0 = three times the episodes, and five.
        seed: Of the first attempt, see `attempt_seed`.
        randomize: False = default pose and openness.
        keep_failures: Whether failed attempts are stored too.
        dataset: Folder.
        controller: Node name of the ExecuteTask server.
    """

    tasks: tuple[str, ...]
    asset: str = ""
    episodes: int = 1
    max_attempts: int = 0
    seed: int = 0
    randomize: bool = True
    keep_failures: bool = False
    dataset: str = ""
    controller: str = "kpam_expert"

    @property
    def attempts_allowed(self) -> int:
        """Attempts per task."""
        return self.max_attempts or 3 * self.episodes + 5


def attempt_seed(seed: int, attempt: int) -> int:
    """Seed of an attempt: the base seed plus the number of attempts before it, modulo 2**64.

    So the first attempt uses the base seed itself, any attempt can be repeated alone by giving its
    seed, and a collection that is cut short or made longer sees the same scenes in the same order.

    Args:
        seed: Base seed.
        attempt: From 1, counted per task.
    """
    return (seed + attempt - 1) % _SEEDS


def whole_ns(duration: float) -> float:
    """A difference of two times [s] in whole ns, so that it does not depend on when they were."""
    return round(duration, 9)


@dataclass(frozen=True)
class Attempt:
    """What became of one attempt; the fields of gensim2_msgs/EpisodeSummary."""

    task: str
    index: int
    requested: int
    attempt: int
    seed: int
    asset: str = ""
    outcome: Outcome = Outcome.INTERNAL
    reason: str = ""
    failure: FailureKind | None = None
    retries: int = 0
    episode_id: str = ""
    wall_time: float = 0.0
    sim_time: float = 0.0
    plan_time: float = 0.0
    approach_disturbance: float = 0.0
    frames: int = 0

    @property
    def success(self) -> bool:
        """Whether the task was achieved and recorded."""
        return self.outcome is Outcome.SUCCESS


@dataclass(frozen=True)
class CollectResult:
    """How a collection ended."""

    attempts: tuple[Attempt, ...]
    code: ResultCode
    text: str = ""
    cause: Exception | None = None
    """The unexpected error behind INTERNAL."""


@dataclass(frozen=True)
class ResetReply:
    """Answer to a reset.

    Attributes:
        scene: The new scene; None = it could not be built.
        parameters: Everything that was drawn.
        text: Why there is no scene.
    """

    scene: Scene | None
    parameters: JsonObject = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True)
class ExecuteReply:
    """How a controller ended.

    Attributes:
        failure: None = it reports no error.
        text: Reason of the failure.
        kind: Kind of what went wrong last, as far as the controller knows.
        retries: Tries beyond the first of each sub-task.
        end_ns: ROS time [ns] when the result arrived.
        plan_time: CPU time of planning [s].
        execution_time: ROS time [s].
        actuation_time: ROS time [s] from the start of the goal; None = not reached.
        actuation_ns: The same as a stamp [ns].
        report: The planner's report.
    """

    failure: Outcome | None
    text: str
    end_ns: int
    plan_time: float = 0.0
    execution_time: float = 0.0
    actuation_time: float | None = None
    actuation_ns: int | None = None
    report: JsonObject = field(default_factory=dict)
    kind: FailureKind | None = None
    retries: int = 0


class Graph(Protocol):
    """What the manager needs of the graph. Every method waits only for a bounded time.

    All raise `GraphError` where a node does not answer, and what `stopped` returns where it
    returns something.
    """

    def ready(self, stopped: Stopped) -> None:
        """Waits until everything that is recorded has somebody who publishes it."""

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        """Builds the scene anew.

        Raises:
            UnknownTaskError: The scene does not know the task.
            TaskImpossibleError: The asset does not exist, or is of no use for the task.
        """

    def execute(
        self, controller: str, task: str, instruction: str, start_ns: int, stopped: Stopped
    ) -> ExecuteReply:
        """Lets a controller perform the task. If stopped, cancels it and waits for its end.

        Args:
            controller: Its name.
            task: Name of the task.
            instruction: The same in words.
            start_ns: ROS time [ns] of the scene that was built for it; older ones are those of
                the attempt before.
            stopped: The reason to end, if there is one.

        Raises:
            UnknownTaskError: The controller does not know the task.
        """

    def scene_at(self, reset_count: int, stamp_ns: int, stopped: Stopped) -> Scene:
        """The state of the scene at the end of an execution, never an older one."""

    def verdict(self, scene: Scene, stopped: Stopped) -> Scene:
        """Waits until a person has said whether a scene that is undecided is a success.

        Returns:
            The state of the scene that says so.
        """

    def history(self, reset_count: int) -> list[Scene]:
        """Every state of this scene that was heard."""

    def cameras(self) -> Mapping[str, CameraRecord]:
        """The cameras that were heard."""

    def record(self, writer: EpisodeWriter, scene: Scene) -> Recording:
        """Starts recording into a new episode."""

    def first_observation(self, recording: Recording, stopped: Stopped) -> list[str]:
        """Waits for the first frame.

        Returns:
            What is lacking for it; empty if it is there.
        """
