"""Where things can be put in: the room inside a container.

Everything follows from the convex hulls that collide, so that it is what is really free, whatever
the picture of an object shows. The room of a container is what its walls enclose on all sides but
one: the opening, which its lid or door may close. It stands still with the root, or moves with
the moving part where the keypoint does, as that of a drawer.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from . import se3
from .assets import ArticulatedAsset
from .categories import PREFIX
from .free_space import Grid, Hull, Mask, grow, largest_cuboid, seen_from, widen
from .se3 import Array

INSIDE = tuple(PREFIX + name for name in ("inside", "inside_base", "above"))
"""Keypoints of containers: a point in the room, or over its opening."""
VOXEL = (0.002, 0.005)  # m; smallest and largest
# m; longer edges of a box make it better only where nothing else does: what is put in has to
# stand, and not in the narrow space that goes up in front of the shelves.
EDGES = (0.20, 0.20, 0.10)
VOXELS = 100  # along the longest side
SMALLEST = 0.02  # m; an edge of a room into which nothing would go
# Directions in which a container may be open, in the root frame: up, then to the front and others.
_OPENINGS = ((2, 1), (0, -1), (0, 1), (1, -1), (1, 1))
GAP = 0.04  # m; what is joined by less than that is not one room
CELLS = 36  # along the longest side, where the largest box is looked for


@dataclass(frozen=True)
class Interior:
    """The room inside a container, m. The axes of its box are parallel to those of the root.

    Attributes:
        link: That it moves with.
        T_link_box: Centre of the largest free box, and its axes.
        half_size: (3,) of that box.
        open_faces: Unit normals (3,) in the box frame, outwards, of the faces through which things
            are put in.
        planes: (N, 4) rows of the whole room, which may be wider than the box: a point p of the
            box frame is in it where ``planes[:, :3] @ p <= planes[:, 3]``. The normals are units.
        lidded: Whether something closes the opening, so that nothing may stick out of it.
    """

    link: str
    T_link_box: Array
    half_size: Array
    open_faces: tuple[Array, ...]
    planes: Array
    lidded: bool

    def depth(self, p_box: Array) -> float:
        """How deep (m) the point (3,) of the box frame is in the room; negative outside."""
        return float(np.min(self.planes[:, 3] - self.planes[:, :3] @ p_box))

    def sunk(self, points_box: Array) -> float:
        """How far (m) below the edge of the opening the highest of the points (N, 3) is."""
        return float(
            max(
                np.dot(np.abs(face), self.half_size) - np.max(points_box @ face)
                for face in self.open_faces
            )
        )

    def T_root_box(self, asset: ArticulatedAsset, q: float) -> Array:
        """Pose of the box in the root frame at joint position ``q``."""
        return asset.tree.link_poses(q)[self.link] @ self.T_link_box


@dataclass(frozen=True)
class _Room:
    """An enclosed part of a grid, and the (axis, sign) in which it is open.

    Attributes:
        opening: axis and sign.
        mask: cubes that can be seen through the opening, next to the keypoint.
        hull: of the centres of all cubes of the room that can be seen.
    """

    opening: tuple[int, int]
    mask: Mask
    hull: Hull


def interior_of(asset: ArticulatedAsset) -> Interior | None:
    """The room of a container; None where it has none, see ``why_no_interior``. It is kept."""
    found = _interior(asset)
    return found if isinstance(found, Interior) else None


def why_no_interior(asset: ArticulatedAsset) -> str:
    """Why an asset has no room to put things in; empty where it has one."""
    found = _interior(asset)
    return found if isinstance(found, str) else ""


@functools.lru_cache(maxsize=256)
def _interior(asset: ArticulatedAsset) -> Interior | str:
    """The room of an asset, or why there is none."""
    name = next((n for n in INSIDE if n in asset.info.keypoints), None)
    if name is None:
        return f"asset {asset.ref} has none of the keypoints {', '.join(INSIDE)}"
    q = asset.joint_position(1.0)
    link, hulls, others = walls_of(asset, q, moving="base" not in name)
    if not hulls:
        return f"asset {asset.ref}: nothing of it goes with {name}"
    grid = Grid.around(np.concatenate([h.vertices for h in hulls]), voxel_of(hulls))
    keypoint = asset.keypoints(q)[name]
    room = _room(grid, grid.occupied(hulls), keypoint)
    if room is None:
        return f"asset {asset.ref}: its hulls enclose no free space near {name}"
    low, high = _box(grid, room, keypoint, hulls)
    if np.any(high - low < SMALLEST):
        size = " x ".join(f"{100 * edge:.1f}" for edge in high - low)
        return f"asset {asset.ref}: the space in it is only {size} cm"
    axis, sign = room.opening
    normal = np.zeros(3)
    normal[axis] = sign
    # The walls end somewhere within the last cubes.
    face = high if sign > 0 else low
    face[axis] -= sign * 0.5 * grid.voxel
    T_root_box = se3.transform(0.5 * (low + high))
    planes = room.hull.planes.copy()
    # From the centres of cubes to their faces, and half a cube that a wall fills in part.
    towards = np.maximum(planes[:, :3] @ normal, 0.0)
    planes[:, 3] += grid.voxel * (1.0 - towards) - planes[:, :3] @ T_root_box[:3, 3]
    return Interior(
        link,
        se3.inverse(asset.tree.link_poses(q)[link]) @ T_root_box,
        0.5 * (high - low),
        (normal,),
        planes,
        _is_closed_by(others, low, high, room.opening),
    )


def _is_closed_by(others: list[Array], low: Array, high: Array, opening: tuple[int, int]) -> bool:
    """Whether the vertices of what moves against a container are beyond its opening when closed."""
    if not others:
        return False
    points = np.concatenate(others)
    axis, sign = opening
    across = [i for i in range(3) if i != axis]
    first = np.maximum(points.min(axis=0), low)
    last = np.minimum(points.max(axis=0), high)
    covered = np.prod(np.maximum(last - first, 0.0)[across] / (high - low)[across])
    middle = 0.5 * (low + high)[axis]
    return bool(covered > 0.5 and np.max(sign * (points[:, axis] - middle)) > 0.0)


def walls_of(
    asset: ArticulatedAsset, q: float, *, moving: bool
) -> tuple[str, list[Hull], list[Array]]:
    """What a container is made of, in the root frame at joint position ``q``.

    Returns:
        The link that it is; the hulls that move with it, or stand; and the vertices of the others
        where they are when the object is closed, seen from the container.
    """
    tree = asset.tree
    carried = {tree.moving.child}
    for joint in tree.joints:  # a parent comes before its children
        if joint.parent in carried:
            carried.add(joint.child)
    link = tree.moving.child if moving else tree.root
    poses, closed = tree.link_poses(q), tree.link_poses(asset.joint_position(0.0))
    T = poses[link] @ se3.inverse(closed[link])
    own = [Hull.of(se3.apply(poses[k], v)) for k, v in asset.hulls if (k in carried) == moving]
    others = [se3.apply(T @ closed[k], v) for k, v in asset.hulls if (k in carried) != moving]
    return link, [hull for hull in own if hull is not None], others


def voxel_of(hulls: list[Hull]) -> float:
    """Edge of the cubes (m) in which these hulls are looked at."""
    points = np.concatenate([h.vertices for h in hulls])
    return float(np.clip(np.ptp(points, axis=0).max() / VOXELS, *VOXEL))


def _room(grid: Grid, occupied: Mask, keypoint: Array) -> _Room | None:
    """The largest room next to the keypoint that is enclosed on all sides but one."""
    sides = [(axis, sign) for axis in range(3) for sign in (-1, 1)]
    hit = {side: seen_from(occupied, *side) for side in sides}
    rooms = []
    for opening in _OPENINGS:
        enclosed = ~occupied
        for side in sides:
            if side != opening:
                enclosed &= hit[side]
        seen = enclosed & ~hit[opening]
        labels, _ = ndimage.label(seen)
        near = labels == _nearest_label(grid, labels, keypoint)
        if np.any(near & seen):
            # A handle over the opening may part what can be seen, but not the room below it.
            joined, _ = ndimage.label(enclosed)
            whole = _with_hidden(grid, enclosed, seen & (joined == joined[near][0]))
            surface = np.argwhere(whole ^ ndimage.binary_erosion(whole))
            hull = Hull.of(grid.centres(surface))
            assert hull is not None  # it is not tiny
            rooms.append(_Room(opening, near, hull))
    return max(rooms, key=lambda room: room.mask.sum(), default=None)


def _with_hidden(grid: Grid, enclosed: Mask, seen: Mask) -> Mask:
    """What can be seen of a room, and what hides behind the frame of its opening.

    What is joined to it by a gap alone, as the closed half of a refrigerator, is another room.
    """
    times = max(1, round(GAP / (2.0 * grid.voxel)))
    labels, _ = ndimage.label(ndimage.binary_erosion(enclosed, iterations=times))
    own = np.unique(labels[seen])
    core = np.isin(labels, own[own > 0])
    if not np.any(core):
        return seen
    return np.asarray(seen | (ndimage.binary_dilation(core, iterations=times) & enclosed))


def _nearest_label(grid: Grid, labels: NDArray[np.int32], keypoint: Array) -> int:
    """The labelled space that is nearest to the keypoint, of those that are not tiny; 0 = none."""
    counts = np.bincount(labels.ravel())
    large = np.flatnonzero(counts >= (SMALLEST / grid.voxel) ** 3)
    large = large[large > 0]
    index = np.argwhere(np.isin(labels, large))
    if not len(index):
        return 0
    nearest = np.argmin(np.linalg.norm(grid.centres(index) - keypoint, axis=1))
    return int(labels[tuple(index[nearest])])


def _box(grid: Grid, room: _Room, keypoint: Array, hulls: list[Hull]) -> tuple[Array, Array]:
    """Lower and upper corner (3,) of the largest free box of a room, m in the root frame.

    It is at the keypoint, in the directions across the opening, where there is room.
    """
    window = ndimage.find_objects(room.mask.astype(np.int32))[0]
    corner = np.array([s.start for s in window])
    inner = room.mask[window]
    step = int(np.ceil(max(inner.shape) / CELLS))
    mask = coarse(inner, step)
    cell = np.floor((keypoint - grid.low) / grid.voxel - corner).astype(int) // step
    across = np.array([i != room.opening[0] for i in range(3)])
    edges = np.maximum(np.round(np.array(EDGES) / (step * grid.voxel)), 1).astype(int)
    first, last = largest_cuboid(mask, cell, across, edges)
    first, last = widen(inner, first * step, (last + 1) * step - 1)
    low = grid.low + (corner + first) * grid.voxel
    high = grid.low + (corner + last + 1) * grid.voxel
    sides = [(axis, sign) for axis in range(3) for sign in (-1, 1)]
    walls = [side for side in sides if side != room.opening]
    grow(low, high, hulls, walls, reach=2.0 * grid.voxel)
    return low, high


def coarse(mask: Mask, step: int, step_z: int | None = None) -> Mask:
    """Cubes of ``step`` cubes each, or ``step_z`` along the last axis; true where all are."""
    steps = (step, step, step if step_z is None else step_z)
    padded = np.pad(mask, [(0, -n % s) for n, s in zip(mask.shape, steps, strict=True)])
    nx, ny, nz = (n // s for n, s in zip(padded.shape, steps, strict=True))
    blocks = padded.reshape(nx, steps[0], ny, steps[1], nz, steps[2])
    return np.asarray(blocks.all(axis=(1, 3, 5)))
