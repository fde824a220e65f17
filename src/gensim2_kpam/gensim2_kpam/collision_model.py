"""Collision queries in Drake: the FR3 with its hand, the table and one articulated object.

A model is built once per asset; the pose of the object, its joint and the finger opening are state.
Collision shapes are convex hulls, the same ones that the simulator uses.
"""

from __future__ import annotations

import numpy as np
from gensim2_tasks.assets import ArticulatedAsset
from numpy.typing import NDArray
from pydrake.geometry import (
    Box,
    CollisionFilterDeclaration,
    Convex,
    GeometryId,
    GeometrySet,
    QueryObject,
)
from pydrake.math import RigidTransform
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import AddMultibodyPlantSceneGraph, CoulombFriction, MultibodyPlant
from pydrake.multibody.tree import (
    FixedOffsetFrame,
    PrismaticJoint,
    RevoluteJoint,
    RigidBody,
    SpatialInertia,
    UnitInertia,
)
from pydrake.systems.framework import DiagramBuilder

from .arm_model import ARM_DOF, strip_urdf

Array = NDArray[np.float64]
# Pairs of neighbours whose hulls overlap by construction, beside those that Drake filters itself.
SELF_PAIRS = (
    ("fr3_hand", "fr3_link7"),
    ("fr3_hand", "fr3_link6"),
    ("fr3_hand", "fr3_link5"),
    ("fr3_link5", "fr3_link7"),
    ("fr3_link6", "fr3_leftfinger"),
    ("fr3_link6", "fr3_rightfinger"),
    ("fr3_link7", "fr3_leftfinger"),
    ("fr3_link7", "fr3_rightfinger"),
    ("fr3_leftfinger", "fr3_rightfinger"),
)
HAND_BODIES = ("fr3_hand", "fr3_leftfinger", "fr3_rightfinger")
TABLE_HALF_SIZE = (1.5, 1.5, 0.05)


