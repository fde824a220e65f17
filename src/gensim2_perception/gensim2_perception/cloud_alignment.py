"""Aligns the cloud of one camera to that of another: trimmed point-to-plane ICP.

A table top has most of the points and says nothing about shifts along it. So faces of all
directions get the same weight, and the points farthest off are left out of each by itself. Normals
point to the camera that saw them: the front of a box is never matched with its back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from .calibration_errors import CalibrationRefusedError

Array = NDArray[np.float64]

MIN_OVERLAP = 0.3
"""Share of the second cloud that must lie on the surface of the first one."""
MIN_POINTS = 500
_MAX_POINTS = 20_000
# The search begins wider than the errors it is for, and ends near the noise of depth cameras.
_RADII_M = (0.06, 0.03, 0.015, 0.008)
_OVERLAP_RADIUS_M = 0.03
_KEPT_SHARE = 0.85
_NEIGHBOURS = 20
# Share of the variance across the surface, above which a point is on an edge, not on a face; and
# the same as a multiple of that of a typical point.
_CURVATURE = 0.01
_CURVATURE_RATIO = 2.0
_SAME_FACE = np.cos(np.radians(25.0))
_DIRECTIONS = 60
# A direction that fewer of the points have is noise.
_MIN_SHARE = 0.005
_STEPS = 40
_STILL_M = 1e-5
# Share of the information below which a direction counts as open; a noisy plane has some.
_MIN_INFORMATION = 0.004
_HIDDEN_SHARE = 0.3


@dataclass(frozen=True)
class CameraCloud:
    """What one camera sees.

    Attributes:
        points: (N, 3) in base [m]; rows that are not finite are left out.
        p_base_cam: (3,) where the camera is [m].
    """

    points: Array
    p_base_cam: Array


@dataclass(frozen=True)
class Alignment:
    """A correction of the second camera.

    Attributes:
        T_base_corrected: (4, 4), to be applied on the left of the camera's pose in base.
        before_mm: Distance of points to the other cloud's faces, RMS of the closest 85 %.
        after_mm: The same with the correction.
        overlap: Share of the second cloud that lies on the surface of the first one, corrected.
        position_mm: How far the correction moves the middle of the cloud.
        rotation_deg: How far it turns.
    """

    T_base_corrected: Array
    before_mm: float
    after_mm: float
    overlap: float
    position_mm: float
    rotation_deg: float


@dataclass(frozen=True)
class _Pivot:
    """About what rotations are counted, and by which length they compare with shifts [m]."""

    p_base: Array
    lever: float

    def motion(self, step: Array) -> Array:
        """(4, 4) of a step: rotation times lever, and translation [m]."""
        T = np.eye(4)
        T[:3, :3] = Rotation.from_rotvec(step[:3] / self.lever).as_matrix()
        T[:3, 3] = self.p_base - T[:3, :3] @ self.p_base + step[3:]
        return T


class _Surface:
    """Points with normals that point to the camera; only those on faces."""

    def __init__(self, cloud: CameraCloud, rng: np.random.Generator, which: str) -> None:
        points = _thinned(cloud.points, rng, which)
        _, neighbours = KDTree(points).query(points, _NEIGHBOURS)
        near = points[neighbours]
        centred = near - near.mean(axis=1, keepdims=True)
        values, vectors = np.linalg.eigh(np.swapaxes(centred, 1, 2) @ centred)
        curvature = values[:, 0] / np.maximum(values.sum(axis=1), 1e-15)
        # Most points lie on faces and show how much of it is noise.
        flat = curvature < max(_CURVATURE, _CURVATURE_RATIO * float(np.median(curvature)))
        normals = vectors[:, :, 0]
        away = ((cloud.p_base_cam - points) * normals).sum(axis=1) < 0.0
        normals[away] *= -1.0
        self.points, self.normals = points[flat], normals[flat]
        if len(self.points) < MIN_POINTS:
            raise CalibrationRefusedError(
                f"only {len(self.points)} points of the {which} cloud lie on faces, at least "
                f"{MIN_POINTS} are needed: let it see a table and boxes from nearer"
            )


@dataclass(frozen=True)
class _Pairs:
    """Points of the second cloud with the faces of the first one they lie on."""

    points: Array
    normals: Array
    offsets: Array

    def kept(self) -> _Pairs:
        """Without those farthest off, which have no counterpart."""
        close = np.abs(self.offsets) <= np.quantile(np.abs(self.offsets), _KEPT_SHARE)
        return _Pairs(self.points[close], self.normals[close], self.offsets[close])


def align_clouds(fixed: CameraCloud, moving: CameraCloud, rng: np.random.Generator) -> Alignment:
    """Estimates how the second camera has to move for the clouds to coincide.

    Args:
        fixed: Of the camera that is trusted.
        moving: Of the other one: the same scene, which did not move in between.
        rng: Thins the clouds.

    Raises:
        CalibrationRefusedError: too few points, too little overlap, or a scene that leaves
            directions open, such as a single plane; the text names them.
    """
    first, second = _Surface(fixed, rng, "first"), _Surface(moving, rng, "second")
    tree = KDTree(first.points)
    centre = second.points.mean(axis=0)
    spread = np.sqrt(((second.points - centre) ** 2).sum(axis=1).mean())
    # An angle counts by the way it moves a typical point.
    pivot = _Pivot(centre, float(spread))
    T = np.eye(4)
    before = _pairs(tree, first, second, T, _RADII_M[0]).kept()
    for radius in _RADII_M:
        for _ in range(_STEPS):
            pairs = _pairs(tree, first, second, T, radius)
            step = _solve(pairs, pivot)
            T = pivot.motion(step) @ T
            if np.linalg.norm(step) < _STILL_M:
                break
    after = _pairs(tree, first, second, T, _RADII_M[0]).kept()
    overlap = len(_pairs(tree, first, second, T, _OVERLAP_RADIUS_M).offsets) / len(second.points)
    return Alignment(
        T_base_corrected=T,
        before_mm=float(np.sqrt((before.offsets**2).mean())) * 1e3,
        after_mm=float(np.sqrt((after.offsets**2).mean())) * 1e3,
        overlap=overlap,
        position_mm=float(np.linalg.norm(T[:3, :3] @ centre + T[:3, 3] - centre)) * 1e3,
        rotation_deg=float(np.degrees(Rotation.from_matrix(T[:3, :3]).magnitude())),
    )


def _thinned(cloud: Array, rng: np.random.Generator, which: str) -> Array:
    points = np.asarray(cloud, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise CalibrationRefusedError(f"the {which} cloud has the shape {points.shape}, not (N, 3)")
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < MIN_POINTS:
        raise CalibrationRefusedError(
            f"the {which} cloud has {len(points)} points, at least {MIN_POINTS} are needed"
        )
    if len(points) > _MAX_POINTS:
        points = points[rng.choice(len(points), _MAX_POINTS, replace=False)]
    return points


def _pairs(tree: KDTree, first: _Surface, second: _Surface, T: Array, radius: float) -> _Pairs:
    """Points with a neighbour on a face of about the same direction."""
    points = second.points @ T[:3, :3].T + T[:3, 3]
    normals = second.normals @ T[:3, :3].T
    distances, nearest = tree.query(points, distance_upper_bound=radius)
    valid = np.isfinite(distances)
    valid[valid] = (first.normals[nearest[valid]] * normals[valid]).sum(axis=1) > _SAME_FACE
    share = valid.sum() / len(points)
    if radius >= _OVERLAP_RADIUS_M and share < MIN_OVERLAP:
        raise CalibrationRefusedError(
            f"{share:.0%} of the second cloud lie on what the first camera sees (within "
            f"{radius * 1e3:g} mm), at least {MIN_OVERLAP:.0%} are needed: let both cameras see "
            "more of the same things, and start from a calibration that is roughly right"
        )
    p, n = points[valid], first.normals[nearest[valid]]
    return _Pairs(p, n, ((first.points[nearest[valid]] - p) * n).sum(axis=1))


def _solve(pairs: _Pairs, pivot: _Pivot) -> Array:
    """Step (6,) in m: rotation about the pivot times its lever, then translation.

    Raises:
        CalibrationRefusedError: faces of too few directions.
    """
    face = np.argmax(pairs.normals @ _sphere(_DIRECTIONS).T, axis=1)
    counts = np.bincount(face, minlength=_DIRECTIONS)
    parts = []
    for number in np.flatnonzero(counts >= max(_MIN_SHARE * len(face), 8)):
        mine = face == number
        part = _Pairs(pairs.points[mine], pairs.normals[mine], pairs.offsets[mine]).kept()
        weight = 1.0 / np.sqrt(len(part.offsets))
        p = part.points - pivot.p_base
        rows = np.hstack([np.cross(p, part.normals) / pivot.lever, part.normals])
        parts.append((rows * weight, part.offsets * weight))
    if not parts:
        raise CalibrationRefusedError("the clouds have hardly a point in common")
    rows = np.concatenate([part[0] for part in parts])
    _check_observable(rows, len(parts))
    step: Array = np.linalg.lstsq(rows, np.concatenate([part[1] for part in parts]), rcond=None)[0]
    return step


def _sphere(count: int) -> Array:
    """Directions (count, 3), evenly spread: a Fibonacci lattice."""
    i = np.arange(count) + 0.5
    z = 1.0 - 2.0 * i / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * i
    radius = np.sqrt(1.0 - z**2)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])


def _check_observable(rows: Array, faces: int) -> None:
    """Refuses where faces of too few directions were found."""
    information, directions = np.linalg.eigh(rows.T @ rows / faces)
    unknown = directions[:, information < _MIN_INFORMATION].T
    if not len(unknown):
        return
    names = [f"{kind} {axis}" for kind in ("rotation about", "shift along") for axis in "xyz"]
    share = (unknown**2).sum(axis=0)
    hidden = [name for name, part in zip(names, share, strict=True) if part > _HIDDEN_SHARE]
    raise CalibrationRefusedError(
        f"what both cameras see leaves {len(unknown)} of 6 directions open: {', '.join(hidden)} "
        "of base. Put boxes with faces in different directions into the view of both cameras"
    )
