"""What is known of an object while a task runs, and the geometry that follows from it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from . import se3
from .assets import ArticulatedAsset
from .se3 import Array

if TYPE_CHECKING:  # a task file, which says where objects are placed, holds predicates
    from .placement import PlacedObject

RIM = 0.005  # m; what is at most so much below the highest point of an object is its upper edge


@dataclass(frozen=True)
class ObjectObservation:
    """What predicates may know of an object.

    Attributes:
        openness: 0 closed, 1 open; of a free body the share of the way it is meant to go.
        joint_velocity: rad/s or m/s; of a free body how fast it moves at all.
        tilt: Angle by which a free body has been tipped since the start, rad.
        placed: Its geometry, pose and joint position now; None where nobody knows.
        grip: The smaller of the forces (N) with which the two fingers press on it against each
            other.
        touched: Whether any part of hand or fingers touches it.
    """

    openness: float
    joint_velocity: float
    tilt: float = 0.0
    placed: PlacedObject | None = None
    grip: float = 0.0
    touched: bool = False


@functools.lru_cache(maxsize=256)
def _masses(asset: ArticulatedAsset) -> tuple[tuple[str, float, Array], ...]:
    """Link, volume (m^3) and centre (3,) in the link frame of every hull."""
    result = []
    for link, vertices in asset.hulls:
        try:
            hull = ConvexHull(vertices)
        except QhullError:  # flat, and without mass
            continue
        # Tetrahedra between the middle and the faces.
        middle = vertices.mean(axis=0)
        faces = vertices[hull.simplices] - middle
        volumes = np.abs(np.linalg.det(faces))
        centre = middle + volumes @ faces.sum(axis=1) / (4.0 * volumes.sum())
        result.append((link, float(hull.volume), centre))
    return tuple(result)


def mass_centre(placed: PlacedObject) -> Array:
    """Centre of mass (3,) of an object of one density, m in base; hulls count one by one."""
    asset = placed.asset
    poses = asset.tree.link_poses(placed.joint_position)
    masses = _masses(asset)
    volumes = np.array([volume for _, volume, _ in masses])
    centres = np.array([se3.apply(poses[link], centre) for link, _, centre in masses])
    return se3.apply(placed.T_base_root, volumes @ centres / volumes.sum())


def hull_points(placed: PlacedObject) -> Array:
    """Vertices (N, 3) of all hulls of an object, m in base."""
    asset = placed.asset
    poses = asset.tree.link_poses(placed.joint_position)
    return np.concatenate([se3.apply(placed.T_base_root @ poses[k], v) for k, v in asset.hulls])


def top_middle(points: Array) -> Array:
    """Middle (3,) of the upper edge of an object with these vertices (N, 3), m."""
    edge = points[points[:, 2] > points[:, 2].max() - RIM]
    return np.asarray(0.5 * (edge.min(axis=0) + edge.max(axis=0)))
