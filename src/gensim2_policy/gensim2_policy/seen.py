"""What a policy looks at: the recent past of the robot, and clouds.

Every step is looked up by its time, ``period`` apart, however often the policy is asked: the steps
of training and of use are the same.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from gensim2_control.hardware import ARM_DOF, JOINTS
from gensim2_control.joint_history import JointHistory
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from .demonstrations import smaller
from .settings import ObservationSettings

Array = NDArray[np.float64]
NS = 1_000_000_000
PICTURES = 8
"""Of each camera that are kept."""
WIDEST = 0.5
"""Share of the period by which a cloud or a picture may be off its step."""


class NotSeenError(LookupError):
    """The observation cannot be put together; says what is missing."""


@dataclass(frozen=True)
class Seen:
    """An observation of one instant, with what was before it, oldest first.

    Attributes:
        t: The instant, s.
        tcp_pose: (S, 7) of the TCP in base: x y z, qx qy qz qw.
        q: (S, 7), rad.
        finger: (S,), m.
        points: (C, N, 3), m in base; None where clouds are not used. Any number of points.
        colours: (C, N, 3), bytes.
        pictures: (V, H, W, 3), bytes, of the cameras the policy uses; None where there are none.
    """

    t: float
    tcp_pose: Array
    q: Array
    finger: Array
    points: NDArray[np.float32] | None = None
    colours: NDArray[np.uint8] | None = None
    pictures: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class _Stamped:
    stamp_ns: int


@dataclass(frozen=True)
class _Cloud(_Stamped):
    xyz: NDArray[np.float32]
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class _Picture(_Stamped):
    rgb: NDArray[np.uint8]


S = TypeVar("S", bound=_Stamped)


class History:
    """Joint states, clouds and pictures of the last seconds. Not thread safe.

    Args:
        settings: Of the observation.
        kinematics: Of the robot.
    """

    def __init__(self, settings: ObservationSettings, kinematics: Fr3Kinematics) -> None:
        self._settings, self._kinematics = settings, kinematics
        self._period_ns = round(settings.period * NS)
        self._joints = JointHistory(JOINTS, horizon_s=settings.steps * settings.period + 2.0)
        kept = 2 + 4 * max(1, settings.cloud_steps)
        self._clouds: deque[_Cloud] = deque(maxlen=kept)
        # Pictures of the moment of a cloud may have come long before it was made.
        self._pictures: dict[str, deque[_Picture]] = {
            camera: deque(maxlen=PICTURES) for camera in settings.cameras
        }
        self._start_ns = 0

    def begin(self, stamp_ns: int) -> None:
        """A task begins: what was before is not looked at."""
        self._start_ns = stamp_ns
        self._clouds = _since(self._clouds, stamp_ns)
        self._pictures = {name: _since(kept, stamp_ns) for name, kept in self._pictures.items()}

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest moment to act on, ns; None = there is none.

        That of the newest cloud; without clouds, the newest one that every camera has seen; without
        cameras, that of the newest joint state.
        """
        if self._settings.cloud_steps:
            return self._clouds[-1].stamp_ns if self._clouds else None
        if self._pictures:
            newest = [kept[-1].stamp_ns if kept else None for kept in self._pictures.values()]
            there = [stamp_ns for stamp_ns in newest if stamp_ns is not None]
            return min(there) if len(there) == len(newest) else None
        return self._joints.newest_ns

    def joint_state(self, stamp_ns: int, names: list[str], positions: list[float]) -> None:
        """Takes a joint state; rad and m.

        Raises:
            ValueError: A joint is missing, or not finite.
        """
        if self._joints.add(stamp_ns, names, positions):
            self._clouds.clear()
            for kept in self._pictures.values():
                kept.clear()

    def cloud(self, stamp_ns: int, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> None:
        """Takes a cloud (N, 3), m in base.

        Raises:
            ValueError: It is empty or holds numbers that are not finite.
        """
        if not len(xyz):
            raise ValueError("the cloud is empty: no camera sees anything in the workspace")
        if not np.isfinite(xyz).all():
            count = int((~np.isfinite(xyz).all(1)).sum())
            raise ValueError(f"{count} of {len(xyz)} points of the cloud are not finite")
        if not self._clouds or stamp_ns > self._clouds[-1].stamp_ns:
            self._clouds.append(_Cloud(stamp_ns, xyz, rgb))

    def picture(self, stamp_ns: int, camera: str, rgb: NDArray[np.uint8]) -> None:
        """Takes a picture (H, W, 3), RGB, of one of the cameras of the settings.

        Raises:
            ValueError: It is empty.
        """
        if not rgb.size:
            raise ValueError(f"the picture of {camera} is empty")
        kept = self._pictures[camera]
        if not kept or stamp_ns > kept[-1].stamp_ns:
            kept.append(_Picture(stamp_ns, rgb))

    def at(self, stamp_ns: int) -> Seen:
        """The observation of an instant.

        Raises:
            NotSeenError: Something is missing.
        """
        seen = self._settings
        steps = [max(self._start_ns, stamp_ns - k * self._period_ns) for k in range(seen.steps)]
        try:
            joints = np.array([self._joints.at(ns) for ns in reversed(steps)])
        except LookupError as error:
            raise NotSeenError(str(error)) from None
        q = joints[:, :ARM_DOF]
        T = self._kinematics.fk(q)
        quaternion = Rotation.from_matrix(T[:, :3, :3]).as_quat(canonical=True)
        points = colours = None
        if seen.cloud_steps:
            found = [
                self._nearest(self._clouds, ns, "cloud")
                for ns in reversed(steps[: seen.cloud_steps])
            ]
            if len({len(cloud.xyz) for cloud in found}) > 1:
                raise NotSeenError("clouds of different sizes; set num_points of the fusion")
            points = np.stack([cloud.xyz for cloud in found])
            colours = np.stack([cloud.rgb for cloud in found])
        looks = [
            self._nearest(kept, stamp_ns, f"picture of {camera}").rgb[None]
            for camera, kept in self._pictures.items()
        ]
        return Seen(
            t=stamp_ns / NS,
            tcp_pose=np.concatenate([T[:, :3, 3], quaternion], 1),
            q=q,
            finger=joints[:, ARM_DOF:].mean(1),
            points=points,
            colours=colours,
            pictures=np.concatenate([smaller(p, seen.picture) for p in looks]) if looks else None,
        )

    def _nearest(self, kept: deque[S], stamp_ns: int, what: str) -> S:
        if not kept:
            raise NotSeenError(f"no {what} has been heard")
        nearest = min(kept, key=lambda one: abs(one.stamp_ns - stamp_ns))
        off = abs(nearest.stamp_ns - stamp_ns)
        if off > WIDEST * self._period_ns and stamp_ns > self._start_ns:
            raise NotSeenError(f"no {what} within {off / NS:.3f} s of a step of the observation")
        return nearest


def _since(kept: deque[S], stamp_ns: int) -> deque[S]:
    """What is not older than a stamp."""
    return deque((one for one in kept if one.stamp_ns >= stamp_ns), kept.maxlen)
