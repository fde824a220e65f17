"""Forward kinematics and Jacobians of the FR3 from its URDF text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, Array

TCP_LINK = "fr3_hand_tcp"


@dataclass(frozen=True)
class _Joint:
    name: str
    kind: str
    parent: str
    child: str
    T_parent_joint: Array
    axis: Array


class UrdfError(ValueError):
    """The URDF text cannot be used; the message names the joint or link."""


class Fr3Kinematics:
    """Kinematic tree of a URDF whose arm joints are `ARM_JOINTS`.

    Fixed, revolute, continuous and prismatic joints are understood. Joints that are not arm
    joints, such as the fingers, stand at zero.
    """

    def __init__(self, root: str, joints: Sequence[_Joint]) -> None:
        self._root = root
        self._joint_to: dict[str, _Joint] = {joint.child: joint for joint in joints}
        self._chains: dict[str, list[_Joint]] = {}

    @classmethod
    def from_urdf(cls, text: str) -> Fr3Kinematics:
        """Parse URDF text.

        Raises:
            UrdfError: not XML, not one tree, a joint type not understood, or an arm joint missing.
        """
        try:
            robot = ET.fromstring(text)
        except ET.ParseError as error:
            raise UrdfError(f"the robot description is not XML: {error}") from error
        joints = [_parse_joint(element) for element in robot.findall("joint")]
        links = [element.get("name", "") for element in robot.findall("link")]
        children = [joint.child for joint in joints]
        for joint in joints:
            for link in (joint.parent, joint.child):
                if link not in links:
                    raise UrdfError(f"joint {joint.name} refers to link {link!r}, which is missing")
        roots = [link for link in links if link not in children]
        if len(roots) != 1 or len(set(children)) != len(children):
            raise UrdfError(f"the links must form one tree; links without a parent: {roots}")
        missing = set(ARM_JOINTS) - {joint.name for joint in joints}
        if missing:
            raise UrdfError(f"arm joints are missing: {', '.join(sorted(missing))}")
        return cls(roots[0], joints)

    @property
    def root(self) -> str:
        """Name of the frame in which poses are expressed: the root link, `base`."""
        return self._root

    @property
    def links(self) -> tuple[str, ...]:
        """Names of all links."""
        return (self._root, *self._joint_to)

    def fk(self, q: ArrayLike, link: str = TCP_LINK) -> Array:
        """Return T_base_link, (4, 4) for q (7,) in rad, or (..., 4, 4) for q (..., 7).

        Raises:
            KeyError: no link of that name.
        """
        return self._frames(q, link)[-1]

    def jacobian(self, q: ArrayLike, link: str = TCP_LINK) -> Array:
        """Return the geometric Jacobian of the link's origin in `base`.

        Args:
            q: arm configuration (7,), rad.
            link: the link.

        Returns:
            (6, 7): rows 0 to 2 give the linear velocity in m/s, rows 3 to 5 the angular velocity
            in rad/s, both expressed in `base`, per unit of joint velocity.

        Raises:
            KeyError: no link of that name.
        """
        chain = self._chain(link)
        frames = self._frames(np.asarray(q, dtype=np.float64).reshape(ARM_DOF), link)
        p_end = frames[-1][:3, 3]
        jacobian = np.zeros((6, ARM_DOF))
        for joint, T_base_child in zip(chain, frames, strict=True):
            if joint.name not in ARM_JOINTS:
                continue
            # The child frame turns about or slides along the axis, so the axis is the same in it.
            axis = T_base_child[:3, :3] @ joint.axis
            column = ARM_JOINTS.index(joint.name)
            if joint.kind == "prismatic":
                jacobian[:3, column] = axis
            else:
                jacobian[:3, column] = np.cross(axis, p_end - T_base_child[:3, 3])
                jacobian[3:, column] = axis
        return jacobian

    def _chain(self, link: str) -> list[_Joint]:
        if link not in self._chains:
            if link != self._root and link not in self._joint_to:
                raise KeyError(f"no link {link!r}; there are: {', '.join(self.links)}")
            chain: list[_Joint] = []
            at = link
            while at != self._root:
                chain.append(self._joint_to[at])
                at = chain[-1].parent
            self._chains[link] = chain[::-1]
        return self._chains[link]

    def _frames(self, q: ArrayLike, link: str) -> list[Array]:
        """Return T_base_child after every joint of the chain, or identity for the root."""
        positions = np.asarray(q, dtype=np.float64)
        if positions.shape[-1:] != (ARM_DOF,):
            raise ValueError(f"q must have the shape (..., {ARM_DOF}), not {positions.shape}")
        T = np.broadcast_to(np.eye(4), (*positions.shape[:-1], 4, 4))
        frames = []
        for joint in self._chain(link):
            T = T @ joint.T_parent_joint
            if joint.kind != "fixed" and joint.name in ARM_JOINTS:
                T = T @ _joint_motion(joint, positions[..., ARM_JOINTS.index(joint.name)])
            frames.append(T)
        return frames or [T.copy()]


def _joint_motion(joint: _Joint, value: Array) -> Array:
    T = np.zeros((*value.shape, 4, 4))
    T[..., 3, 3] = 1.0
    if joint.kind == "prismatic":
        T[..., :3, :3] = np.eye(3)
        T[..., :3, 3] = value[..., None] * joint.axis
        return T
    x, y, z = joint.axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sin, cos = np.sin(value)[..., None, None], np.cos(value)[..., None, None]
    T[..., :3, :3] = np.eye(3) + sin * cross + (1.0 - cos) * (cross @ cross)
    return T


def _parse_joint(element: ET.Element) -> _Joint:
    name, kind = element.get("name", ""), element.get("type", "")
    kind = "revolute" if kind == "continuous" else kind
    if kind not in ("fixed", "revolute", "prismatic"):
        raise UrdfError(
            f"joint {name}: type {kind!r} is not fixed, revolute, continuous or prismatic"
        )
    ends = {}
    for end in ("parent", "child"):
        found = element.find(end)
        if found is None or not found.get("link"):
            raise UrdfError(f"joint {name}: no {end} link")
        ends[end] = found.get("link", "")
    origin = element.find("origin")
    T = np.eye(4)
    if origin is not None:
        T[:3, :3] = _rotation_from_rpy(_numbers(origin.get("rpy", "0 0 0"), name))
        T[:3, 3] = _numbers(origin.get("xyz", "0 0 0"), name)
    axis_element = element.find("axis")
    axis = np.array([1.0, 0.0, 0.0])
    if axis_element is not None:
        axis = _numbers(axis_element.get("xyz", "1 0 0"), name)
    length = float(np.linalg.norm(axis))
    if kind != "fixed" and length < 1e-9:
        raise UrdfError(f"joint {name}: the axis has no direction")
    return _Joint(name, kind, ends["parent"], ends["child"], T, axis / max(length, 1e-9))


def _numbers(text: str, joint: str) -> Array:
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise UrdfError(f"joint {joint}: {text!r} are not numbers") from error
    if values.shape != (3,) or not np.isfinite(values).all():
        raise UrdfError(f"joint {joint}: {text!r} must be three finite numbers")
    return values


def _rotation_from_rpy(rpy: Array) -> Array:
    """Return the rotation of URDF angles: about the fixed axes x, then y, then z, rad."""
    (sr, sp, sy), (cr, cp, cy) = np.sin(rpy), np.cos(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )
