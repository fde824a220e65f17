"""The static part of the transform tree, as heard on ``/tf_static``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Transform = NDArray[np.float64]


class TransformUnknownError(LookupError):
    """Two frames are not joined by static transforms, so far."""


def rigid(xyz: Sequence[float], xyzw: Sequence[float]) -> Transform:
    """4 x 4 matrix of a translation [m] and a unit quaternion (x, y, z, w).

    Raises:
        ValueError: wrong sizes, a number is not finite, or the quaternion is not of unit length
            (within 1e-3; it is normalised).
    """
    p = np.asarray(xyz, np.float64)
    quaternion = np.asarray(xyzw, np.float64)
    if p.shape != (3,) or quaternion.shape != (4,):
        raise ValueError(f"pose: 3 and 4 numbers expected, got {p.shape} and {quaternion.shape}")
    if not (np.isfinite(p).all() and np.isfinite(quaternion).all()):
        raise ValueError(f"pose: a number is not finite: {p.tolist()}, {quaternion.tolist()}")
    norm = float(np.linalg.norm(quaternion))
    if abs(norm - 1.0) > 1e-3:
        raise ValueError(
            f"pose: quaternion {quaternion.tolist()} (x y z w) has length {norm:.4f}, not 1"
        )
    T = np.eye(4)
    T[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    T[:3, 3] = p
    return T


def inverse(T_a_b: Transform) -> Transform:
    """T_b_a (..., 4, 4) of rigid T_a_b (..., 4, 4)."""
    R_b_a = np.swapaxes(T_a_b[..., :3, :3], -1, -2)
    T = np.zeros_like(T_a_b, np.float64)
    T[..., :3, :3] = R_b_a
    T[..., :3, 3] = -(R_b_a @ T_a_b[..., :3, 3, None])[..., 0]
    T[..., 3, 3] = 1.0
    return T


class StaticTransforms:
    """A forest of frames: each has at most one parent, and the newest word about it counts."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Transform]] = {}

    def set(self, parent: str, child: str, T_parent_child: Transform) -> None:
        """Places ``child`` in ``parent``, replacing what was known about ``child``.

        Raises:
            ValueError: a name is empty, or the frame would become its own ancestor.
        """
        if not parent or not child:
            raise ValueError(f"static transform: empty frame name in {parent!r} -> {child!r}")
        if child in (parent, *self._ancestors(parent)):
            raise ValueError(f"static transform {parent} -> {child} would close a loop")
        self._parents[child] = (parent, np.array(T_parent_child, np.float64))

    def lookup(self, target: str, source: str) -> Transform:
        """T_target_source, through their common ancestor.

        Raises:
            TransformUnknownError: they are in different trees, or unknown.
        """
        up_from_target = self._chain(target)
        up_from_source = self._chain(source)
        for frame, T_frame_source in up_from_source.items():
            if frame in up_from_target:
                return inverse(up_from_target[frame]) @ T_frame_source
        raise TransformUnknownError(
            f"no static transform joins {source} and {target}: {source} hangs under "
            f"{list(up_from_source)[-1]}, {target} under {list(up_from_target)[-1]}; "
            "is the camera calibration published on /tf_static?"
        )

    def mount(self, source: str, links: Collection[str]) -> tuple[str, Transform]:
        """The nearest ancestor of ``source`` among ``links``, and T_link_source.

        Raises:
            TransformUnknownError: no ancestor is among them.
        """
        chain = self._chain(source)
        for frame, T_frame_source in chain.items():
            if frame in links:
                return frame, T_frame_source
        raise TransformUnknownError(
            f"{source} hangs under {list(chain)[-1]} and not on the robot; "
            "is its calibration published on /tf_static?"
        )

    def _ancestors(self, frame: str) -> list[str]:
        found: list[str] = []
        while frame in self._parents:
            frame = self._parents[frame][0]
            found.append(frame)
        return found

    def _chain(self, frame: str) -> dict[str, Transform]:
        """T_ancestor_frame of the frame itself and of every ancestor, nearest first."""
        T = np.eye(4)
        chain = {frame: T}
        while frame in self._parents:
            frame, T_parent_child = self._parents[frame]
            T = T_parent_child @ T
            chain[frame] = T
        return chain
