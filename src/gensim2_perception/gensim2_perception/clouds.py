"""Operators on point clouds: deproject, transform, crop, thin, clean, sample.

A cloud is an (M, 3) float32 array of points [m] with, where colour matters, an (M, 3) uint8 array
beside it. Operators that choose points return an index array, so that any attribute can follow.
Every operator is a pure function of its input: the same points give the same result, to the bit.
For that reason nothing here calls a threaded matrix product or a random number generator.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import fpsample
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from .frames import PinholeIntrinsics

Points = NDArray[np.float32]
Index = NDArray[np.intp]

# Bits of the point index in the packed sort key of `voxel`.
_INDEX_BITS = 24
_KEY_LIMIT = 1 << (63 - _INDEX_BITS)


@lru_cache(maxsize=16)
def _ray_columns(intrinsics: PinholeIntrinsics) -> tuple[Points, Points]:
    """Slopes x / z and y / z of every pixel, flattened row by row."""
    x = (np.arange(intrinsics.width, dtype=np.float64) - intrinsics.cx) / intrinsics.fx
    y = (np.arange(intrinsics.height, dtype=np.float64) - intrinsics.cy) / intrinsics.fy
    columns = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    flat = tuple(c.ravel() for c in columns)
    for column in flat:
        column.flags.writeable = False
    return flat[0], flat[1]


@lru_cache(maxsize=16)
def _mm_range(depth_min: float, depth_max: float) -> tuple[int, int] | None:
    """First and last reading in mm that is used; None = no reading can be."""
    metres = np.multiply(np.arange(1 << 16, dtype=np.uint16), 0.001, dtype=np.float32)
    used = np.flatnonzero((metres > 0.0) & (metres >= depth_min) & (metres <= depth_max))
    return (int(used[0]), int(used[-1])) if len(used) else None


def usable_readings(
    depth: NDArray[np.uint16] | NDArray[np.float32], depth_min: float, depth_max: float
) -> NDArray[np.uint8]:
    """Marks the pixels of a depth image with a reading in a range.

    Args:
        depth: (H, W) uint16 [mm] or float32 [m]; 0, NaN and infinity are no readings.
        depth_min: Readings nearer than this along the optical axis are dropped [m].
        depth_max: Readings further away than this are dropped [m].

    Returns:
        (H, W) uint8: 255 where there is one, else 0.

    Raises:
        ValueError: type of the image.
    """
    if depth.dtype == np.uint16:
        # Whole numbers are compared as they are, in one pass over two bytes per pixel.
        span = _mm_range(depth_min, depth_max)
        if span is None:
            return np.zeros(depth.shape, np.uint8)
        return np.asarray(cv2.inRange(depth, *span), np.uint8)
    if depth.dtype != np.float32:
        raise ValueError(f"depth image: uint16 [mm] or float32 [m] expected, got {depth.dtype}")
    # NaN fails every comparison, so it needs no test of its own.
    used = (depth > 0.0) & (depth >= depth_min) & (depth <= depth_max) & (depth < np.inf)
    return used.view(np.uint8) * np.uint8(255)


def deproject(
    depth: NDArray[np.uint16] | NDArray[np.float32],
    intrinsics: PinholeIntrinsics,
    depth_min: float = 0.0,
    depth_max: float = np.inf,
) -> tuple[Points, Index]:
    """Turns a depth image into points in the optical frame (z forward, x right, y down).

    Args:
        depth: (H, W) uint16 [mm] or float32 [m]. Pixels without a reading (0, NaN, infinity)
            give no point.
        intrinsics: Of the image.
        depth_min: Readings nearer than this along the optical axis are dropped [m].
        depth_max: Readings further away than this are dropped [m].

    Returns:
        Points (M, 3) float32 [m], in the order of the pixels, and their flat pixel index (M,).

    Raises:
        ValueError: size or type of the image do not fit.
    """
    pixels = marked_pixels(usable_readings(depth, depth_min, depth_max))
    return deproject_pixels(depth, intrinsics, pixels), pixels


def marked_pixels(mask: NDArray[np.uint8]) -> Index:
    """Flat index of the pixels that are not 0 in an (H, W) mask, ascending."""
    # numpy finds true values several times faster than numbers that are not 0.
    return np.flatnonzero(mask != 0)


def deproject_pixels(
    depth: NDArray[np.uint16] | NDArray[np.float32], intrinsics: PinholeIntrinsics, pixels: Index
) -> Points:
    """Points of some pixels of a depth image in the optical frame (z forward, x right, y down).

    Args:
        depth: (H, W) uint16 [mm] or float32 [m].
        intrinsics: Of the image.
        pixels: (M,) flat index of pixels with a reading.

    Returns:
        (M, 3) float32 [m], in the order of the pixels.

    Raises:
        ValueError: size of the image does not fit.
    """
    if depth.shape != (intrinsics.height, intrinsics.width):
        raise ValueError(
            f"depth image is {depth.shape}, the camera model says "
            f"{(intrinsics.height, intrinsics.width)}"
        )
    ray_x, ray_y = _ray_columns(intrinsics)
    points = _empty_points(len(pixels))
    z = points[:, 2]
    readings = depth.ravel().take(pixels)
    if readings.dtype == np.uint16:
        np.multiply(readings, 0.001, out=z, dtype=np.float32)
    else:
        z[:] = readings
    np.multiply(ray_x.take(pixels), z, out=points[:, 0])
    np.multiply(ray_y.take(pixels), z, out=points[:, 1])
    return points


def _empty_points(count: int) -> Points:
    """Space for points (count, 3), each coordinate in one piece: work goes along coordinates."""
    return np.empty((3, count), np.float32).T


def take_points(points: Points, index: Index) -> Points:
    """Some of the points (M, 3), in the order of the index; the same as ``points[index]``."""
    taken = _empty_points(len(index))
    for axis in range(3):
        np.take(points[:, axis], index, out=taken[:, axis], mode="clip")
    return taken


def transform(T_a_b: ArrayLike, p_b: Points) -> Points:
    """Maps points from frame b to frame a.

    Args:
        T_a_b: (4, 4) rigid transform.
        p_b: (M, 3) float32 [m].

    Returns:
        (M, 3) float32 [m] in frame a.
    """
    T = np.asarray(T_a_b, np.float64).astype(np.float32)
    x, y, z = p_b[:, 0], p_b[:, 1], p_b[:, 2]
    p_a = _empty_points(len(p_b))
    for row in range(3):
        p_a[:, row] = T[row, 0] * x + T[row, 1] * y + T[row, 2] * z + T[row, 3]
    return p_a


def crop_box(points: Points, lower: ArrayLike, upper: ArrayLike) -> Index:
    """Index of the points inside an axis-aligned box, faces included.

    The lower z bound is also what removes the table: in ``base`` the table top is z = 0.

    Args:
        points: (M, 3) [m].
        lower: (3,) smallest x, y, z [m].
        upper: (3,) largest x, y, z [m].
    """
    low = np.asarray(lower, np.float32)
    high = np.asarray(upper, np.float32)
    inside = np.ones(len(points), bool)
    for axis in range(3):
        column = points[:, axis]
        inside &= (column >= low[axis]) & (column <= high[axis])
    return np.flatnonzero(inside)


def voxel(points: Points, edge: float) -> Index:
    """Index of one point per occupied cube of a grid: the first one in the order of the input.

    Args:
        points: (M, 3) [m], finite.
        edge: Edge of the cubes [m]. The grid is fixed in the frame of the points (a cube starts
            at the origin), so a point keeps its cube when others come and go.

    Returns:
        Ascending index array.

    Raises:
        ValueError: the edge is not positive, or so small that the cubes cannot be numbered.
    """
    if not edge > 0.0:
        raise ValueError(f"voxel edge must be positive, got {edge}")
    count = len(points)
    if count == 0:
        return np.empty(0, np.intp)
    key = _cube_numbers(points, edge) if count <= 1 << _INDEX_BITS else None
    if key is None:
        raise ValueError(
            f"voxel edge {edge} m is too small for {count} points from {points.min(axis=0)} to "
            f"{points.max(axis=0)} m; crop the cloud first or use a larger edge"
        )
    # Cell and index in one integer: one plain sort instead of a slower stable argsort.
    packed = (key << _INDEX_BITS) | np.arange(count)
    packed.sort()
    sorted_key = packed >> _INDEX_BITS
    first = np.ones(count, bool)
    np.not_equal(sorted_key[1:], sorted_key[:-1], out=first[1:])
    chosen = packed[first] & ((1 << _INDEX_BITS) - 1)
    chosen.sort()
    return chosen.astype(np.intp)


def _cube_numbers(points: Points, edge: float) -> NDArray[np.int64] | None:
    """Number of the cube of a grid each of the points (one or more) is in; None = too many."""
    number = np.zeros(len(points), np.int64)
    total = 1
    for axis in range(3):
        cell = np.floor(points[:, axis] / np.float32(edge))
        first = float(cell.min())
        size = float(cell.max()) - first + 1.0
        if not total * size <= _KEY_LIMIT:
            return None
        total *= int(size)
        number *= int(size)
        number += cell.astype(np.int64) - int(first)
    return number


def thin(count: int, limit: int) -> Index:
    """Index of at most ``limit`` of ``count`` items, evenly spread over their order.

    Cheap, and fair as long as neighbours in the order are neighbours in space, as pixels are.
    """
    if limit <= 0:
        raise ValueError(f"thin: the limit must be positive, got {limit}")
    if count <= limit:
        return np.arange(count, dtype=np.intp)
    return (np.arange(limit, dtype=np.int64) * count // limit).astype(np.intp)


def radius_inliers(points: Points, radius: float, neighbours: int) -> Index:
    """Index of the points that have at least ``neighbours`` other points within ``radius`` [m]."""
    if neighbours <= 0:
        return np.arange(len(points), dtype=np.intp)
    if len(points) <= neighbours:
        return np.empty(0, np.intp)
    inlier = _crowded(points, radius, neighbours)
    rest = np.flatnonzero(~inlier)
    if len(rest):
        # The nearest point of a point is itself, hence k = neighbours + 1.
        distance, _ = _tree(points).query(
            points[rest], k=[neighbours + 1], distance_upper_bound=np.nextafter(radius, np.inf)
        )
        inlier[rest] = np.isfinite(distance[:, 0])
    return np.flatnonzero(inlier)


def _crowded(points: Points, radius: float, neighbours: int) -> NDArray[np.bool_]:
    """Marks the points that share a cube with enough others, all of which are in the radius."""
    # The diagonal of the cube is the radius less 1 %, more than float32 errs over 80000 cubes.
    edge = 0.99 * radius / math.sqrt(3.0)
    key = _cube_numbers(points, edge)
    if key is None:
        return np.zeros(len(points), np.bool_)
    _, cube, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(count[cube] > neighbours, np.bool_)


def _tree(points: Points) -> cKDTree:
    """Tree for nearest neighbours; split in the middle of space it is made twice as fast."""
    return cKDTree(points, balanced_tree=False)


def statistical_inliers(points: Points, neighbours: int, std_ratio: float) -> Index:
    """Index of the points that are not unusually far from their neighbours.

    The mean distance of a point to its nearest ``neighbours`` points must not exceed the mean of
    that figure over the cloud by more than ``std_ratio`` standard deviations. A cloud of no more
    than ``neighbours`` points is returned whole, because nothing can be said about it.
    """
    if neighbours <= 0:
        raise ValueError(f"statistical outliers: neighbours must be positive, got {neighbours}")
    if len(points) <= neighbours:
        return np.arange(len(points), dtype=np.intp)
    distance, _ = _tree(points).query(points, k=neighbours + 1)
    mean = distance[:, 1:].mean(axis=1)
    return np.flatnonzero(mean <= mean.mean() + std_ratio * mean.std())


def farthest_points(points: Points, count: int) -> Index:
    """Index of exactly ``count`` points, chosen by farthest point sampling.

    Each next point is the one farthest from all chosen so far. The first one follows from the
    order of the input, so the same array always gives the same answer. If there are fewer points
    than asked for, all of them are taken in their order and then again from the start, as often
    as needed; never at random.

    Args:
        points: (M, 3) float32 [m], finite.
        count: How many [-]; 0 gives an empty index.

    Raises:
        ValueError: ``count`` is negative, or positive while there is no point at all.
    """
    available = len(points)
    if count < 0:
        raise ValueError(f"farthest point sampling: cannot choose {count} points")
    if count == 0:
        return np.empty(0, np.intp)
    if available == 0:
        raise ValueError(f"farthest point sampling: {count} points wanted from an empty cloud")
    if available <= count:
        return np.arange(count, dtype=np.intp) % available
    chosen = fpsample.bucket_fps_kdline_sampling(
        points, count, h=_bucket_depth(available), start_idx=0
    )
    return chosen.astype(np.intp)


def _bucket_depth(count: int) -> int:
    """Depth of the bucket tree that was fastest for this many points; 2**depth <= count."""
    if count < 32:
        return count.bit_length() - 1
    if count <= 16_384:
        return 5
    return 6 if count <= 40_000 else 7
