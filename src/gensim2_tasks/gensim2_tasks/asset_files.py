"""Files of an asset folder, which come from anywhere: read with care, refused by name.

Nothing here hangs, follows a name out of the folder, or takes more memory than a file of an
asset deserves.
"""

from __future__ import annotations

import math
import reprlib
import stat
from pathlib import Path
from typing import Any
from xml.parsers import expat


class AssetError(ValueError):
    """An asset cannot be used; the message names the file, what is wrong and how to mend it."""


MAX_TEXT = 2_000_000  # bytes of mobility.urdf or info.json; the largest public one has 41 kB
MAX_MESH = 64_000_000  # bytes of a mesh
MAX_DEPTH = 30  # elements within each other; a URDF needs six
MAX_NUMBER = 1e6  # m, rad; beyond it a number is a mistake, and products of it overflow
# Formats that are read and shown and that refer to no file but materials beside them.
MESH_SUFFIXES = (".obj", ".stl", ".ply", ".glb")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 100


def short(value: object) -> str:
    """What a message quotes of a file: never more than a line."""
    return _SHORT.repr(value)


def read_file(path: Path, *, needed: str, limit: int = MAX_TEXT) -> bytes:
    """Reads a file of an asset.

    Args:
        path: The file.
        needed: What a missing file would be for; ends the message about it.
        limit: Largest size, bytes.

    Raises:
        AssetError: Missing, no ordinary file (a pipe would never end), too large or unreadable.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise AssetError(f"{path}: cannot be read: it is no ordinary file; {needed}")
        if found.st_size > limit:
            raise AssetError(
                f"{path}: {found.st_size} bytes, more than {limit}; is it the right file?"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise AssetError(f"{path}: no such file; {needed}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, AssetError):
            raise
        raise AssetError(f"{path}: cannot be read: {error}") from None


def check_xml(data: bytes, path: Path) -> None:
    """Refuses what no URDF needs and what harms a reader: entities, references, deep nesting.

    Raises:
        AssetError: Also where the data are not well-formed.
    """
    parser = expat.ParserCreate()
    depth = 0

    def doctype(*_: object) -> None:
        raise AssetError(
            f"{path}: line {parser.CurrentLineNumber}: has a DOCTYPE, which may define entities; "
            "remove it, a URDF needs none"
        )

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise AssetError(
                f"{path}: line {parser.CurrentLineNumber}: elements are nested deeper than "
                f"{MAX_DEPTH}; a URDF needs six levels"
            )

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)
    except AssetError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: encodings
        raise AssetError(
            f"{path}: not well-formed XML: {error}; is the file complete, and a URDF?"
        ) from None


def mesh_file(folder: Path, name: str, path: Path) -> Path:
    """The mesh that a URDF names.

    Args:
        folder: Folder of the asset, which the mesh must be in.
        name: What the URDF says.
        path: The URDF, for the message.

    Raises:
        AssetError: Elsewhere, missing, of another format, or too large.
    """
    file = folder / name
    try:
        inside = file.resolve().is_relative_to(folder.resolve())
        found = file.stat() if inside else None
    except (OSError, ValueError, RuntimeError):  # too long, a loop of links
        inside, found = True, None
    if not inside:
        raise AssetError(
            f"{path}: mesh {short(name)} is outside of the folder of the asset; copy it into it"
        )
    if found is None or not stat.S_ISREG(found.st_mode):
        raise AssetError(f"{path}: mesh {short(name)} is missing in {folder}; add the file")
    if file.suffix.lower() not in MESH_SUFFIXES:
        raise AssetError(
            f"{path}: mesh {short(name)} is of a format that is not read; convert it to one of "
            f"{', '.join(MESH_SUFFIXES)}"
        )
    if found.st_size > MAX_MESH:
        raise AssetError(
            f"{path}: mesh {short(name)} has {found.st_size} bytes, more than {MAX_MESH}; "
            "simplify it"
        )
    return file


def number_problem(value: Any, where: str = "") -> str:
    """Names the first number of a JSON document that is not finite or is absurd, or nothing.

    JSON has no such numbers, but readers of it make them: of ``NaN`` and of ``1e999``.
    """
    if isinstance(value, dict):
        items = [(f"{where}.{key}" if where else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{where}.{i}", item) for i, item in enumerate(value)]
    else:
        if isinstance(value, float) and not math.isfinite(value):
            return f"{where}: {value} is not a finite number"
        return ""
    return next((text for key, item in items if (text := number_problem(item, key))), "")
