"""From single images, joint states and transforms to a stream of fused clouds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .camera_poses import CameraPoses, Cause, LinkKinematics, PosePendingError, PoseUnavailableError
from .frame_assembly import FrameAssembler
from .frames import CameraFrame, PinholeIntrinsics
from .fusion import FusedCloud, Fusion
from .matching import Arrival, MatchedSet, StampMatcher
from .static_transforms import Transform


@dataclass(frozen=True)
class PipelineConfig:
    """How frames are matched and how long anything is waited for.

    Attributes:
        cameras: Names; their order is the order of points before sampling.
        max_spread_s: Largest difference of stamps within a cloud [s].
        camera_deadline_s: How long a cloud waits for a late camera [s], wall time.
        pose_deadline_s: How long it waits for joint state or calibration [s], wall time.
        max_age_s: Frames older, or further in the future, than this are never fused [s]; 0 = off.
        min_cameras: Clouds of fewer cameras are dropped.
        queue_depth: Frames kept per camera while they wait.
        jump_back_s: A stamp this far behind its predecessor means the clock was set back [s].
        newest_only: Of several sets that are ready only the newest is fused.
    """

    cameras: tuple[str, ...]
    max_spread_s: float = 0.05
    camera_deadline_s: float = 0.5
    pose_deadline_s: float = 0.5
    max_age_s: float = 0.0
    min_cameras: int = 1
    queue_depth: int = 16
    jump_back_s: float = 0.5
    newest_only: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.min_cameras <= len(self.cameras):
            raise ValueError(
                f"min_cameras is {self.min_cameras}, it must lie between 1 and the number of "
                f"cameras ({len(self.cameras)})"
            )


@dataclass
class CameraRecord:
    """What is known about one camera, for the diagnostics.

    Attributes:
        frames: Complete frames so far.
        last_stamp_ns: Stamp of the newest [ns], None before the first.
        missing: Why it is not in the newest cloud; empty if it is.
        last_error: Newest unreadable image or model, in words.
    """

    frames: int = 0
    last_stamp_ns: int | None = None
    missing: str = ""
    last_error: str = ""


@dataclass
class PipelineCounts:
    """What became of matched sets since the start."""

    clouds: int = 0
    partial: int = 0
    skipped: int = 0
    stale: int = 0
    future: int = 0
    too_few: int = 0


@dataclass
class _Waiting:
    matched: MatchedSet[CameraFrame]
    since_s: float
    reason: str = ""


@dataclass(frozen=True)
class PosedSet:
    """Frames of one instant with everything that is needed to fuse them.

    Attributes:
        frames: In the order of the cameras.
        T_base_optical: Pose of each at the stamp of its frame.
        missing: Cameras that are not among them, and why.
    """

    frames: list[CameraFrame] = field(default_factory=list)
    T_base_optical: dict[str, Transform] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class FusionPipeline:
    """Feeds `Fusion`: joins images, matches cameras, finds their poses, keeps the order.

    Give it everything that is heard, then call `run`; or `take`, `fuse` and `note`, of which `fuse`
    may run in another thread while more is heard. Clouds come out in the order of their stamps,
    each at most once; a set whose poses are not known yet holds back the later ones (bounded).
    """

    def __init__(
        self,
        config: PipelineConfig,
        fusion: Fusion,
        poses: CameraPoses,
        *,
        now_ns: Callable[[], int],
        steady_s: Callable[[], float],
    ) -> None:
        """Creates an empty pipeline.

        Args:
            config: See there.
            fusion: What to do with a complete set.
            poses: Where the cameras are.
            now_ns: Clock of the stamps [ns]; 0 while it is not known.
            steady_s: Monotonic wall clock [s].
        """
        self.config = config
        self.fusion = fusion
        self.poses = poses
        self.now_ns = now_ns
        self.steady_s = steady_s
        self.counts = PipelineCounts()
        self.cameras = {name: CameraRecord() for name in config.cameras}
        self.assemblers = {
            name: FrameAssembler(name, config.queue_depth) for name in config.cameras
        }
        self.matcher: StampMatcher[CameraFrame] = StampMatcher(
            config.cameras,
            max_spread_ns=round(config.max_spread_s * 1e9),
            deadline_s=config.camera_deadline_s,
            queue_depth=config.queue_depth,
            jump_back_ns=round(config.jump_back_s * 1e9),
        )
        self.last_cloud: FusedCloud | None = None
        self.last_duration_s = 0.0
        self._waiting: _Waiting | None = None
        self._given_up: set[tuple[str, Cause]] = set()

    @property
    def waits_for(self) -> str:
        """What the oldest unfinished cloud waits for; empty if nothing waits."""
        return self._waiting.reason if self._waiting else ""

    def colour(self, camera: str, stamp_ns: int, frame_id: str, rgb: NDArray[np.uint8]) -> None:
        """Takes a colour image (H, W, 3)."""
        self._frame(self.assemblers[camera].add_colour(stamp_ns, frame_id, rgb))

    def depth(
        self, camera: str, stamp_ns: int, depth: NDArray[np.uint16] | NDArray[np.float32]
    ) -> None:
        """Takes a depth image (H, W) aligned to the colour image."""
        self._frame(self.assemblers[camera].add_depth(stamp_ns, depth))

    def camera_model(self, camera: str, intrinsics: PinholeIntrinsics) -> None:
        """Takes the camera model."""
        for frame in self.assemblers[camera].set_intrinsics(intrinsics):
            self._frame(frame)

    def joint_state(self, stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Takes a joint state.

        Raises:
            ValueError: an arm joint is absent or not finite.
        """
        if self.poses.joints.add(stamp_ns, names, positions):
            self._flush()
            self.matcher.counts.jumps += 1
        self._news(Cause.JOINTS)

    def static_transform(self, parent: str, child: str, T_parent_child: Transform) -> None:
        """Takes a static transform.

        Raises:
            ValueError: an empty name, or a loop.
        """
        self.poses.statics.set(parent, child, T_parent_child)
        self._news(Cause.CALIBRATION)

    def kinematics(self, kinematics: LinkKinematics) -> None:
        """Takes the robot model."""
        self.poses.kinematics = kinematics
        self._news(Cause.DESCRIPTION)

    def run(self) -> list[FusedCloud]:
        """Fuses everything that is ready; call after each input, and now and then for deadlines."""
        clouds: list[FusedCloud] = []
        while (posed := self.take()) is not None:
            began = self.steady_s()
            clouds.append(self.fuse(posed))
            self.note(clouds[-1], self.steady_s() - began)
        return clouds

    def take(self) -> PosedSet | None:
        """The next set that shall be fused; None if none is ready."""
        taken: PosedSet | None = None
        while (posed := self._next()) is not None:
            if taken is not None:
                self.counts.skipped += 1
            taken = posed
            if not self.config.newest_only:
                break
        return taken

    def fuse(self, posed: PosedSet) -> FusedCloud:
        """The cloud of a set that was taken; touches nothing that is fed meanwhile."""
        return self.fusion.fuse(posed.frames, posed.T_base_optical, posed.missing)

    def note(self, cloud: FusedCloud, duration_s: float) -> None:
        """Takes down what became of a set that was taken, and how long that took [s]."""
        self._note_missing(cloud.missing)
        self.last_duration_s = duration_s
        self.last_cloud = cloud
        self.counts.clouds += 1
        self.counts.partial += bool(cloud.missing)

    def _note_missing(self, missing: Mapping[str, str]) -> None:
        for name, record in self.cameras.items():
            record.missing = missing.get(name, "")

    def _next(self) -> PosedSet | None:
        while True:
            if self._waiting is None:
                matched = self.matcher.pop(self.steady_s())
                if matched is None:
                    return None
                self._waiting = _Waiting(matched, self.steady_s())
            posed = self._pose(self._waiting)
            if posed is None:
                return None
            matched, self._waiting = self._waiting.matched, None
            if self._admitted(matched, posed):
                return posed

    def _frame(self, frame: CameraFrame | None) -> None:
        if frame is None:
            return
        record = self.cameras[frame.camera]
        arrival = self.matcher.add(frame.camera, frame.stamp_ns, frame, self.steady_s())
        if arrival is Arrival.JUMPED_BACK:
            self._waiting = None
            self.poses.joints.flush()
        record.frames += 1
        record.last_stamp_ns = frame.stamp_ns

    def _flush(self) -> None:
        self._waiting = None
        self.matcher.flush()
        for assembler in self.assemblers.values():
            assembler.flush()

    def _news(self, cause: Cause) -> None:
        """Something of this kind arrived, so it is worth waiting for it again."""
        self._given_up = {entry for entry in self._given_up if entry[1] is not cause}

    def _pose(self, waiting: _Waiting) -> PosedSet | None:
        """Poses of the set, or None if it shall wait."""
        posed = PosedSet(missing={name: "no frame" for name in waiting.matched.missing})
        expired = self.steady_s() - waiting.since_s >= self.config.pose_deadline_s
        for camera, frame in waiting.matched.items.items():
            try:
                posed.T_base_optical[camera] = self.poses.at(frame.frame_id, frame.stamp_ns)
            except PosePendingError as pending:
                entry = (camera, pending.cause)
                if not expired and entry not in self._given_up:
                    waiting.reason = str(pending)
                    return None
                self._given_up.add(entry)
                posed.missing[camera] = str(pending)
            except PoseUnavailableError as error:
                posed.missing[camera] = str(error)
            else:
                posed.frames.append(frame)
        return posed

    def _admitted(self, matched: MatchedSet[CameraFrame], posed: PosedSet) -> bool:
        if len(posed.frames) < self.config.min_cameras:
            self.counts.too_few += 1
            self._note_missing(posed.missing)
            return False
        now = self.now_ns()
        limit = round(self.config.max_age_s * 1e9)
        if limit and now and abs(now - matched.stamp_ns) > limit:
            self.counts.stale += now > matched.stamp_ns
            self.counts.future += now < matched.stamp_ns
            self._note_missing(posed.missing)
            return False
        return True
