"""Small asset folders for tests, and the geometry of a folder calculated another way."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from trimesh import transformations as tf

REPOSITORY = Path(__file__).resolve().parents[3]
REAL = Path(
    os.environ.get("GENSIM2_ASSETS", REPOSITORY.parent / "shared" / "data" / "gensim2_assets")
)
# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIX_TASKS = ("box_rotate", "laptop_rotate", "drawer")

URDF = """<?xml version="1.0"?>
<robot name="sample">
  <link name="base"/>
  <link name="body">
    <collision><origin xyz="0 0 0" rpy="0 0 0"/><geometry><mesh filename="body.obj"/></geometry>
    </collision>
  </link>
  <link name="lid">
    <visual><geometry><mesh filename="lid.obj"/></geometry></visual>
    <collision><origin xyz="{offset}" rpy="{tilt}"/><geometry><mesh filename="lid.obj"/></geometry>
    </collision>
  </link>
  <joint name="joint_base" type="fixed">
    <origin rpy="1.570796326794897 0 -1.570796326794897"/>
    <parent link="base"/><child link="body"/>
  </joint>
  <joint name="joint_lid" type="{kind}">
    <origin xyz="{origin}" rpy="{rpy}"/><parent link="body"/><child link="lid"/>
    <axis xyz="{axis}"/><limit lower="{lower}" upper="{upper}" effort="1" velocity="1"/>
  </joint>
</robot>
"""
JOINT = {
    "kind": "revolute", "origin": "0 0.1 -0.1", "rpy": "0 0 0", "axis": "1 0 0",
    "lower": "-1.5", "upper": "0.5", "offset": "0 -0.1 0.1", "tilt": "0 0 0",
}  # fmt: skip
INFO: dict[str, Any] = {
    "scale": 0.5,
    "keypoints": {"head": [0.0, 0.1, 0.2], "inside_base": [0.1, 0.2, 0.3]},
    "joint_position_range": [-1.4, 0.4],
}


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> str:
    """An OBJ file of an axis-aligned block."""
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    quads = [(1, 2, 4, 3), (5, 6, 8, 7), (1, 2, 6, 5), (3, 4, 8, 7), (1, 3, 7, 5), (2, 4, 8, 6)]
    lines += [f"f {a} {b} {c}\nf {a} {c} {d}" for a, b, c, d in quads]
    return "\n".join(lines) + "\n"


def urdf_text(**joint: object) -> str:
    """The sample's URDF with other values for its moving joint."""
    return URDF.format(**{**JOINT, **joint})


def write_asset(
    folder: Path, *, urdf: str | None = None, info: Mapping[str, Any] | str | None = None
) -> Path:
    """Writes a folder with a block as a body and a plate as a lid."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "body.obj").write_text(block((-0.2, -0.1, -0.1), (0.2, 0.1, 0.1)))
    (folder / "lid.obj").write_text(block((-0.2, 0.1, -0.1), (0.2, 0.12, 0.15)))
    (folder / "mobility.urdf").write_text(urdf_text() if urdf is None else urdf)
    text = info if isinstance(info, str) else json.dumps({**INFO, **(info or {})})
    (folder / "info.json").write_text(text)
    return folder


def numbers(text: str) -> np.ndarray:
    return np.array([float(x) for x in text.split()])


def _origin(element: ET.Element) -> np.ndarray:
    origin = element.find("origin")
    attrib = {} if origin is None else origin.attrib
    T = tf.euler_matrix(*numbers(attrib.get("rpy", "0 0 0")), axes="sxyz")
    T[:3, 3] = numbers(attrib.get("xyz", "0 0 0"))
    return T


class Reference:
    """Geometry of an asset folder in unscaled units, which are scaled at the very end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.robot = ET.parse(folder / "mobility.urdf").getroot()
        self.info = json.loads((folder / "info.json").read_text())
        self.scale = self.info.get("scale", 1.0)
        self.parent = {j.find("child").get("link"): j for j in self.robot.findall("joint")}
        (self.joint,) = (j for j in self.parent.values() if j.get("type") != "fixed")
        self.part = self.joint.find("child").get("link")

    def pose(self, link: str, q: float) -> np.ndarray:
        if link not in self.parent:
            return np.eye(4)
        joint = self.parent[link]
        T = self.pose(joint.find("parent").get("link"), q) @ _origin(joint)
        axis_element = joint.find("axis")
        axis = numbers("1 0 0" if axis_element is None else axis_element.get("xyz"))
        if joint.get("type") == "prismatic":
            return T @ tf.translation_matrix(axis / np.linalg.norm(axis) * q / self.scale)
        return T if joint.get("type") == "fixed" else T @ tf.rotation_matrix(q, axis)

    def keypoints(self, q: float) -> dict[str, np.ndarray]:
        link = next(e for e in self.robot.findall("link") if e.get("name") == self.part)
        T = self.pose(self.part, q) @ _origin(link.find("collision"))
        return {
            name: self.scale * (np.array(p) if "base" in name else (T @ [*p, 1.0])[:3])
            for name, p in self.info["keypoints"].items()
        }

    def vertices(self) -> list[tuple[str, np.ndarray]]:
        """(link, homogeneous vertices (N, 4) in the link frame) of every collision mesh."""
        result = []
        for link in self.robot.findall("link"):
            for shape in link.findall("collision"):
                file = self.folder / shape.find("geometry/mesh").get("filename")
                rows = [s.split()[1:4] for s in file.read_text().splitlines() if s[:2] == "v "]
                points = np.array(rows, dtype=float)
                points = np.hstack([points, np.ones((len(points), 1))]) @ _origin(shape).T
                result.append((link.get("name"), points))
        return result

    def lowest(self, positions: np.ndarray) -> float:
        """Height of the lowest vertex over some joint positions."""
        vertices = self.vertices()
        return self.scale * min(
            (points @ self.pose(link, q)[2]).min() for link, points in vertices for q in positions
        )
