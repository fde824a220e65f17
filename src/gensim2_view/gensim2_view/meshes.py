"""Mesh files in the form browsers load (binary glTF), with their colours."""

from __future__ import annotations

import functools
from pathlib import Path

import trimesh


class MeshError(ValueError):
    """A mesh file cannot be read; the message names it."""


@functools.lru_cache(maxsize=128)
def glb(path: Path) -> bytes:
    """Return a mesh file as binary glTF.

    Raises:
        MeshError: it is missing or unreadable.
    """
    try:
        scene = trimesh.load_scene(path)
        return bytes(scene.export(file_type="glb", include_normals=True))
    except Exception as error:  # trimesh raises many kinds of error
        raise MeshError(f"{path}: cannot be shown: {error}") from None
