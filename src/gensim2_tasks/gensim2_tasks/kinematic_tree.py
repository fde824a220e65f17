"""The kinematic tree of an object's URDF: fixed joints and at most one moving joint."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import se3
from .asset_files import MAX_NUMBER, AssetError, check_xml, mesh_file, read_file, short
from .se3 import Array

__all__ = ["AssetError", "Joint", "KinematicTree", "Shape", "load_tree", "with_range"]

MAX_PARTS = 2000  # links, and shapes of either kind; the largest public object has 138 shapes
_SHAPES = ("collision", "visual")
# Numbers of a joint that the simulator reads beside the limits; none of them may be negative.
_JOINT_NUMBERS = {"limit": ("effort", "velocity"), "dynamics": ("damping", "friction")}


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
        AssetError: The file is missing, too large, not XML or with entities; not a tree; has no
            mesh, or one that is missing, elsewhere or scaled; has another number of moving joints
            than one; or a number, mass or limit with which nothing can be simulated.
    """
    data = read_file(path, needed="an asset folder needs a mobility.urdf")
    check_xml(data, path)
    root = ET.fromstring(data)
    links = tuple(e.attrib.get("name", "") for e in root.findall("link"))
    shapes = sum(len(link.findall(t)) for link in root.findall("link") for t in _SHAPES)
    found = root.findall("joint")
    for count, what in ((len(links), "links"), (len(found), "joints"), (shapes, "shapes")):
        if count > MAX_PARTS:
            raise AssetError(f"{path}: {count} {what}, more than {MAX_PARTS}; merge them")
    joints = [_joint(e, scale, path) for e in found]
    ordered = _in_order(links, joints, path)
    moving = [j for j in joints if j.kind != "fixed"]
    if len(moving) != 1:
        named = f" ({', '.join(short(j.name) for j in moving[:5])})" if moving else ""
        raise AssetError(
            f"{path}: needs exactly one moving joint, has {len(moving)}{named}; make one revolute, "
            "continuous or prismatic and the others fixed"
        )
    for link in root.findall("link"):
        _check_link(link, path)
    collisions = tuple(_shapes(root, "collision", scale, path))
    if not collisions:
        raise AssetError(f"{path}: no collision mesh; give a link a <collision> with a mesh")
    visuals = tuple(_shapes(root, "visual", scale, path))
    return KinematicTree(ordered[0].parent, links, ordered, collisions, visuals)


def with_range(tree: KinematicTree, scale: float, wanted: tuple[float, float]) -> KinematicTree:
    """The tree with the limits of its slide as they are in the file, where those are meant.

    Lengths of a URDF are unscaled, but the slides that GenSim2 has put under whole objects are in
    metres. The range beside them tells: it lies beyond the scaled limits, and within the others.

    Args:
        tree: As it was read.
        scale: What it was scaled by.
        wanted: Joint position when closed and when open, m.
    """
    joint = tree.moving
    low, high = joint.limits
    beyond, within = high < max(wanted), max(wanted) <= high / scale
    if joint.kind != "prismatic" or not (beyond and within):
        return tree
    unscaled = (low / scale, high / scale)
    joints = tuple(replace(j, limits=unscaled) if j is joint else j for j in tree.joints)
    return replace(tree, joints=joints)


def _in_order(links: tuple[str, ...], joints: list[Joint], path: Path) -> tuple[Joint, ...]:
    """Orders joints, a parent before its children; refuses what is not one tree."""
    for kind, names in (("links", links), ("joints", [j.name for j in joints])):
        if len({*names}) != len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise AssetError(
                f"{path}: two {kind} share a name, {short(twice)}; names must be unique"
            )
    known = {*links}
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in known:
                raise AssetError(
                    f"{path}: joint {short(joint.name)} refers to unknown link {short(link)}; "
                    f"links: {short(sorted(known))}"
                )
    children = [j.child for j in joints]
    roots = [name for name in links if name not in {*children}]
    if len({*children}) != len(children):
        twice = next(name for i, name in enumerate(children) if name in children[:i])
        why = f"two joints lead to link {short(twice)}; remove one"
    elif len(roots) != 1:
        why = f"roots: {short(roots)}; join all links to one"
    else:
        ordered = _parents_first(joints, roots[0])
        if len(ordered) == len(joints):
            return ordered
        placed = {j.name for j in ordered}
        left = [j.name for j in joints if j.name not in placed]
        why = f"joints form a loop: {short(left)}; remove one of them"
    raise AssetError(f"{path}: the links do not form one tree ({why})")


def _parents_first(joints: list[Joint], root: str) -> tuple[Joint, ...]:
    """Orders joints, a parent before its children; those in a cycle are left out."""
    below: dict[str, list[Joint]] = {}
    for joint in joints:
        below.setdefault(joint.parent, []).append(joint)
    ordered = [*below.get(root, ())]
    for joint in ordered:  # grows meanwhile
        ordered += below.get(joint.child, ())
    return tuple(ordered)


def _numbers(text: str | None, default: str, path: Path, where: str) -> Array:
    """The numbers of an attribute, as many as the default has.

    Raises:
        AssetError: Another number of them, not finite, or absurdly large.
    """
    count = len(default.split())
    try:
        values = np.array([float(x) for x in (default if text is None else text).split()])
    except ValueError:
        raise AssetError(f"{path}: {where}: expected numbers, found {short(text)}") from None
    if len(values) != count or not np.all(np.abs(values) <= MAX_NUMBER):
        raise AssetError(
            f"{path}: {where}: expected {count} numbers, found {short(text)}; "
            f"each must be finite and at most {MAX_NUMBER:g}"
        )
    return values


