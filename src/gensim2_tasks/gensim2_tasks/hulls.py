"""Convex hulls of the meshes of assets."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import trimesh

from .asset_files import MAX_NUMBER, AssetError, short
from .se3 import Array


def hull_vertices(mesh: Path) -> Array:
    """Vertices (N, 3) of the convex hull of a mesh, unscaled. Kept until the file changes.

    Raises:
        AssetError: The file is missing, no mesh, or has no hull.
    """
    try:
        found = mesh.stat()
    except OSError as error:
        raise AssetError(f"{mesh}: cannot be read: {error}") from None
    return _hull_vertices(mesh, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4096)
def _hull_vertices(mesh: Path, _time: int, _size: int) -> Array:
    try:
        loaded = trimesh.load(mesh, force="mesh", process=False, skip_materials=True)
        # trimesh works out a mass too, which a hull without volume does not have.
        with np.errstate(all="ignore"):
            vertices = np.asarray(loaded.convex_hull.vertices, dtype=float)
    except Exception as error:  # trimesh and qhull raise many kinds of error
        raise AssetError(
            f"{mesh}: no convex hull can be made of this mesh: {short(str(error))}; it must be a "
            "body with a volume"
        ) from None
    if not len(vertices) or not np.all(np.abs(vertices) <= MAX_NUMBER):
        raise AssetError(
            f"{mesh}: no convex hull can be made of this mesh: its vertices must be finite and at "
            f"most {MAX_NUMBER:g}"
        )
    return vertices