class CollisionModel:
    """Robot, table and object.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        asset: The object; None = robot and table only.
    """

    def __init__(self, urdf: str, asset: ArticulatedAsset | None) -> None:
        builder = DiagramBuilder()
        self.plant, self.scene_graph = AddMultibodyPlantSceneGraph(builder, 0.0)
        parser = Parser(self.plant)
        parser.AddModelsFromString(strip_urdf(urdf, keep_collisions=True), "urdf")
        self.plant.WeldFrames(self.plant.world_frame(), self.plant.GetFrameByName("base"))
        table = self.plant.RegisterCollisionGeometry(
            self.plant.world_body(),
            RigidTransform([0.5, 0.0, -TABLE_HALF_SIZE[2]]),
            Box(*(2.0 * np.array(TABLE_HALF_SIZE))),
            "table",
            CoulombFriction(),
        )
        self._root: FixedOffsetFrame | None = None
        self._static: list[GeometryId] = []
        self._part: list[GeometryId] = []
        if asset is not None:
            self._add_object(asset)
        self.plant.Finalize()
        self._filter(table)
        self.diagram = builder.Build()
        self.context = self.diagram.CreateDefaultContext()
        self._plant_context = self.plant.GetMyMutableContextFromRoot(self.context)
        self._scene_context = self.scene_graph.GetMyMutableContextFromRoot(self.context)
        self._hand = self._geometries(*HAND_BODIES)
        self._part_ids = {*self._part}
        self._positions = np.zeros(self.plant.num_positions())
        self.finger = 0.0

    def _add_object(self, asset: ArticulatedAsset) -> None:
        plant = self.plant
        instance = plant.AddModelInstance("object")
        world = plant.world_frame()
        self._root = plant.AddFrame(FixedOffsetFrame("object_pose", world, RigidTransform()))
        inertia = SpatialInertia(1.0, np.zeros(3), UnitInertia.SolidSphere(0.1))
        bodies: dict[str, RigidBody] = {
            link: plant.AddRigidBody(f"object/{link}", instance, inertia)
            for link in asset.tree.links
        }
        plant.WeldFrames(self._root, bodies[asset.tree.root].body_frame())
        for joint in asset.tree.joints:
            child = bodies[joint.child].body_frame()
            offset = RigidTransform(joint.T_parent_joint)
            parent = bodies[joint.parent].body_frame()
            if joint.kind == "fixed":
                plant.WeldFrames(parent, child, offset)
                continue
            frame = plant.AddFrame(FixedOffsetFrame(f"{joint.name}_frame", parent, offset))
            kind = PrismaticJoint if joint.kind == "prismatic" else RevoluteJoint
            plant.AddJoint(kind(joint.name, frame, child, joint.axis))
        moving = _links_below(asset, asset.tree.moving.child)
        for index, (link, vertices) in enumerate(asset.hulls):
            geometry = plant.RegisterCollisionGeometry(
                bodies[link],
                RigidTransform(),
                Convex(vertices.T, f"hull{index}"),
                f"hull{index}",
                CoulombFriction(),
            )
            (self._part if link in moving else self._static).append(geometry)

    def _filter(self, table: GeometryId) -> None:
        filters = self.scene_graph.collision_filter_manager()
        # The object stands on the table and touches itself; neither concerns the robot.
        obstacles = [table, *self._static, *self._part]
        declaration = CollisionFilterDeclaration().ExcludeWithin(GeometrySet(obstacles))
        base = self._geometries("fr3_link0")
        declaration.ExcludeBetween(GeometrySet(base), GeometrySet(obstacles))
        for a, b in SELF_PAIRS:
            declaration.ExcludeBetween(
                GeometrySet(self._geometries(a)), GeometrySet(self._geometries(b))
            )
        filters.Apply(declaration)

    def _geometries(self, *bodies: str) -> list[GeometryId]:
        plant: MultibodyPlant = self.plant
        return [
            g
            for name in bodies
            for g in plant.GetCollisionGeometriesForBody(plant.GetBodyByName(name))
        ]

    def place(self, T_base_root: Array, finger: float) -> None:
        """Sets the pose of the object's root and the finger joint position (m)."""
        if self._root is not None:
            self._root.SetPoseInParentFrame(self._plant_context, RigidTransform(T_base_root))
        self.finger = finger
        self._positions[ARM_DOF : ARM_DOF + 2] = finger

    def allow_contact(self, allowed: bool) -> None:
        """Whether hand and fingers may touch the moving part."""
        filters = self.scene_graph.collision_filter_manager(self._scene_context)
        hand, part = GeometrySet(self._hand), GeometrySet(self._part)
        declaration = CollisionFilterDeclaration()
        if allowed:
            declaration.ExcludeBetween(hand, part)
        else:
            declaration.AllowBetween(hand, part)
        if self._part:
            filters.Apply(declaration)

    def _query(self, q: Array, part_q: float) -> QueryObject:
        self._positions[:ARM_DOF] = q
        if self._root is not None:
            self._positions[-1] = part_q
        self.plant.SetPositions(self._plant_context, self._positions)
        return self.scene_graph.get_query_output_port().Eval(self._scene_context)

    def in_collision(self, q: Array, part_q: float, margin: float = 0.0) -> bool:
        """Whether anything that must not touch is closer than ``margin`` (m)."""
        query = self._query(q, part_q)
        if margin <= 0.0:
            return bool(query.HasCollisions())
        return bool(query.ComputeSignedDistancePairwiseClosestPoints(margin))

    def contacts(self, q: Array, part_q: float, margin: float) -> list[tuple[str, str]]:
        """Names of the pairs of bodies closer than ``margin``; for reports."""
        inspector = self.scene_graph.model_inspector()
        pairs = self._query(q, part_q).ComputeSignedDistancePairwiseClosestPoints(margin)
        names = {
            tuple(
                self.plant.GetBodyFromFrameId(inspector.GetFrameId(g)).name()
                for g in (pair.id_A, pair.id_B)
            )
            for pair in pairs
        }
        return sorted((a, b) for a, b in names)

    def named_contacts(self, q: Array, part_q: float, margin: float) -> str:
        """The same as text."""
        return ", ".join(f"{a} and {b}" for a, b in self.contacts(q, part_q, margin))

    def touches_part_only(self, q: Array, part_q: float, margin: float) -> bool:
        """Whether all pairs closer than ``margin`` are the hand or fingers and the moving part."""
        pairs = self._query(q, part_q).ComputeSignedDistancePairwiseClosestPoints(margin)
        hand = {*self._hand}
        return all(
            (p.id_A in hand and p.id_B in self._part_ids)
            or (p.id_B in hand and p.id_A in self._part_ids)
            for p in pairs
        )


def _links_below(asset: ArticulatedAsset, link: str) -> set[str]:
    """The link and everything fixed to it."""
    links = {link}
    for joint in asset.tree.joints * len(asset.tree.joints):
        if joint.parent in links:
            links.add(joint.child)
    return links
