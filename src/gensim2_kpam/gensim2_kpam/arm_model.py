"""Kinematics of the FR3 in Drake, without obstacles: forward kinematics, Jacobian and the IK plant.

The fingers are locked, so a configuration is q (7,). Poses are of ``fr3_hand`` in ``base``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
from gensim2_control.kinematics import TCP_LINK
from gensim2_control.limits import JointLimits
from numpy.typing import NDArray
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import MultibodyPlant
from pydrake.multibody.tree import JacobianWrtVariable

from .tool import HAND_LINK

Array = NDArray[np.float64]
ARM_DOF = 7
PUSHED = 0.04  # rad, by which an arm in contact may have been led into the margin


def strip_urdf(text: str, *, keep_collisions: bool, finger: float | None = None) -> str:
    """Drops what Drake need not parse; locks the fingers at ``finger`` (m) where it is given.

    Mesh paths are absolute, which Drake takes as file addresses only.
    """
    root = ET.fromstring(text)
    for link in root.findall("link"):
        for tag in ("visual",) if keep_collisions else ("visual", "collision"):
            for element in link.findall(tag):
                link.remove(element)
    for mesh in root.iter("mesh"):
        mesh.attrib["filename"] = f"file://{mesh.attrib['filename']}"
    for joint in root.findall("joint"):
        for tag in ("mimic", "dynamics"):
            for element in joint.findall(tag):
                joint.remove(element)
        origin = joint.find("origin")
        if finger is not None and joint.attrib["type"] == "prismatic" and origin is not None:
            joint.attrib["type"] = "fixed"
            xyz = [float(x) for x in origin.attrib["xyz"].split()]
            # The axis of each finger is y of its joint frame, which differs by half a turn in yaw.
            xyz[1] += finger if origin.attrib["rpy"] == "0 0 0" else -finger
            origin.attrib["xyz"] = " ".join(map(str, xyz))
    return ET.tostring(root, encoding="unicode")


class ArmModel:
    """The arm alone.

    Args:
        urdf: Text of the robot description.
        margin: Kept from each joint limit of the body, rad; wider than the body's own margin.
    """

    def __init__(self, urdf: str, margin: float = 0.06) -> None:
        self.plant = MultibodyPlant(0.0)
        parser = Parser(self.plant)
        parser.AddModelsFromString(strip_urdf(urdf, keep_collisions=False, finger=0.0), "urdf")
        self.plant.WeldFrames(self.plant.world_frame(), self.plant.GetFrameByName("base"))
        self.plant.Finalize()
        if self.plant.num_positions() != ARM_DOF:
            raise ValueError(f"expected {ARM_DOF} arm joints, found {self.plant.num_positions()}")
        self.context = self.plant.CreateDefaultContext()
        self.hand = self.plant.GetFrameByName(HAND_LINK)
        tcp = self.plant.GetFrameByName(TCP_LINK).CalcPose(self.context, self.hand)
        self.T_hand_tcp = np.asarray(tcp.GetAsMatrix4())
        # The body's limits, not those of the URDF, whose ends may only be approached slowly.
        limits = JointLimits.fr3().reduced(margin)
        self.q_min, self.q_max = limits.q_min, limits.q_max

    def fk(self, q: Array) -> Array:
        """T_base_hand (4, 4)."""
        self.plant.SetPositions(self.context, q)
        return np.asarray(self.hand.CalcPoseInWorld(self.context).GetAsMatrix4())

    def jacobian(self, q: Array) -> Array:
        """Spatial Jacobian (6, 7) of the hand origin in base: angular rows, then linear."""
        self.plant.SetPositions(self.context, q)
        world = self.plant.world_frame()
        return np.asarray(
            self.plant.CalcJacobianSpatialVelocity(
                self.context, JacobianWrtVariable.kV, self.hand, np.zeros(3), world, world
            )
        )

    def within_limits(self, q: Array, past: float = 1e-6) -> bool:
        """Whether ``q`` keeps the margin from the joint limits, but for ``past`` rad of it."""
        return bool(np.all(q >= self.q_min - past) and np.all(q <= self.q_max + past))

    def limits_from(self, q_start: Array) -> tuple[Array, Array]:
        """Lower and upper limits (7,) of a motion that begins at ``q_start``.

        What has pushed the arm may have led it into the margin; it has to get out again.
        """
        return np.minimum(self.q_min, q_start), np.maximum(self.q_max, q_start)
