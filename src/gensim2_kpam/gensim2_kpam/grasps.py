"""Where a parallel gripper can take hold of a rigid object, from its geometry alone.

Antipodal grasps (Nguyen, 1988; sampled as in Mahler et al., Dex-Net 2.0, 2017): a point of the
surface, the line along its normal to where that leaves the object again, and fingers that close
along this line. What lies behind a gap, as the far wall of a cup, is another piece on the line: the
wall alone can be held as well as the whole cup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

Array = NDArray[np.float64]
TCP = 0.1034  # m, from fr3_hand along its z
TIP, TIP_HALF = 0.0097, 0.01  # m, of the fingers beyond the TCP, and across their opening
FINGER_OPEN = 0.045  # m, of the outer side of an open finger from the middle of the hand
PAD = 0.010  # m, the TCP may be off the line of the grasp along the fingers
TIP_CLEARANCE = 0.003  # m, of the tips above the table
WIDEST = 0.072  # m; the fingers open by 0.08
GAP = 0.022  # m, room that a finger needs between two pieces of an object
STEEPEST = np.radians(25.0)  # sum of angles between the line and the normals: within friction
POINTS = 240
ANGLES = np.radians(np.arange(-100.0, 101.0, 20.0))  # of the approach about the line, from down
# Negative cosines of the tilt between grasps from above, aslant and from a side.
KINDS = (-0.86, -0.45)
JITTER = 0.5  # of the cost
LOWEST = 1e-3  # m; pieces of a line that are nearer to each other are one


@dataclass(frozen=True)
class Grasp:
    """A way to take hold of an object.

    Attributes:
        T_base_hand: Pose of ``fr3_hand`` while the fingers close along its y axis.
        width: Of what is between the fingers, m.
        cost: Lower is better: near the centre of mass, steep, square to the surface.
    """

    T_base_hand: Array
    width: float
    cost: float


def centre_of_mass(pieces: Sequence[Array]) -> Array:
    """Centre of mass (3,) of convex pieces (vertices (N, 3)) of one density."""
    volumes, centres = [], []
    for vertices in pieces:
        hull = ConvexHull(vertices)
        inner = vertices.mean(axis=0)
        tetrahedra = vertices[hull.simplices] - inner
        volume = np.abs(np.linalg.det(tetrahedra)) / 6.0
        volumes.append(volume.sum())
        centres.append(
            inner + (volume[:, None] * tetrahedra.sum(axis=1) / 4.0).sum(0) / volume.sum()
        )
    return np.average(centres, axis=0, weights=volumes)


def find_grasps(pieces: Sequence[Array], rng: np.random.Generator) -> list[Grasp]:
    """Candidates for a gripper, good ones early; what else stands around is not looked at.

    Args:
        pieces: Vertices (N, 3) of the convex pieces of the object in base, m.
        rng: Source of the points of the surface.
    """
    hulls = [ConvexHull(vertices) for vertices in pieces]
    p_mass = centre_of_mass(pieces)
    size = float(np.ptp(np.concatenate(pieces), axis=0).max())
    found: list[Grasp] = []
    for p, normal in surface_of(hulls, rng):
        for line in _lines(normal):
            for enter, leave, end_normal in pieces_on(hulls, p, -line):
                if abs(enter) > LOWEST or leave > WIDEST or leave < 2 * LOWEST:
                    continue
                slant = angle_between(line, normal) + angle_between(-line, end_normal)
                if slant > STEEPEST:
                    continue
                middle = p - line * (0.5 * leave)
                off = float(np.linalg.norm(np.cross(p_mass - middle, line)))
                found += _hands(middle, line, leave, slant + 2.0 * off / size)
    # Neighbours are alike, and fail alike.
    order = np.argsort([grasp.cost + JITTER * rng.random() for grasp in found])
    return _mixed([found[i] for i in order])


def _mixed(grasps: Sequence[Grasp]) -> list[Grasp]:
    """In turn the best from above, aslant and from a side: one of them may lead nowhere."""
    kinds: list[list[Grasp]] = [[], [], []]
    for grasp in grasps:
        down = -float(grasp.T_base_hand[2, 2])
        kinds[int(np.searchsorted(KINDS, -down))].append(grasp)
    rows = zip_longest(*kinds)
    return [grasp for row in rows for grasp in row if grasp is not None]


def _lines(normal: Array) -> list[Array]:
    """Lines to close the fingers along at a point: square to the surface, and level if that fits.

    Of level fingers neither is nearer to the table, which small things ask for.
    """
    level = np.array([normal[0], normal[1], 0.0])
    length = float(np.linalg.norm(level))
    if length < np.cos(STEEPEST) or length > 1.0 - 1e-6:
        return [normal]
    return [level / length, normal]


def angle_between(a: Array, b: Array) -> float:
    """Angle of two unit vectors, rad."""
    return float(np.arccos(np.clip(a @ b, -1.0, 1.0)))


def surface_of(
    hulls: Sequence[ConvexHull], rng: np.random.Generator, count: int = POINTS
) -> list[tuple[Array, Array]]:
    """Points on faces, as many as their area asks for, and the normals (outwards)."""
    corners = np.concatenate([h.points[h.simplices] for h in hulls])
    normals = np.concatenate([h.equations[:, :3] for h in hulls])
    sides = corners[:, 1:] - corners[:, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    points, faces = points_on(corners, area, rng, count)
    return list(zip(points, normals[faces], strict=True))


def points_on(
    corners: Array, area: Array, rng: np.random.Generator, count: int
) -> tuple[Array, NDArray[np.int64]]:
    """Points (count, 3) on triangles (N, 3, 3), as many as their area asks for, and whose."""
    faces = rng.choice(len(area), count, p=area / area.sum())
    share = np.sort(rng.random((count, 2)), axis=1)
    weights = np.stack([share[:, 0], share[:, 1] - share[:, 0], 1.0 - share[:, 1]], axis=1)
    return np.einsum("ij,ijk->ik", weights, corners[faces]), faces


def pieces_on(hulls: Sequence[ConvexHull], p: Array, d: Array) -> list[tuple[float, float, Array]]:
    """What of the line p + t d is within the object: (enters, leaves, normal where it leaves).

    Pieces between which a finger has no room count as one.
    """
    spans = []
    for hull in hulls:
        n, offset = hull.equations[:, :3], hull.equations[:, 3]
        speed, distance = n @ d, n @ p + offset
        level = np.abs(speed) < 1e-9
        if np.any(distance[level] > 1e-9):
            continue
        t = -distance / np.where(level, 1.0, speed)
        enters = t[~level & (speed < 0)].max(initial=-np.inf)
        out = np.where(~level & (speed > 0), t, np.inf)
        leaves = out.min()
        if leaves > enters:
            spans.append((float(enters), float(leaves), n[int(out.argmin())]))
    spans.sort(key=lambda span: span[0])
    joined: list[tuple[float, float, Array]] = []
    for span in spans:
        if joined and span[0] < joined[-1][1] + LOWEST:
            if span[1] > joined[-1][1]:
                joined[-1] = (joined[-1][0], span[1], span[2])
        else:
            joined.append(span)
    result: list[tuple[float, float, Array]] = []
    for first in range(len(joined)):
        if first and joined[first][0] - joined[first - 1][1] < GAP:
            continue
        for last in range(first, len(joined)):
            if last + 1 < len(joined) and joined[last + 1][0] - joined[last][1] < GAP:
                continue
            result.append((joined[first][0], joined[last][1], joined[last][2]))
    return result


def _hands(middle: Array, line: Array, width: float, cost: float) -> list[Grasp]:
    """Hands that close along a line: from above, then tilted about it."""
    level = np.cross(line, [0.0, 0.0, 1.0])
    if np.linalg.norm(level) < 0.3:  # fingers one above the other: they would meet the table
        return []
    down = np.cross(line, level / np.linalg.norm(level))
    down *= -np.sign(down[2])
    found = []
    for angle in ANGLES:
        approach = Rotation.from_rotvec(line * angle).apply(down)
        if approach[2] > 0.2:
            continue
        for y in (line, -line):
            R = np.stack([np.cross(y, approach), y, approach], axis=1)
            # The tips stay above the table; the pads are long enough to be a little higher.
            low = middle[2] + TIP * approach[2] - TIP_CLEARANCE
            low -= TIP_HALF * abs(R[2, 0]) + FINGER_OPEN * abs(R[2, 1])
            back = max(0.0, low / approach[2]) if approach[2] < -0.2 and low < 0.0 else 0.0
            if back > PAD or (low < 0.0 and approach[2] >= -0.2):
                continue
            p = middle - approach * (TCP + back)
            steep = float(np.arccos(np.clip(-approach[2], -1.0, 1.0)))
            found.append(Grasp(se3.transform(p, R), width, cost + 0.15 * steep + 10.0 * back))
    return found
