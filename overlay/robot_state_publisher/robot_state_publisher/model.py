"""The kinematic tree of a URDF: which joint connects which links, and how. No ROS."""

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from tf2_ros.geometry import Rigid, Vector, compose, from_axis_angle, from_rpy

_TURNING = ("revolute", "continuous")
_SLIDING = ("prismatic",)
_KINDS = (*_TURNING, *_SLIDING, "fixed", "floating", "planar")


class UrdfError(ValueError):
    """The text is no usable URDF; says where and why."""


@dataclass(frozen=True)
class Mimic:
    """A joint that follows another one: position = multiplier * (that one's) + offset."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True)
class Joint:
    """One joint: T_parent_child depends on its position alone."""

    name: str
    kind: str
    parent: str
    child: str
    origin: Rigid
    axis: Vector
    mimic: Mimic | None = None

    @property
    def movable(self) -> bool:
        """Whether the joint has a position (one number, in rad or m)."""
        return self.kind in _TURNING or self.kind in _SLIDING

    def transform(self, position: float) -> Rigid:
        """T_parent_child at a position [rad] or [m]; the position of a fixed joint is ignored."""
        if self.kind in _TURNING:
            motion: Rigid = ((0.0, 0.0, 0.0), from_axis_angle(self.axis, position))
        elif self.kind in _SLIDING:
            x, y, z = self.axis
            motion = ((x * position, y * position, z * position), (0.0, 0.0, 0.0, 1.0))
        else:
            return self.origin
        return compose(self.origin, motion)


@dataclass(frozen=True)
class RobotModel:
    """A tree of links; every link but the root is the child of exactly one joint."""

    name: str
    root: str
    joints: tuple[Joint, ...]

    @property
    def fixed(self) -> tuple[Joint, ...]:
        """The joints whose transform never changes."""
        return tuple(joint for joint in self.joints if not joint.movable)

    @property
    def movable(self) -> tuple[Joint, ...]:
        """The joints whose transform depends on the joint state."""
        return tuple(joint for joint in self.joints if joint.movable)

    @property
    def unsupported(self) -> tuple[Joint, ...]:
        """Joints with several degrees of freedom, which are held fixed."""
        return tuple(joint for joint in self.joints if joint.kind in ("floating", "planar"))


def parse_urdf(text: str) -> RobotModel:
    """Read a URDF.

    Raises:
        UrdfError: no XML, no robot, or links and joints that do not form one tree.
    """
    try:
        robot = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise UrdfError(f"the robot description is not XML: {error}") from None
    if robot.tag != "robot":
        raise UrdfError(f"the robot description starts with <{robot.tag}>, not with <robot>")
    links = [_attribute(link, "name", "a link") for link in robot.findall("link")]
    joints = tuple(_parse_joint(joint) for joint in robot.findall("joint"))
    return RobotModel(robot.get("name", ""), _check_tree(links, joints), joints)


def _check_tree(links: list[str], joints: tuple[Joint, ...]) -> str:
    """The name of the root link."""
    if not links:
        raise UrdfError("the robot has no links")
    for what, names in (("link", links), ("joint", [joint.name for joint in joints])):
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise UrdfError(f"more than one {what} is called {sorted(double)}")
    joint_to: dict[str, Joint] = {}
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise UrdfError(f"joint '{joint.name}' refers to the unknown link '{link}'")
        other = joint_to.setdefault(joint.child, joint)
        if other is not joint:
            raise UrdfError(
                f"link '{joint.child}' is the child of two joints, '{other.name}' and "
                f"'{joint.name}'"
            )
    roots = [link for link in links if link not in joint_to]
    if len(roots) != 1:
        raise UrdfError(f"the robot needs exactly one root link, it has {roots}")
    children: dict[str, list[str]] = {}
    for joint in joints:
        children.setdefault(joint.parent, []).append(joint.child)
    reached, todo = 0, list(roots)
    while todo:
        reached += 1
        todo += children.get(todo.pop(), [])
    if reached != len(links):
        raise UrdfError("some links form a loop")
    by_name = {joint.name: joint for joint in joints}
    for joint in joints:
        if joint.mimic is not None and joint.mimic.joint not in by_name:
            raise UrdfError(f"joint '{joint.name}' mimics the unknown '{joint.mimic.joint}'")
    return roots[0]


def _parse_joint(element: ElementTree.Element) -> Joint:
    name = _attribute(element, "name", "a joint")
    where = f"joint '{name}'"
    kind = _attribute(element, "type", where)
    if kind not in _KINDS:
        raise UrdfError(f"{where} has the unknown type '{kind}'; there are {', '.join(_KINDS)}")
    parent, child = element.find("parent"), element.find("child")
    if parent is None or child is None:
        raise UrdfError(f"{where} needs a parent and a child link")
    return Joint(
        name=name,
        kind=kind,
        parent=_attribute(parent, "link", f"the parent of {where}"),
        child=_attribute(child, "link", f"the child of {where}"),
        origin=_parse_origin(element.find("origin"), where),
        axis=_parse_axis(element.find("axis"), where),
        mimic=_parse_mimic(element.find("mimic"), where),
    )


def _parse_origin(element: ElementTree.Element | None, where: str) -> Rigid:
    if element is None:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
    xyz = _vector(element.get("xyz", "0 0 0"), f"the origin xyz of {where}")
    rpy = _vector(element.get("rpy", "0 0 0"), f"the origin rpy of {where}")
    return xyz, from_rpy(*rpy)


def _parse_axis(element: ElementTree.Element | None, where: str) -> Vector:
    if element is None:
        return 1.0, 0.0, 0.0
    x, y, z = _vector(element.get("xyz", "1 0 0"), f"the axis of {where}")
    length = math.hypot(x, y, z)
    if length == 0.0:
        raise UrdfError(f"the axis of {where} is zero")
    return x / length, y / length, z / length


def _parse_mimic(element: ElementTree.Element | None, where: str) -> Mimic | None:
    if element is None:
        return None
    numbers = []
    for name, default in (("multiplier", "1"), ("offset", "0")):
        text = element.get(name, default)
        try:
            numbers.append(float(text))
        except ValueError:
            raise UrdfError(f"the mimic {name} of {where} is no number: '{text}'") from None
    return Mimic(_attribute(element, "joint", f"the mimic of {where}"), *numbers)


def _attribute(element: ElementTree.Element, name: str, where: str) -> str:
    value = element.get(name)
    if not value:
        raise UrdfError(f"{where} has no {name}")
    return value


def _vector(text: str, where: str) -> Vector:
    try:
        x, y, z = (float(part) for part in text.split())
    except ValueError:
        raise UrdfError(f"{where} is not three numbers: '{text}'") from None
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise UrdfError(f"{where} is not finite: '{text}'")
    return x, y, z
