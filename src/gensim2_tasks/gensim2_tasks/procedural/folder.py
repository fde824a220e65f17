"""The folder of one articulated object: mobility.urdf, info.json, meshes/*.obj and materials.

The layout and its conventions are those of PartNet-Mobility as used by GenSim2, so that one
importer reads downloaded and generated objects alike:

* the root link `base` has no geometry; a fixed joint turns it into the body frame (x to the side,
  y up, z to the front), such that the front faces -x of the root frame;
* exactly one joint moves; the meshes of the moving link carry an origin that cancels the origin of
  the joint, so their frame (the frame of the keypoints) is the body frame at joint position 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np

from gensim2_tasks.procedural.parts import Array, Part

BODY_RPY = "1.570796326794897 0 -1.570796326794897"
ROOT_FROM_BODY: Array = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MATERIALS = "materials.mtl"
DENSITY = 100.0  # kg/m^3, of what says no other
VERSION = 6


@dataclass(frozen=True)
class Joint:
    """The moving joint in the body frame: m or rad, closed end first.

    Attributes:
        kind: URDF joint type.
        origin: (3,) a point of the axis.
        axis: (3,) unit axis; positive motion opens.
        limits: lower and upper stop.
        closed_open: joint position at openness 0 and at openness 1, within the limits.
        friction: N m or N.
    """

    kind: Literal["revolute", "prismatic"]
    origin: tuple[float, float, float]
    axis: tuple[float, float, float]
    limits: tuple[float, float]
    closed_open: tuple[float, float]
    friction: float


@dataclass(frozen=True)
class Model:
    """One generated object, ready to be written.

    Attributes:
        body: parts of the fixed link.
        moving_link: name of the moving link.
        moving: parts of the moving link as they lie at joint position 0, body frame.
        joint: the joint between the two.
        keypoints: name -> (3,). Root frame if the name contains `base`, else body frame at joint
            position 0.
        descriptions: one line per keypoint.
        axis: body axis used by the `rotate` motion, or None.
        geometry: sizes by name, for whoever wants to know how the object was made.
        free: nothing holds it; the joint is the way it is meant to go, and the body has no parts.
        density: kg/m^3.
    """

    body: tuple[Part, ...]
    moving_link: str
    moving: tuple[Part, ...]
    joint: Joint
    keypoints: Mapping[str, tuple[float, float, float]]
    descriptions: Mapping[str, str]
    axis: str | None
    geometry: Mapping[str, Any] = field(default_factory=dict)
    free: bool = False
    density: float = DENSITY


def to_root(point: tuple[float, float, float]) -> tuple[float, float, float]:
    """Map a point (3,) of the body frame to the root frame."""
    x, y, z = ROOT_FROM_BODY @ np.asarray(point, dtype=float)
    return float(x), float(y), float(z)


def write_folder(model: Model, folder: Path, *, category: str, seed: int) -> None:
    """Write `model` into `folder` (made if missing); info.json comes last.

    Files of an earlier call with the same model are overwritten with the same bytes.

    Raises:
        ValueError: two parts have the same name.
        OSError: the folder cannot be written.
    """
    parts = (*model.body, *model.moving)
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        raise ValueError(f"{category} seed {seed}: part names are not unique: {sorted(names)}")
    meshes = folder / "meshes"
    meshes.mkdir(parents=True, exist_ok=True)
    colours = sorted({part.colour for part in parts})
    (meshes / MATERIALS).write_text(_materials(colours), encoding="utf-8")
    for part in parts:
        text = _obj(part, f"colour_{colours.index(part.colour)}")
        (meshes / f"{part.name}.obj").write_text(text, encoding="utf-8")
    (folder / "mobility.urdf").write_text(_urdf(model, f"{category}_{seed}"), encoding="utf-8")
    (folder / "info.json").write_text(_info(model, category, seed), encoding="utf-8")


def _number(value: float) -> str:
    text = f"{value:.6f}"
    return "0.000000" if text == "-0.000000" else text


def _numbers(values: Any) -> str:
    return " ".join(_number(float(value)) for value in values)


def _materials(colours: list[tuple[float, float, float]]) -> str:
    lines: list[str] = []
    for index, colour in enumerate(colours):
        lines += [
            f"newmtl colour_{index}",
            f"Kd {_numbers(colour)}",
            "Ka 0.000000 0.000000 0.000000",
            "Ks 0.050000 0.050000 0.050000",
            "Ns 20.000000",
            "d 1.000000",
        ]
    return "\n".join(lines) + "\n"


def _obj(part: Part, material: str) -> str:
    corners = part.vertices[part.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    lines = [f"mtllib {MATERIALS}", f"o {part.name}"]
    lines += [f"v {_numbers(vertex)}" for vertex in part.vertices]
    lines += [f"vn {_numbers(normal)}" for normal in normals]
    lines.append(f"usemtl {material}")
    for index, face in enumerate(part.faces):
        lines.append("f " + " ".join(f"{vertex + 1}//{index + 1}" for vertex in face))
    return "\n".join(lines) + "\n"


def _link(name: str, parts: tuple[Part, ...], origin: str) -> ElementTree.Element:
    link = ElementTree.Element("link", name=name)
    for kind in ("collision", "visual"):
        for part in parts:
            if kind == "collision" and not part.collides:
                continue
            element = ElementTree.SubElement(link, kind, name=part.name)
            ElementTree.SubElement(element, "origin", xyz=origin, rpy="0 0 0")
            geometry = ElementTree.SubElement(element, "geometry")
            ElementTree.SubElement(geometry, "mesh", filename=f"meshes/{part.name}.obj")
    return link


def _urdf(model: Model, name: str) -> str:
    joint = model.joint
    robot = ElementTree.Element("robot", name=name)
    robot.append(ElementTree.Element("link", name="base"))
    robot.append(_link("body", model.body, "0 0 0"))
    fixed = ElementTree.SubElement(robot, "joint", name="joint_base", type="fixed")
    ElementTree.SubElement(fixed, "origin", xyz="0 0 0", rpy=BODY_RPY)
    ElementTree.SubElement(fixed, "parent", link="base")
    ElementTree.SubElement(fixed, "child", link="body")
    cancelled = _numbers(-np.asarray(joint.origin))
    robot.append(_link(model.moving_link, model.moving, cancelled))
    moving = ElementTree.SubElement(
        robot, "joint", name=f"joint_{model.moving_link}", type=joint.kind
    )
    ElementTree.SubElement(moving, "origin", xyz=_numbers(joint.origin), rpy="0 0 0")
    ElementTree.SubElement(moving, "parent", link="body")
    ElementTree.SubElement(moving, "child", link=model.moving_link)
    ElementTree.SubElement(moving, "axis", xyz=" ".join(f"{int(a)}" for a in joint.axis))
    ElementTree.SubElement(
        moving,
        "limit",
        lower=_number(joint.limits[0]),
        upper=_number(joint.limits[1]),
        effort="100",
        velocity="10",
    )
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


def _rounded(value: Any) -> Any:
    """Round every number of nested dictionaries and sequences to six decimals."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(item) for item in value]
    if isinstance(value, int | np.integer):
        return int(value)
    return float(_number(float(value)))


def _info(model: Model, category: str, seed: int) -> str:
    info: dict[str, Any] = {
        "scale": 1.0,
        "keypoints": model.keypoints,
        "keypoint_descriptions": model.descriptions,
    }
    if model.axis is not None:
        info["axis"] = model.axis
    if model.free:
        info["free_body"] = True
    info |= {
        "joint_position_range": model.joint.closed_open,
        "joint_friction": model.joint.friction,
        "density": model.density,
        "geometry": model.geometry,
        "licence": "Apache-2.0",
        "generator": {"category": category, "seed": seed, "version": VERSION},
    }
    return json.dumps(_rounded(info), indent=2) + "\n"
