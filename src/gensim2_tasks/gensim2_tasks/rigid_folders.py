"""Rigid objects of GenSim2, made into folders that are read like those of all other objects.

GenSim2 keeps them as ``rigidbody_objs/models/<name>/``: ``textured.obj`` to look at,
``collision.obj`` of convex pieces, and ``info.json`` with scale and keypoints. What is made of it
is a free body as in `procedural.household`: its root stands in the middle of the object, z up as
it rests, and its one joint leads straight up.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from pydantic import Field

from . import procedural
from .asset_files import MAX_MESH, AssetError, read_file, short
from .asset_info import AssetInfo, load_info
from .convex_pieces import Piece, convex_pieces, thinned
from .procedural.folder import VERSION as PROCEDURAL_VERSION
from .procedural.household import LIFT, LIFT_STOP
from .se3 import Array
from .stable_pose import resting_rotation

MODELS = Path("rigidbody_objs") / "models"
VISUAL, COLLISION, INFO = "textured.obj", "collision.obj", "info.json"
MATERIALS = "textured.mtl"
VERSION = 1  # of what is made, so that nothing old is taken from a cache
PREFIX, OWN_PREFIX = "rigidbody_object_", "articulated_object_"
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tga")
LINK = "thing"
# kg/m^3 of what is no household thing known here: fruit is a little lighter than water, boxes and
# utensils much.
DENSITY = 500.0
MAX_DENSITY = 1e5  # kg/m^3, that of asset_info


class RigidInfo(AssetInfo):
    """``info.json`` of a rigid object; ``mass`` (kg) or ``density`` are ours."""

    mass: float | None = Field(None, gt=0.0, le=1e3)


def rigid_folder(root: Path, category: str) -> Path | None:
    """The folder of the rigid object of a category, or None; a folder without meshes is none."""
    folder = root / MODELS / category
    try:
        found = any((folder / name).exists() for name in (VISUAL, COLLISION))
    except OSError as error:
        raise AssetError(f"{folder}: cannot be read: {error}") from None
    return folder if found else None


def fingerprint(source: Path) -> str:
    """Names the contents of the folder of a rigid object: what is made of others differs.

    Raises:
        AssetError: A file is missing or unusable.
    """
    digest = hashlib.sha256(f"{VERSION} {PROCEDURAL_VERSION}".encode())
    for file in (source / INFO, source / COLLISION, *_shown(source).values()):
        data = read_file(file, needed="a rigid object needs it", limit=MAX_MESH)
        digest.update(f"{file.name} {len(data)} ".encode() + data)
    return digest.hexdigest()[:16]


def convert(source: Path, folder: Path, category: str) -> None:
    """Makes a folder with ``mobility.urdf``, ``info.json`` and meshes of a rigid object.

    Mass: as ``mass`` or ``density`` of the info say. Where they say nothing, the object is as dense
    as the generated one of its category is, all of its pieces being solid. GenSim2 takes 100 kg/m^3
    for everything, a third of the weight of cork: an apple of 6 g, which slides away from the
    fingers before it can be held.

    Args:
        source: Folder of the rigid object.
        folder: What is written; made if missing.
        category: Of the object.

    Raises:
        AssetError: A file is missing or unusable; says which, why and how to mend it.
        OSError: The folder cannot be written.
    """
    info, document = load_info(source, RigidInfo)
    pieces = convex_pieces(source / COLLISION)
    R = _resting(pieces)
    pieces = tuple(thinned(piece, R.T @ [0.0, 0.0, -1.0]) for piece in pieces)
    R = _resting(pieces)  # on the hulls that are simulated
    volume = sum(piece.volume for piece in pieces) * info.scale**3
    standing = np.concatenate([piece.vertices for piece in pieces]) @ R.T
    middle = 0.5 * (standing.min(axis=0) + standing.max(axis=0))

    folder.mkdir(parents=True, exist_ok=True)
    for name, file in _shown(source).items():
        shutil.copyfile(file, folder / name)
    names = [f"piece_{number}.obj" for number in range(len(pieces))]
    for name, piece in zip(names, pieces, strict=True):
        _write_obj(piece, folder / name)
    (folder / "mobility.urdf").write_text(_urdf(names, R, -middle, info.scale), encoding="utf-8")
    made = document | {
        "keypoints": {_own(name): point for name, point in info.keypoints.items()},
        "keypoint_descriptions": {
            _own(name): text for name, text in info.keypoint_descriptions.items()
        },
        "density": _density(info, volume, category, source),
        "free_body": True,
        "joint_position_range": [0.0, LIFT],
        "joint_friction": 0.0,
    }
    (folder / INFO).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _resting(pieces: tuple[Piece, ...]) -> Array:
    """Rotation (3, 3) with which an object of one density rests."""
    p_mass = np.average([p.centre for p in pieces], axis=0, weights=[p.volume for p in pieces])
    return resting_rotation(np.concatenate([piece.vertices for piece in pieces]), p_mass)


def _own(name: str) -> str:
    """Name of a keypoint as all other objects have it."""
    return OWN_PREFIX + name.removeprefix(PREFIX) if name.startswith(PREFIX) else name


def _density(info: RigidInfo, volume: float, category: str, source: Path) -> float:
    """Density (kg/m^3) of all pieces, which have together a volume (m^3)."""
    if info.mass is not None:
        density = info.mass / volume
        if not density <= MAX_DENSITY:
            raise AssetError(
                f"{source / INFO}: mass {info.mass:g} kg in {1e6 * volume:.3g} cm^3 is more than "
                f"{MAX_DENSITY:g} kg/m^3; change mass or scale"
            )
        return density
    if "density" in info.model_fields_set:
        return info.density
    if category in procedural.categories():
        return procedural.make_model(category, 0).density
    return DENSITY


def _shown(source: Path) -> dict[str, Path]:
    """The mesh to look at, with the materials and pictures that it names, by their names.

    The meshes of GenSim2 name materials that are not there, while those of the mesh lie beside it
    as ``textured.mtl``: these are meant.

    Raises:
        AssetError: One is missing, elsewhere, or of a format that is not read.
    """
    files = {VISUAL: source / VISUAL}
    for name in _named(files[VISUAL], "mtllib"):
        meant = source / MATERIALS
        if (source / name).exists() or not meant.exists():
            meant = _beside(source, name, files[VISUAL], (".mtl",))
        files[Path(name).name] = meant
        for picture in _named(meant, "map_"):
            files[picture] = _beside(source, picture, meant, IMAGES)
    return files


def _named(file: Path, keyword: str) -> list[str]:
    """The files that lines with a keyword name."""
    data = read_file(file, needed="a rigid object needs it", limit=MAX_MESH)
    lines = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
    # Options of a texture come before its name.
    return [line.split()[-1] for line in lines if line.startswith(keyword) and " " in line]


def _beside(source: Path, name: str, by: Path, suffixes: tuple[str, ...]) -> Path:
    """A file that another one names, which must be in the same folder."""
    file = source / name
    try:
        inside = file.resolve().parent == source.resolve() and Path(name).name == name
        found = inside and file.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a loop of links
        inside, found = True, False
    if not inside:
        raise AssetError(f"{by}: {short(name)} is outside of the folder of the object; copy it in")
    if not found:
        raise AssetError(f"{by}: {short(name)} is missing in {source}; add the file")
    if file.suffix.lower() not in suffixes:
        raise AssetError(
            f"{by}: {short(name)} is of a format that is not read; convert it to one of "
            f"{', '.join(suffixes)}"
        )
    return file


def _write_obj(piece: Piece, file: Path) -> None:
    lines = ["v " + " ".join(f"{x:.9g}" for x in vertex) for vertex in piece.vertices]
    lines += ["f " + " ".join(str(i + 1) for i in face) for face in piece.faces]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rpy(R: Array) -> tuple[float, float, float]:
    """Angles (rad) about the fixed x, y and z of a rotation, of which a URDF consists."""
    level = float(np.hypot(R[0, 0], R[1, 0]))
    pitch = float(np.arctan2(-R[2, 0], level))
    if level < 1e-9:  # x points straight up or down: one of the others is enough
        return 0.0, pitch, float(np.arctan2(-R[0, 1], R[1, 1]))
    return float(np.arctan2(R[2, 1], R[2, 2])), pitch, float(np.arctan2(R[1, 0], R[0, 0]))


def _urdf(pieces: list[str], R: Array, offset: Array, scale: float) -> str:
    """The URDF. Its lengths are scaled when it is read, so those in metres are divided by it."""
    xyz, turn = (" ".join(f"{x:.12g}" for x in v) for v in (offset, _rpy(R)))
    robot = ElementTree.Element("robot", name=LINK)
    robot.append(ElementTree.Element("link", name="base"))
    link = ElementTree.SubElement(robot, "link", name=LINK)
    for tag, mesh in (("visual", VISUAL), *(("collision", piece) for piece in pieces)):
        shape = ElementTree.SubElement(link, tag)
        ElementTree.SubElement(shape, "origin", xyz=xyz, rpy=turn)
        ElementTree.SubElement(ElementTree.SubElement(shape, "geometry"), "mesh", filename=mesh)
    joint = ElementTree.SubElement(robot, "joint", name=f"joint_{LINK}", type="prismatic")
    ElementTree.SubElement(joint, "parent", link="base")
    ElementTree.SubElement(joint, "child", link=LINK)
    ElementTree.SubElement(joint, "axis", xyz="0 0 1")
    end = f"{LIFT_STOP / scale:.12g}"
    ElementTree.SubElement(joint, "limit", lower="0", upper=end, effort="100", velocity="10")
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"
