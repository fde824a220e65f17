"""The kinematic tree of an object's URDF: fixed joints and at most one moving joint."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import se3
from .se3 import Array


class AssetError(ValueError):
    """An asset cannot be used; the message names the file, what is wrong and how to mend it."""


@dataclass(frozen=True)
class Shape:
    """A mesh on a link. ``T_link_shape`` is scaled; the mesh file is not."""

    link: str
    mesh: Path
    T_link_shape: Array


@dataclass(frozen=True)
class Joint:
    """A joint of the tree, scaled. ``kind`` is fixed, revolute, continuous or prismatic."""

    name: str
    kind: str
    parent: str
    child: str
    T_parent_joint: Array
    axis: Array
    limits: tuple[float, float]


@dataclass(frozen=True)
class KinematicTree:
    """Links, joints (a parent before its children) and shapes of one object, in metres."""

    root: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    collisions: tuple[Shape, ...]
    visuals: tuple[Shape, ...]

    @property
    def moving(self) -> Joint:
        """The one joint that moves."""
        return next(j for j in self.joints if j.kind != "fixed")

    def link_poses(self, q: float) -> dict[str, Array]:
        """T_root_link of every link for a joint position ``q`` (rad or m)."""
        poses = {self.root: np.eye(4)}
        for joint in self.joints:
            T = poses[joint.parent] @ joint.T_parent_joint
            if joint.kind == "prismatic":
                T = T @ se3.transform(joint.axis * q)
            elif joint.kind != "fixed":
                T = T @ se3.about_line(np.zeros(3), joint.axis, q)
            poses[joint.child] = T
        return poses

    def axis_in_root(self) -> tuple[Array, Array]:
        """A point on the axis of the moving joint and its unit direction, in the root frame."""
        joint = self.moving
        T = self.link_poses(0.0)[joint.parent] @ joint.T_parent_joint
        return T[:3, 3].copy(), T[:3, :3] @ joint.axis


def load_tree(path: Path, scale: float) -> KinematicTree:
    """Reads a URDF and scales it.

    Raises:
        AssetError: The file is missing, not XML, not a tree, has no mesh, refers to a missing
            mesh or scales one, or has another number of moving joints than one.
    """
    try:
        root = ET.parse(path).getroot()
    except FileNotFoundError:
        raise AssetError(f"{path}: no such file; an asset folder needs a mobility.urdf") from None
    except OSError as error:
        raise AssetError(f"{path}: cannot be read: {error}") from None
    except (ET.ParseError, LookupError, ValueError) as error:  # the last two: unknown encodings
        raise AssetError(f"{path}: not well-formed XML: {error}") from None
    links = tuple(e.attrib.get("name", "") for e in root.findall("link"))
    joints = [_joint(e, scale, path) for e in root.findall("joint")]
    for kind, names in (("links", links), ("joints", [j.name for j in joints])):
        if len({*names}) != len(names):
            raise AssetError(f"{path}: two {kind} share a name; names must be unique")
    children = {j.child for j in joints}
    roots = [name for name in links if name not in children]
    known = {*links}
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in known:
                raise AssetError(f"{path}: joint {joint.name!r} refers to unknown link {link!r}")
    ordered = _parents_first(joints, {*roots})
    if len(roots) != 1 or len(children) != len(joints) or len(ordered) != len(joints):
        raise AssetError(f"{path}: the links do not form one tree (roots: {roots})")
    moving = [j for j in joints if j.kind != "fixed"]
    if len(moving) != 1:
        raise AssetError(f"{path}: needs exactly one moving joint, has {len(moving)}")
    collisions = tuple(_shapes(root, "collision", scale, path))
    if not collisions:
        raise AssetError(f"{path}: no collision mesh")
    return KinematicTree(
        roots[0], links, ordered, collisions, tuple(_shapes(root, "visual", scale, path))
    )


def _parents_first(joints: list[Joint], roots: set[str]) -> tuple[Joint, ...]:
    """Orders joints, a parent before its children; those in a cycle are left out."""
    placed, pending, ordered = {*roots}, [*joints], []
    while (i := next((i for i, j in enumerate(pending) if j.parent in placed), None)) is not None:
        ordered.append(pending.pop(i))
        placed.add(ordered[-1].child)
    return tuple(ordered)


def _numbers(text: str | None, default: str, path: Path) -> Array:
    try:
        values = np.array([float(x) for x in (text or default).split()])
    except ValueError:
        raise AssetError(f"{path}: expected numbers, found {text!r}") from None
    if len(values) != len(default.split()) or not np.all(np.isfinite(values)):
        raise AssetError(f"{path}: expected {len(default.split())} numbers, found {text!r}")
    return values


def _origin(element: ET.Element, scale: float, path: Path) -> Array:
    origin = element.find("origin")
    attrib = {} if origin is None else origin.attrib
    xyz = _numbers(attrib.get("xyz"), "0 0 0", path)
    return se3.from_xyz_rpy(xyz * scale, _numbers(attrib.get("rpy"), "0 0 0", path))


def _joint(element: ET.Element, scale: float, path: Path) -> Joint:
    name = element.attrib.get("name", "?")
    kind = element.attrib.get("type", "?")
    parent, child = element.find("parent"), element.find("child")
    if kind not in ("fixed", "revolute", "continuous", "prismatic"):
        raise AssetError(f"{path}: joint {name!r} has unsupported type {kind!r}")
    if parent is None or child is None:
        raise AssetError(f"{path}: joint {name!r} lacks a parent or a child")
    axis_element, limit = element.find("axis"), element.find("limit")
    axis = _numbers(None if axis_element is None else axis_element.get("xyz"), "1 0 0", path)
    if np.linalg.norm(axis) < 1e-3:  # the simulator would silently take x instead
        raise AssetError(f"{path}: joint {name!r} has a zero axis")
    limits = (-np.inf, np.inf)
    if kind in ("revolute", "prismatic"):
        if limit is None:
            raise AssetError(f"{path}: joint {name!r} has no limit")
        factor = scale if kind == "prismatic" else 1.0
        lower = _numbers(limit.get("lower"), "0", path)[0] * factor
        upper = _numbers(limit.get("upper"), "0", path)[0] * factor
        if lower > upper:
            raise AssetError(f"{path}: joint {name!r} has limits {lower:g} > {upper:g}; swap them")
        limits = (float(lower), float(upper))
    return Joint(
        name,
        kind,
        parent.attrib.get("link", ""),
        child.attrib.get("link", ""),
        _origin(element, scale, path),
        axis / np.linalg.norm(axis),
        limits,
    )


def _shapes(root: ET.Element, tag: str, scale: float, path: Path) -> Iterator[Shape]:
    for link in root.findall("link"):
        for element in link.findall(tag):
            mesh = element.find("geometry/mesh")
            if mesh is None:
                raise AssetError(f"{path}: a {tag} of link {link.get('name')!r} is not a mesh")
            file = _mesh_file(mesh, path)
            yield Shape(link.attrib.get("name", ""), file, _origin(element, scale, path))


def _mesh_file(mesh: ET.Element, path: Path) -> Path:
    name = mesh.attrib.get("filename", "")
    file = path.parent / name
    try:
        found = file.is_file()
    except OSError:  # for example a name that is too long
        found = False
    if not found:
        raise AssetError(f"{path}: mesh {name!r} is missing")
    if np.any(_numbers(mesh.get("scale"), "1 1 1", path) != 1.0):
        raise AssetError(f"{path}: mesh {name!r} has a scale, which is not supported; resize it")
    return file
