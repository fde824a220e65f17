"""The robot of a URDF as frames within frames, each with its meshes.

A browser keeps the tree: only the pose of each moving joint in its parent travels.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
Pose = tuple[Array, Array]
"""Quaternion w x y z and position in m."""


class RobotModelError(ValueError):
    """The robot description cannot be shown; the message says what is wrong."""


@dataclass(frozen=True)
class Visual:
    """A mesh file on a link, posed in it."""

    mesh: Path
    pose: Pose
    scale: tuple[float, float, float]


@dataclass(frozen=True)
class _Joint:
    name: str
    kind: str
    parent: str
    child: str
    rotation: Rotation
    position: Array
    axis: Array

    def pose(self, value: float) -> Pose:
        """Pose of the child link in the parent link, for a position in rad or m."""
        if self.kind == "fixed":
            return _wxyz(self.rotation), self.position
        if self.kind == "prismatic":
            return _wxyz(self.rotation), self.position + self.rotation.apply(self.axis * value)
        return _wxyz(self.rotation * Rotation.from_rotvec(self.axis * value)), self.position


class RobotModel:
    """A tree of links.

    Attributes:
        links: path of every link from the root, for example "/base/fr3_link0"; parents first.
        visuals: meshes by link.
    """

    def __init__(self, urdf: str) -> None:
        """Read a URDF text whose `package://` addresses are resolved already.

        Raises:
            RobotModelError: it is not XML, not one tree, or holds something malformed.
        """
        try:
            robot = ET.fromstring(urdf)
            names = [str(link.attrib["name"]) for link in robot.findall("link")]
            joints = [_joint(element) for element in robot.findall("joint")]
            self.visuals = {
                str(link.attrib["name"]): _visuals(link) for link in robot.findall("link")
            }
        except (ET.ParseError, KeyError, ValueError, AttributeError) as error:
            raise RobotModelError(f"robot_description is malformed: {error!r}") from None
        self._to = {joint.child: joint for joint in joints}
        roots = [name for name in names if name not in self._to]
        self.links: dict[str, str] = {name: f"/{name}" for name in roots[:1]}
        waiting = list(joints)
        while ready := [joint for joint in waiting if joint.parent in self.links]:
            for joint in ready:
                self.links[joint.child] = f"{self.links[joint.parent]}/{joint.child}"
            waiting = [joint for joint in waiting if joint not in ready]
        if set(self.links) != set(names) or len(self._to) != len(joints):
            raise RobotModelError("the links of robot_description do not form one tree")
        if any("/" in name for name in names):
            raise RobotModelError("a link of robot_description has a '/' in its name")
        self._moving = {j.name: j for j in joints if j.kind != "fixed"}

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints that move."""
        return tuple(self._moving)

    def rest(self) -> dict[str, Pose]:
        """Pose of every link but the root in its parent, with all joints at zero."""
        return {child: joint.pose(0.0) for child, joint in self._to.items()}

    def moved(self, positions: Mapping[str, float]) -> dict[str, Pose]:
        """Pose in its parent of every link that one of these joints moves, rad or m by name.

        Joints that are unknown, or not finite, are left out.
        """
        return {
            joint.child: joint.pose(positions[name])
            for name, joint in self._moving.items()
            if name in positions and np.isfinite(positions[name])
        }


def _joint(element: ET.Element) -> _Joint:
    kind = element.attrib["type"]
    if kind not in ("fixed", "revolute", "continuous", "prismatic"):
        raise ValueError(f"joint {element.attrib['name']} is of the unknown type {kind}")
    parent, child = element.find("parent"), element.find("child")
    if parent is None or child is None:
        raise ValueError(f"joint {element.attrib['name']} lacks a parent or child")
    rotation, position = _origin(element)
    axis_element = element.find("axis")
    axis = _three("1 0 0" if axis_element is None else axis_element.attrib["xyz"])
    length = float(np.linalg.norm(axis))
    if kind != "fixed" and length < 1e-9:
        raise ValueError(f"joint {element.attrib['name']} has an axis without direction")
    return _Joint(
        element.attrib["name"],
        kind,
        parent.attrib["link"],
        child.attrib["link"],
        rotation,
        position,
        axis / max(length, 1e-9),
    )


def _visuals(link: ET.Element) -> tuple[Visual, ...]:
    found = []
    for element in link.findall("visual"):
        mesh = element.find("geometry/mesh")
        if mesh is None:
            continue  # Boxes and the like are not used by the descriptions there are.
        rotation, position = _origin(element)
        x, y, z = _three(mesh.get("scale", "1 1 1"))
        file = Path(mesh.attrib["filename"].removeprefix("file://"))
        found.append(Visual(file, (_wxyz(rotation), position), (float(x), float(y), float(z))))
    return tuple(found)


def _origin(element: ET.Element) -> tuple[Rotation, Array]:
    origin = element.find("origin")
    attributes = {} if origin is None else origin.attrib
    rpy = _three(attributes.get("rpy", "0 0 0"))
    return Rotation.from_euler("xyz", rpy), _three(attributes.get("xyz", "0 0 0"))


def _three(text: str) -> Array:
    values = np.array([float(word) for word in text.split()])
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ValueError(f"{text!r} are not three finite numbers")
    return values


def _wxyz(rotation: Rotation) -> Array:
    return np.asarray(rotation.as_quat(scalar_first=True), dtype=np.float64)
