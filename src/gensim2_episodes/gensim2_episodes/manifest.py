"""The manifest of an episode and of a data set: typed, versioned, plain JSON on disk.

An `EpisodeRecord` is what a collector knows about an episode. The store adds what it knows
itself (identity, time of writing, the arrays) and so makes the `Manifest` that lies beside the
arrays. Both refuse unknown fields and non-finite numbers, so that an error shows up when an
episode is written and not when somebody trains on it.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from gensim2_tasks.failure import FailureKind
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    field_validator,
)

SCHEMA_NAME: Literal["gensim2_episodes"] = "gensim2_episodes"
SCHEMA_VERSION: Literal[1] = 1

Matrix4 = Annotated[tuple[float, ...], Field(min_length=16, max_length=16)]
"""A 4x4 homogeneous transform, row by row."""

Matrix3 = Annotated[tuple[float, ...], Field(min_length=9, max_length=9)]
"""A 3x3 matrix, row by row."""

Seed = Annotated[int, Field(ge=0, lt=2**64)]
Point = tuple[float, float, float]
JsonObject = dict[str, JsonValue]
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)

NOT_REPRODUCIBLE = (
    "episode_id",
    "created",
    "timings.plan_cpu",
    "timings.wall",
    "timings.actuation_stamp_ns",
)
"""What differs between two runs of the same episode: names, and what depends on the machine, on the
time of the day or on how long the simulation has run before."""


def json_object(text: str) -> JsonObject:
    """A JSON object; anything else is kept under the key "report"."""
    try:
        value = _JSON.validate_json(text) if text.strip() else {}
    except ValidationError:
        value = text
    return value if isinstance(value, dict) else {"report": value}


class Outcome(str, Enum):
    """What became of an attempt; everything but SUCCESS is a failure."""

    SUCCESS = "success"
    SCENE_FAILED = "scene_failed"
    PLAN_FAILED = "plan_failed"
    GOAL_REJECTED = "goal_rejected"
    EXECUTION_FAILED = "execution_failed"
    SENSOR_STALE = "sensor_stale"
    TIMEOUT = "timeout"
    NOT_ACHIEVED = "not_achieved"
    RECORDING_INCOMPLETE = "recording_incomplete"
    CANCELED = "canceled"
    INTERNAL = "internal"

    def __str__(self) -> str:
        return self.value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KeypointRecord(_Model):
    """A named point [m, in `base`]."""

    name: str
    position: Point


class ObjectRecord(_Model):
    """An object of the scene as it was right after the reset.

    Attributes:
        name: Name of the object in the task, for example "box".
        category: For example "box_rotate".
        asset: Asset reference, for example "procedural:box_rotate/17".
        licence: Licence of the asset; "unknown" where nobody said.
        pose: Root link in `base`: x y z [m], qx qy qz qw.
        joint_name: Empty for a rigid object.
        openness: 0 = closed, 1 = open.
        keypoints: Keypoints of the moving part in `base`.
    """

    name: str
    category: str
    asset: str
    licence: str = "unknown"
    pose: Annotated[tuple[float, ...], Field(min_length=7, max_length=7)]
    joint_name: str = ""
    openness: float = 0.0
    keypoints: tuple[KeypointRecord, ...] = ()


class SceneRecord(_Model):
    """The objects, and every parameter that was drawn for this scene."""

    objects: tuple[ObjectRecord, ...]
    parameters: JsonObject = Field(default_factory=dict)


class CameraRecord(_Model):
    """A pinhole camera.

    Attributes:
        width: Pixels.
        height: Pixels.
        intrinsics: The matrix K, row by row.
        distortion_model: As in sensor_msgs/CameraInfo.
        distortion: Coefficients of the distortion model.
        frame: Optical frame: z forward, x right, y down.
        parent: Frame the camera is mounted on: `base`, or a link of the robot.
        T_parent_cam: Optical frame in `parent`; None where no transform was heard.
    """

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    intrinsics: Matrix3
    distortion_model: str = ""
    distortion: tuple[float, ...] = ()
    frame: str = ""
    parent: str = ""
    T_parent_cam: Matrix4 | None = None


class Rates(_Model):
    """Rates [Hz]; None where it is not known.

    Attributes:
        observation: Of the frames of the episode.
        control: Of the body's control loop.
        physics: Of the simulator.
    """

    observation: Annotated[float, Field(gt=0)]
    control: float | None = None
    physics: float | None = None


class Timings(_Model):
    """Durations [s]; None where it does not apply.

    Attributes:
        plan_cpu: CPU time of planning.
        sim: ROS time from the reset to the judgement.
        wall: Wall clock of the whole attempt.
        execution: ROS time the controller reports for itself.
        actuation: ROS time from the start of the goal to the actuation pose.
        actuation_stamp_ns: ROS time at the actuation pose [ns].
    """

    plan_cpu: float | None = None
    sim: float | None = None
    wall: float | None = None
    execution: float | None = None
    actuation: float | None = None
    actuation_stamp_ns: int | None = None


class RecordingReport(_Model):
    """What the recorder did not get, in observation ticks.

    Attributes:
        leading: Ticks before the first frame that have no frame.
        dropped: Ticks between the first and the last frame that have no frame.
        trailing: Ticks after the last frame that have no frame.
        late: Samples that came after their tick had been given up.
        missing: Number of ticks without a frame that each stream had no sample for.
        paced_by: Stream whose stamps the frames have, about one per period, and to which all else
            was brought; empty = frames and samples are at the multiples of the period.
    """

    leading: Annotated[int, Field(ge=0)] = 0
    dropped: Annotated[int, Field(ge=0)] = 0
    trailing: Annotated[int, Field(ge=0)] = 0
    late: Annotated[int, Field(ge=0)] = 0
    missing: dict[str, int] = Field(default_factory=dict)
    paced_by: str = ""

    @property
    def lost(self) -> int:
        """Ticks of the episode without a frame."""
        return self.leading + self.dropped + self.trailing


class ArrayRecord(_Model):
    """An array of the episode; the first axis is time.

    Attributes:
        dtype: numpy name.
        shape: Shape of one frame.
        unit: Unit of the values.
        description: What it is, and in which frame.
        labels: Names along the last named axis, for example objects; empty where it has none.
    """

    dtype: str
    shape: tuple[int, ...]
    unit: str
    description: str
    labels: tuple[str, ...] = ()


class SoftwareRecord(_Model):
    """What wrote the episode: git commit ("unknown" outside a source tree) and versions."""

    git_commit: str = "unknown"
    versions: dict[str, str] = Field(default_factory=dict)


class EpisodeRecord(_Model):
    """Everything a collector knows about an episode.

    Attributes:
        task: Task name of the catalogue.
        instruction: Natural language.
        task_spec: The complete task document.
        seed: Of geometry, pose and openness of the scene.
        attempt: Attempts at this task so far in this collection, from 1.
        randomize: False = default pose and openness.
        controller: Who acted, for example "kpam_expert".
        scene: Objects and drawn parameters.
        cameras: By camera name.
        rates: See `Rates`.
        software: See `SoftwareRecord`.
        outcome: See `Outcome`.
        reason: One sentence; empty after success.
        failure: Kind of the failure; None after success, and where it is none of a controller.
        retries: Tries of the controller beyond the first of each sub-task.
        timings: See `Timings`.
        approach_disturbance: Largest change of openness before the actuation pose.
        predicates: Success predicates at the judgement.
        solver_report: The planner's report; of the kPAM expert a list of all tries at sub-tasks, of
            each the report and what became of it.
        recording: What was missed.
        note: What else a reader should know, such as what an importer could not find.
    """

    task: Annotated[str, Field(min_length=1)]
    instruction: str = ""
    task_spec: JsonObject = Field(default_factory=dict)
    seed: Seed
    attempt: Annotated[int, Field(ge=1)] = 1
    randomize: bool
    controller: str = ""
    scene: SceneRecord
    cameras: dict[str, CameraRecord] = Field(default_factory=dict)
    rates: Rates
    software: SoftwareRecord
    outcome: Outcome
    reason: str = ""
    failure: FailureKind | None = None
    retries: Annotated[int, Field(ge=0)] = 0
    timings: Timings = Timings()
    approach_disturbance: float | None = None
    predicates: tuple[JsonObject, ...] = ()
    solver_report: JsonObject = Field(default_factory=dict)
    recording: RecordingReport = RecordingReport()
    note: str = ""

    @field_validator("reason", "note")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())

    @property
    def success(self) -> bool:
        """Whether the task was achieved."""
        return self.outcome is Outcome.SUCCESS


class Manifest(EpisodeRecord):
    """An `EpisodeRecord` with what the store adds when it writes the episode.

    Attributes:
        schema_name: Constant.
        schema_version: Changes whenever a reader of the older version would misread.
        episode_id: Name of the episode's folder.
        created: UTC, ISO 8601.
        frames: Length of the time axis.
        arrays: By path, for example "observation/tcp_pose".
    """

    schema_name: Literal["gensim2_episodes"] = SCHEMA_NAME
    schema_version: Literal[1] = SCHEMA_VERSION
    episode_id: Annotated[str, Field(min_length=1)]
    created: str
    frames: Annotated[int, Field(ge=1)]
    arrays: dict[str, ArrayRecord]

    def record(self) -> EpisodeRecord:
        """What the collector knew, without what the store added."""
        return EpisodeRecord(**{name: getattr(self, name) for name in EpisodeRecord.model_fields})

    def reproducible(self) -> JsonObject:
        """What must be equal whenever the same episode is collected by the same software.

        Everything but `NOT_REPRODUCIBLE`.
        """
        content: JsonObject = self.model_dump(mode="json")
        for path in NOT_REPRODUCIBLE:
            *parents, name = path.split(".")
            part = content
            for parent in parents:
                inner = part[parent]
                assert isinstance(inner, dict)
                part = inner
            del part[name]
        return content


class DatasetRecord(_Model):
    """The data set's own file: which schema its episodes follow."""

    schema_name: str
    schema_version: int
    created: str
    software: SoftwareRecord
