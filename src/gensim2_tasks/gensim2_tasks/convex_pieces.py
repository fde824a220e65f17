"""Convex pieces of a rigid object, from the many bodies of its collision mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

from .asset_files import MAX_MESH, MAX_NUMBER, AssetError, read_file, short
from .se3 import Array
from .stable_pose import EVEN, Numbers, carriers

MAX_PIECES = 200  # a mug has 26
# Units of the file, m in those of GenSim2. The engine merges sides that differ by less when it
# makes its hull, and then stands things on others than they have; what is left here it leaves.
COARSE = 7e-4
MOST = 120  # vertices of a piece; the engine takes 255, and planners are quicker with fewer
SLIVER = 1e-6  # of the volume of all: a smaller piece has no weight, and its hull no use


@dataclass(frozen=True)
class Piece:
    """A convex body, unscaled.

    Attributes:
        vertices: (N, 3) corners.
        faces: (M, 3) vertex indices, counter-clockwise seen from outside.
        volume: cubed units of the file.
        centre: (3,) of its mass.
    """

    vertices: Array
    faces: Numbers
    volume: float
    centre: Array


def convex_pieces(path: Path) -> tuple[Piece, ...]:
    """Reads the bodies of a Wavefront file, of each its convex hull.

    A body is what hangs together by its faces within one object or group (``o``, ``g``); files
    from VHACD or CoACD hold each convex piece as one, with such lines or without.

    Raises:
        AssetError: Missing, unreadable, too many bodies, or none with a volume.
    """
    data = read_file(path, needed="it must hold the convex pieces of the object", limit=MAX_MESH)
    vertices, faces, groups = _read(data, path)
    if not len(faces):
        raise AssetError(f"{path}: no faces; it must hold bodies with a volume")
    pieces = []
    for label in _bodies(faces, groups, len(vertices), path):
        piece = piece_of(vertices[np.unique(faces[label])])
        if piece is not None:
            pieces.append(piece)
    least = SLIVER * sum(piece.volume for piece in pieces)
    kept = tuple(piece for piece in pieces if piece.volume > least)
    if not kept:
        raise AssetError(f"{path}: no convex hull can be made: it must hold bodies with a volume")
    return kept


def thinned(piece: Piece, lowest: Array) -> Piece:
    """A piece with few vertices, of which each matters, on the same base.

    Vertices are taken one after the other, always the one that is farthest outside of the hull of
    those that have been, until none is by more than `COARSE` or there are `MOST`.

    Args:
        piece: The piece.
        lowest: (3,) unit vector that points down while the object rests.
    """
    base = carriers(piece.vertices, lowest, EVEN)
    across = np.linalg.svd(lowest[None])[2][1:]
    kept = [int(i) for i in base[_outermost(piece.vertices[base] @ across.T)]]
    for direction in np.concatenate([np.eye(3), -np.eye(3)]):  # the bounds stay
        far = int(np.argmax(piece.vertices @ direction))
        if np.linalg.norm(piece.vertices[kept] - piece.vertices[far], axis=1).min() > COARSE:
            kept.append(far)
    return piece_of(piece.vertices[_outermost(piece.vertices, kept)]) or piece


def _outermost(points: Array, start: Sequence[int] = ()) -> list[int]:
    """Numbers of the points (N, D) whose hull is nearly that of all, those given among them."""
    kept = list(start)
    if len(kept) <= points.shape[1]:
        ends = np.concatenate([np.eye(points.shape[1]), -np.eye(points.shape[1])])
        kept = [*dict.fromkeys([*kept, *np.argmax(points @ ends.T, axis=0).tolist()])]
    while len(kept) < MOST:
        try:
            planes = ConvexHull(points[kept]).equations
        except (QhullError, ValueError):
            return kept  # flat: too few to be a base, or a sliver
        outside = (points @ planes[:, :-1].T + planes[:, -1]).max(axis=1)
        if outside.max() <= COARSE:
            break
        kept.append(int(np.argmax(outside)))
    return kept


def _read(data: bytes, path: Path) -> tuple[Array, Numbers, Numbers]:
    """Vertices (N, 3), triangles (M, 3) and the number of the group of each (M,)."""
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    groups: list[int] = []
    group = 0
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        try:
            if words[:1] == ["v"]:
                vertices.append([float(word) for word in words[1:4]])
            elif words[:1] == ["f"]:
                corners = [int(word.split("/")[0]) for word in words[1:]]
                # Counted from 1, or back from the last one so far.
                corners = [i - 1 if i > 0 else len(vertices) + i for i in corners]
                if len(corners) < 3 or not all(0 <= i < len(vertices) for i in corners):
                    raise ValueError("a face needs three corners that are there")
                for a, b in pairwise(corners[1:]):
                    faces.append((corners[0], a, b))
                    groups.append(group)
            elif words[:1] in (["o"], ["g"]):
                group += 1
        except ValueError as error:
            raise AssetError(
                f"{path}: line {number}: {short(str(error))}; is it a whole Wavefront file?"
            ) from None
    if any(len(v) != 3 for v in vertices):
        raise AssetError(f"{path}: a vertex has fewer than three numbers; is the file complete?")
    points = np.array(vertices, dtype=float).reshape(-1, 3)
    if not np.all(np.abs(points) <= MAX_NUMBER):
        raise AssetError(f"{path}: vertices must be finite and at most {MAX_NUMBER:g}")
    return points, np.array(faces, dtype=int).reshape(-1, 3), np.array(groups, dtype=int)


def _bodies(faces: Numbers, groups: Numbers, count: int, path: Path) -> list[Numbers]:
    """Numbers of the faces of each body."""
    # A vertex that two groups use is one vertex of each of them.
    names, corners = np.unique(groups[:, None] * count + faces, return_inverse=True)
    corners = corners.reshape(faces.shape)
    ends = np.concatenate([corners[:, [0, 1]], corners[:, [0, 2]]])
    links = coo_matrix((np.ones(len(ends)), ends.T), shape=(len(names), len(names)))
    found, labels = connected_components(links, directed=False)
    if found > MAX_PIECES:
        raise AssetError(
            f"{path}: {found} bodies, more than {MAX_PIECES}; decompose the object into fewer "
            "convex pieces, and let the faces of a piece share its vertices"
        )
    own = labels[corners[:, 0]]
    return [np.flatnonzero(own == label) for label in range(found)]


def piece_of(points: Array) -> Piece | None:
    """The hull of points; None where it has no volume."""
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return None
    used = hull.vertices
    vertices = points[used]
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    faces = number[hull.simplices]
    corners = vertices[faces]
    turned = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("ij,ij->i", turned, hull.equations[:, :3]) < 0.0
    faces[inward] = faces[inward][:, ::-1]
    inner = vertices.mean(axis=0)
    wedges = vertices[faces] - inner
    volumes = np.abs(np.linalg.det(wedges)) / 6.0
    if not volumes.sum() > 0.0:
        return None
    centre = inner + (volumes[:, None] * wedges.sum(axis=1) / 4.0).sum(axis=0) / volumes.sum()
    return Piece(vertices, faces, float(volumes.sum()), centre)
