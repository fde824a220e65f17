"""What frames are put together from: the streams, and what every way of doing it has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.frame import Bytes, Depths, Frame, Points
from gensim2_episodes.frame_builder import JointReading, SceneTruth, build_frame
from gensim2_episodes.manifest import RecordingReport

JOINT_STATES = "joint_states"
REFERENCE = "controller_state"
GRIPPER = "gripper_command"
POINTS = "points"
SCENE = "scene"
IMAGE_PREFIX, DEPTH_PREFIX = "image ", "depth "


@dataclass(frozen=True)
class RecorderConfig:
    """What belongs to a frame.

    Attributes:
        period_ns: Observation period [ns].
        cloud: Whether the fused cloud is recorded.
        cameras: Cameras whose images are recorded.
        depths: Whether their depth is recorded too.
        truth: Whether the true state of the objects is recorded.
        tolerance_ns: How far a sample's stamp may be off the tick [ns]. Simulated stamps are exact.
        max_pending: Ticks kept waiting for a stream; beyond that the oldest are given up.
        paced: Whether frames have the stamps of the cloud or camera instead of those of ticks; see
            `paced`.
    """

    period_ns: int
    cloud: bool = True
    cameras: tuple[str, ...] = ()
    depths: bool = False
    truth: bool = True
    tolerance_ns: int = 100_000
    max_pending: int = 50
    paced: bool = False

    def __post_init__(self) -> None:
        if self.period_ns <= 0 or not 0 <= 2 * self.tolerance_ns < self.period_ns:
            raise ValueError(
                f"need a positive period and a tolerance below half of it, got period_ns="
                f"{self.period_ns}, tolerance_ns={self.tolerance_ns}"
            )

    @property
    def depth_cameras(self) -> tuple[str, ...]:
        """Cameras whose depth is recorded."""
        return self.cameras if self.depths else ()

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams a frame needs."""
        return (
            JOINT_STATES,
            REFERENCE,
            GRIPPER,
            *((POINTS,) if self.cloud else ()),
            *(IMAGE_PREFIX + camera for camera in self.cameras),
            *(DEPTH_PREFIX + camera for camera in self.depth_cameras),
            *((SCENE,) if self.truth else ()),
        )


class Assembler(ABC):
    """Collects samples and gives out complete frames in order. Not thread safe."""

    def __init__(self, config: RecorderConfig, kinematics: Fr3Kinematics, start_ns: int) -> None:
        """Begins an episode.

        Args:
            config: What belongs to a frame.
            kinematics: Of the robot.
            start_ns: Samples before this stamp belong to what was before, and are ignored.
        """
        self._config = config
        self._kinematics = kinematics
        self._start_ns = start_ns
        self._points: int | None = None
        self._frames = 0
        self._missing: Counter[str] = Counter()
        self._leading = self._dropped = self._gap = self._late = 0

    def add_joints(self, stamp_ns: int, measured: JointReading) -> None:
        """Takes a measurement of all nine joints."""
        self._add(JOINT_STATES, stamp_ns, measured)

    def add_reference(self, stamp_ns: int, reference: JointReading) -> None:
        """Takes the commanded state of the seven arm joints."""
        self._add(REFERENCE, stamp_ns, reference)

    def add_gripper_reference(
        self, stamp_ns: int, position: float, effort: float | None = None
    ) -> None:
        """Takes the commanded finger joint position [m], and the largest force [N] if known."""
        self._add(GRIPPER, stamp_ns, (position, effort))

    def add_cloud(self, stamp_ns: int, xyz: Points, rgb: Bytes) -> None:
        """Takes the fused cloud: (N, 3) points in base [m] and colours.

        N must stay the same; a cloud of another size, such as an empty one, counts as missing.
        """
        if not len(xyz) or len(xyz) != (self._points or len(xyz)):
            self._pass(POINTS, stamp_ns)
        elif self._add(POINTS, stamp_ns, (xyz, rgb)):
            self._points = len(xyz)

    def add_image(self, camera: str, stamp_ns: int, image: Bytes) -> None:
        """Takes an image: (H, W, 3) RGB."""
        self._add(IMAGE_PREFIX + camera, stamp_ns, image)

    def add_depth(self, camera: str, stamp_ns: int, depth: Depths) -> None:
        """Takes a depth image aligned with the colours: (H, W) in mm, 0 = not measured."""
        self._add(DEPTH_PREFIX + camera, stamp_ns, depth)

    def add_scene(self, stamp_ns: int, truth: SceneTruth) -> None:
        """Takes the true state of the objects."""
        self._add(SCENE, stamp_ns, truth)

    @property
    @abstractmethod
    def done_ns(self) -> int:
        """Everything up to this stamp [ns] has become a frame, or was given up."""

    @abstractmethod
    def last_ns(self, end_ns: int) -> int:
        """What `done_ns` must be [ns] before an episode can end that ends at a stamp."""

    @abstractmethod
    def lacking(self) -> list[str]:
        """Streams the next frame waits for."""

    @abstractmethod
    def take(self) -> Iterator[Frame]:
        """Gives out the frames that have become complete, oldest first.

        Raises:
            ValueError: A stream says something that cannot be used, such as a missing joint.
        """

    @abstractmethod
    def report(self, end_ns: int) -> RecordingReport:
        """What was missed.

        Args:
            end_ns: End of the episode [ns]; what was due before it and has not come is missing.
        """

    @abstractmethod
    def _add(self, stream: str, stamp_ns: int, sample: object) -> bool:
        """Takes a sample; tells whether it is of any use."""

    @abstractmethod
    def _pass(self, stream: str, stamp_ns: int) -> None:
        """Notes that a stream has come to a stamp without a sample of use."""

    def _frame(self, stamp_ns: int, samples: Mapping[str, Any]) -> Frame:
        """Builds the next frame, and counts what was missing before it."""
        config = self._config
        gripper_ref, gripper_effort = samples[GRIPPER]
        frame = build_frame(
            stamp_ns,
            samples[JOINT_STATES],
            samples[REFERENCE],
            gripper_ref,
            self._kinematics,
            gripper_effort=gripper_effort,
            cloud=samples.get(POINTS),
            images={camera: samples[IMAGE_PREFIX + camera] for camera in config.cameras},
            depths={camera: samples[DEPTH_PREFIX + camera] for camera in config.depth_cameras},
            truth=samples.get(SCENE),
        )
        if self._frames:
            self._dropped += self._gap
        else:
            self._leading = self._gap
        self._gap = 0
        self._frames += 1
        return frame
