"""Puts frames together from streams that arrive separately, by their stamps.

A frame belongs to a tick: a multiple of the observation period on the ROS clock. Every stream that
is needed must have a sample *of that tick*; nothing older is ever filled in. Samples within a
stream arrive in order, so a tick is given up once every stream that lacks it has moved on, and
what was missing is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.frame import Bytes, Frame, Points
from gensim2_episodes.frame_builder import JointReading, SceneTruth, build_frame
from gensim2_episodes.manifest import RecordingReport

JOINT_STATES = "joint_states"
REFERENCE = "controller_state"
GRIPPER = "gripper_command"
POINTS = "points"
SCENE = "scene"
IMAGE_PREFIX = "image "


@dataclass(frozen=True)
class RecorderConfig:
    """What belongs to a frame.

    Attributes:
        period_ns: Observation period [ns].
        cloud: Whether the fused cloud is recorded.
        cameras: Cameras whose images are recorded.
        truth: Whether the true state of the objects is recorded.
        tolerance_ns: How far a sample's stamp may be off the tick [ns]. Simulated stamps are exact.
        max_pending: Ticks kept waiting for a stream; beyond that the oldest are given up.
    """

    period_ns: int
    cloud: bool = True
    cameras: tuple[str, ...] = ()
    truth: bool = True
    tolerance_ns: int = 100_000
    max_pending: int = 50

    def __post_init__(self) -> None:
        if self.period_ns <= 0 or not 0 <= 2 * self.tolerance_ns < self.period_ns:
            raise ValueError(
                f"need a positive period and a tolerance below half of it, got period_ns="
                f"{self.period_ns}, tolerance_ns={self.tolerance_ns}"
            )

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams a frame needs."""
        return (
            JOINT_STATES,
            REFERENCE,
            GRIPPER,
            *((POINTS,) if self.cloud else ()),
            *(IMAGE_PREFIX + camera for camera in self.cameras),
            *((SCENE,) if self.truth else ()),
        )


class FrameAssembler:
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
        self._next = -(-start_ns // config.period_ns)
        self._newest = dict.fromkeys(config.streams, start_ns - 1)
        self._pending: dict[int, dict[str, Any]] = {}
        self._points: int | None = None
        self._frames = 0
        self._given_up: set[int] = set()
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
            self._tick_of(POINTS, stamp_ns)
        elif self._add(POINTS, stamp_ns, (xyz, rgb)):
            self._points = len(xyz)

    def add_image(self, camera: str, stamp_ns: int, image: Bytes) -> None:
        """Takes an image: (H, W, 3) RGB."""
        self._add(IMAGE_PREFIX + camera, stamp_ns, image)

    def add_scene(self, stamp_ns: int, truth: SceneTruth) -> None:
        """Takes the true state of the objects."""
        self._add(SCENE, stamp_ns, truth)

    @property
    def done_ns(self) -> int:
        """Every tick up to this stamp [ns] has become a frame, or was given up."""
        return (self._next - 1) * self._config.period_ns

    def tick_ns(self, stamp_ns: int) -> int:
        """The last tick [ns] that is not later than a stamp."""
        period = self._config.period_ns
        return (stamp_ns + self._config.tolerance_ns) // period * period

    def last_ns(self, end_ns: int) -> int:
        """The last tick [ns] of an episode: a moment after it something still happened.

        Where time stands still at its end, on a tick, that tick is the next episode's to observe.
        """
        return self.tick_ns(end_ns - 2 * self._config.tolerance_ns - 1)

    def lacking(self) -> list[str]:
        """Streams the next frame waits for."""
        samples = self._pending.get(self._next, {})
        return [stream for stream in self._config.streams if stream not in samples]

    def take(self) -> Iterator[Frame]:
        """Gives out the frames that have become complete, oldest first.

        Raises:
            ValueError: A stream says something that cannot be used, such as a missing joint.
        """
        while True:
            lacking = self.lacking()
            if not lacking:
                frame = self._frame(self._pending.pop(self._next))
                self._next += 1
                yield frame
            elif self._moved_on(lacking) or len(self._pending) > self._config.max_pending:
                self._give_up(lacking)
            else:
                return

    def report(self, end_ns: int) -> RecordingReport:
        """What was missed.

        Args:
            end_ns: End of the episode [ns]; ticks before it that have not come are missing.
        """
        trailing = max(0, self.last_ns(end_ns) - self.done_ns) // self._config.period_ns
        if self._frames:
            trailing += self._gap
        missing = self._missing + Counter(dict.fromkeys(self.lacking() if trailing else (), 1))
        return RecordingReport(
            leading=self._leading if self._frames else self._gap,
            dropped=self._dropped,
            trailing=trailing,
            late=self._late,
            missing=dict(sorted(missing.items())),
        )

    def _add(self, stream: str, stamp_ns: int, sample: object) -> bool:
        tick = self._tick_of(stream, stamp_ns)
        if tick is None:
            return False
        self._pending.setdefault(tick, {})[stream] = sample
        return True

    def _tick_of(self, stream: str, stamp_ns: int) -> int | None:
        """Notes how far a stream is; returns the tick of the sample, None if it is of no use."""
        if stamp_ns < self._start_ns or stream not in self._newest:
            return None
        self._newest[stream] = max(self._newest[stream], stamp_ns)
        period = self._config.period_ns
        tick = (stamp_ns + period // 2) // period
        if abs(stamp_ns - tick * period) > self._config.tolerance_ns:
            return None
        if tick < self._next:
            # Repeats of a stored sample are normal: where time stands still, messages repeat.
            self._late += tick in self._given_up
            return None
        return tick

    def _moved_on(self, streams: list[str]) -> bool:
        end = self._next * self._config.period_ns + self._config.tolerance_ns
        return all(self._newest[stream] > end for stream in streams)

    def _give_up(self, lacking: list[str]) -> None:
        count = 1
        if self._next not in self._pending:
            # Nobody knows of this tick: go on at the first one that somebody knows of.
            behind = min(self.tick_ns(stamp) for stamp in self._newest.values())
            known = [behind // self._config.period_ns, *self._pending]
            count = max(1, min(known) - self._next)
        self._given_up.add(self._next)
        self._missing.update(dict.fromkeys(lacking, count))
        self._gap += count
        self._pending.pop(self._next, None)
        self._next += count

    def _frame(self, samples: dict[str, Any]) -> Frame:
        gripper_ref, gripper_effort = samples[GRIPPER]
        frame = build_frame(
            self._next * self._config.period_ns,
            samples[JOINT_STATES],
            samples[REFERENCE],
            gripper_ref,
            self._kinematics,
            gripper_effort=gripper_effort,
            cloud=samples.get(POINTS),
            images={camera: samples[IMAGE_PREFIX + camera] for camera in self._config.cameras},
            truth=samples.get(SCENE),
        )
        if self._frames:
            self._dropped += self._gap
        else:
            self._leading = self._gap
        self._gap = 0
        self._frames += 1
        return frame