def _number(attrib: Mapping[str, str], name: str, path: Path, where: str) -> float:
    """One number that is not negative; 0 where it is not given."""
    value = float(_numbers(attrib.get(name), "0", path, f"{where}: {name}")[0])
    if value < 0.0:
        raise AssetError(f"{path}: {where}: {name} {value:g} is negative; it must be 0 or more")
    return value


def _origin(element: ET.Element, scale: float, path: Path, where: str) -> Array:
    origin = element.find("origin")
    attrib = {} if origin is None else origin.attrib
    xyz = _numbers(attrib.get("xyz"), "0 0 0", path, f"origin of {where}")
    rpy = _numbers(attrib.get("rpy"), "0 0 0", path, f"origin of {where}")
    return se3.from_xyz_rpy(xyz * scale, rpy)


def _joint(element: ET.Element, scale: float, path: Path) -> Joint:
    name = element.attrib.get("name", "?")
    where = f"joint {short(name)}"
    kind = element.attrib.get("type", "?")
    parent, child = element.find("parent"), element.find("child")
    if kind not in ("fixed", "revolute", "continuous", "prismatic"):
        raise AssetError(
            f"{path}: {where} has unsupported type {short(kind)}; "
            "use fixed, revolute, continuous or prismatic"
        )
    if parent is None or child is None:
        raise AssetError(f"{path}: {where} lacks a parent or a child; name both links")
    if element.find("mimic") is not None:
        raise AssetError(f"{path}: {where} mimics another, which is not supported; remove <mimic>")
    axis_element = element.find("axis")
    text = None if axis_element is None else axis_element.get("xyz")
    axis = _numbers(text, "1 0 0", path, f"axis of {where}")
    length = float(np.linalg.norm(axis))
    if length < 1e-3:  # the simulator would silently take x instead
        raise AssetError(f"{path}: {where} has a zero axis; give it a direction")
    for tag, names in _JOINT_NUMBERS.items():
        for found in element.findall(tag):
            for attribute in names:
                _number(found.attrib, attribute, path, f"{tag} of {where}")
    return Joint(
        name,
        kind,
        parent.attrib.get("link", ""),
        child.attrib.get("link", ""),
        _origin(element, scale, path, where),
        axis / length,
        _limits(element, kind, scale, path, where),
    )


def _limits(
    element: ET.Element, kind: str, scale: float, path: Path, where: str
) -> tuple[float, float]:
    if kind not in ("revolute", "prismatic"):
        return (-np.inf, np.inf)
    limit = element.find("limit")
    if limit is None:
        raise AssetError(f"{path}: {where} has no limit; give it a lower and an upper one")
    factor = scale if kind == "prismatic" else 1.0
    lower, upper = (
        float(_numbers(limit.get(end), "0", path, f"{end} limit of {where}")[0] * factor)
        for end in ("lower", "upper")
    )
    if lower > upper:
        raise AssetError(f"{path}: {where} has limits {lower:g} > {upper:g}; swap them")
    return (lower, upper)


def _check_link(link: ET.Element, path: Path) -> None:
    """Refuses masses and colours that a simulator cannot take.

    Raises:
        AssetError: Says which link.
    """
    where = f"link {short(link.get('name', ''))}"
    for inertial in link.findall("inertial"):
        _origin(inertial, 1.0, path, f"inertial of {where}")
        mass = inertial.find("mass")
        value = 0.0 if mass is None else _numbers(mass.get("value"), "0", path, f"mass of {where}")
        inertia = inertial.find("inertia")
        six = [
            float(_numbers(None if inertia is None else inertia.get(n), "0", path, where)[0])
            for n in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
        ]
        xx, xy, xz, yy, yz, zz = six
        lowest = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])[0]
        if not value > 0.0 or not lowest > 0.0:
            raise AssetError(
                f"{path}: {where} has a mass or an inertia that is not positive; mend it, or "
                "remove <inertial>: the mass then follows from the density in info.json"
            )
    for colour in link.iterfind("visual/material/color"):
        _numbers(colour.get("rgba"), "1 1 1 1", path, f"colour of {where}")
    for texture in link.iterfind("visual/material/texture"):
        raise AssetError(
            f"{path}: {where} has the texture {short(texture.get('filename'))}, which is not "
            "supported; name it in the material of the mesh"
        )


def _shapes(root: ET.Element, tag: str, scale: float, path: Path) -> Iterator[Shape]:
    for link in root.findall("link"):
        name = link.attrib.get("name", "")
        where = f"a {tag} of link {short(name)}"
        for element in link.findall(tag):
            mesh = element.find("geometry/mesh")
            if mesh is None:
                raise AssetError(f"{path}: {where} is not a mesh; only meshes are read")
            file = mesh_file(path.parent, mesh.attrib.get("filename", ""), path)
            if np.any(_numbers(mesh.get("scale"), "1 1 1", path, f"scale of {where}") != 1.0):
                raise AssetError(
                    f"{path}: mesh {short(file.name)} has a scale, which is not supported; "
                    "resize it"
                )
            yield Shape(name, file, _origin(element, scale, path, where))
