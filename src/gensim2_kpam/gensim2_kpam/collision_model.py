"""Collision queries in Drake: the FR3 with its hand, the table and the objects of a scene.

The robot is parsed once per description. The object that is acted on is geometry in a context of
its own: its hulls hang on two frames, one that stands still and one that moves, whose poses are
state like the finger opening. Other objects stand still while something is planned, or hang on the
hand that holds them. Collision shapes are convex hulls, the same ones that the simulator uses.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
from gensim2_control.self_collision import IGNORED_SELF_COLLISIONS
from gensim2_tasks.assets import ArticulatedAsset
from numpy.typing import NDArray
from pydrake.geometry import (
    Box,
    CollisionFilterDeclaration,
    Convex,
    GeometryId,
    GeometryInstance,
    GeometrySet,
    ProximityProperties,
    QueryObject,
)
from pydrake.math import RigidTransform
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import AddMultibodyPlantSceneGraph, CoulombFriction
from pydrake.multibody.tree import FixedOffsetFrame, RigidBody, SpatialInertia, UnitInertia
from pydrake.systems.framework import DiagramBuilder

from gensim2_tasks import se3

from .arm_model import ARM_DOF, strip_urdf
from .plan import SceneObject

Array = NDArray[np.float64]
HAND_BODIES = ("fr3_hand", "fr3_leftfinger", "fr3_rightfinger")
BASE_BODY = "fr3_link0"  # stands on the table, and an object beside it is out of its hands
TABLE_HALF_SIZE = (1.5, 1.5, 0.05)
WORLD, OBJECT = "world", "object/"  # name of the body of the table, prefix of what objects have
HELD = "held"  # what hangs on the hand
ROBOTS_KEPT = 4  # descriptions


class _Robot:
    """Robot, table and two empty frames for an object: what all objects have in common."""

    def __init__(self, urdf: str) -> None:
        builder = DiagramBuilder()
        self.plant, self.scene_graph = AddMultibodyPlantSceneGraph(builder, 0.0)
        (instance,) = Parser(self.plant).AddModelsFromString(
            strip_urdf(urdf, keep_collisions=True), "urdf"
        )
        world = self.plant.world_frame()
        self.plant.WeldFrames(world, self.plant.GetFrameByName("base"))
        self.table = self.plant.RegisterCollisionGeometry(
            self.plant.world_body(),
            RigidTransform([0.5, 0.0, -TABLE_HALF_SIZE[2]]),
            Box(*(2.0 * np.array(TABLE_HALF_SIZE))),
            "table",
            CoulombFriction(),
        )
        self.root, self.root_body = self._frame("object_root")
        self.part, self.part_body = self._frame("object_part")
        self.plant.Finalize()
        links = [self.plant.get_body(i).name() for i in self.plant.GetBodyIndices(instance)]
        self.links = self.geometries(*(name for name in links if name != BASE_BODY))
        self.base, self.hand = self.geometries(BASE_BODY), self.geometries(*HAND_BODIES)
        declaration = CollisionFilterDeclaration()
        declaration.ExcludeBetween(GeometrySet(self.base), GeometrySet(self.table))
        for a, b in IGNORED_SELF_COLLISIONS:
            declaration.ExcludeBetween(
                GeometrySet(self.geometries(a)), GeometrySet(self.geometries(b))
            )
        self.scene_graph.collision_filter_manager().Apply(declaration)
        self.diagram = builder.Build()
        self.context = self.diagram.CreateDefaultContext()
        inspector = self.scene_graph.model_inspector()
        self.names: dict[GeometryId, str] = {
            g: self.plant.GetBodyFromFrameId(inspector.GetFrameId(g)).name()
            for g in inspector.GetAllGeometryIds()
        }

    def _frame(self, name: str) -> tuple[FixedOffsetFrame, RigidBody]:
        """A frame whose pose in base is state, and a body on it."""
        plant = self.plant
        frame = plant.AddFrame(
            FixedOffsetFrame(f"{name}_pose", plant.world_frame(), RigidTransform())
        )
        inertia = SpatialInertia(1.0, np.zeros(3), UnitInertia.SolidSphere(0.1))
        body = plant.AddRigidBody(name, plant.AddModelInstance(name), inertia)
        plant.WeldFrames(frame, body.body_frame())
        return frame, body

    def geometries(self, *bodies: str) -> list[GeometryId]:
        """Collision shapes of bodies."""
        plant = self.plant
        return [
            g
            for name in bodies
            for g in plant.GetCollisionGeometriesForBody(plant.GetBodyByName(name))
        ]


@functools.lru_cache(maxsize=ROBOTS_KEPT)
def _robot(urdf: str) -> _Robot:
    return _Robot(urdf)


class CollisionModel:
    """Robot, table and object.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        asset: The object; None = robot and table only.
    """

    def __init__(self, urdf: str, asset: ArticulatedAsset | None) -> None:
        self._robot = robot = _robot(urdf)
        self._asset = asset
        context = robot.context.Clone()
        self._plant_context = robot.plant.GetMyMutableContextFromRoot(context)
        self._scene_context = robot.scene_graph.GetMyMutableContextFromRoot(context)
        self._context = context  # owns the two above
        self._names = dict(robot.names)
        self._part: list[GeometryId] = []
        self._own: list[GeometryId] = []
        self._registered = 0
        if asset is not None:
            self._add_object(asset)
        self._part_names = {self._names[g] for g in self._part}
        self._positions = np.zeros(robot.plant.num_positions())
        self._T_base_root, self._part_q = np.eye(4), np.nan
        self._allowed: list[GeometryId] = []
        self._fixed: list[GeometryId] = [robot.table]
        self._around: list[GeometryId] = []
        self._held: list[GeometryId] = []
        self._surroundings: list[Array] = []
        if asset is not None:
            self._fixed += self._own
        self.finger = 0.0

    @property
    def moving_links(self) -> set[str]:
        """Links of the object that its joint moves; empty where there is no object."""
        if self._asset is None:
            return set()
        return _links_below(self._asset, self._asset.tree.moving.child)

    def surround(self, others: Iterable[SceneObject]) -> None:
        """Sets what else stands in the scene, where it is; what was set before is gone."""
        pieces = [(o.name or str(o.asset.ref), v) for o in others for _, v in o.hulls()]
        vertices = [v for _, v in pieces]
        same = len(vertices) == len(self._surroundings) and all(
            np.array_equal(a, b) for a, b in zip(vertices, self._surroundings, strict=True)
        )
        if same:
            return
        self._remove(self._around)
        self._surroundings = vertices
        world = self._robot.plant.world_body()
        self._around = [
            self._register(world, np.eye(4), v, f"{OBJECT}{name}") for name, v in pieces
        ]
        if self._around:
            still = GeometrySet([*self._fixed, *self._around])
            declaration = CollisionFilterDeclaration().ExcludeWithin(still)
            self._apply(declaration.ExcludeBetween(GeometrySet(self._robot.base), still))

    def hold(self, pieces: Iterable[Array]) -> None:
        """Sets what hangs on the hand; what was held before is gone.

        Args:
            pieces: Vertices (N, 3) of its convex pieces in the frame of the hand, m.
        """
        robot = self._robot
        self._remove(self._held)
        body = robot.plant.GetBodyByName(HAND_BODIES[0])
        self._held = [self._register(body, np.eye(4), v, HELD) for v in pieces]
        if self._held:
            held = GeometrySet(self._held)
            declaration = CollisionFilterDeclaration().ExcludeWithin(held)
            self._apply(declaration.ExcludeBetween(held, GeometrySet(robot.hand)))

    def _remove(self, geometries: list[GeometryId]) -> None:
        for geometry in geometries:
            self._robot.scene_graph.RemoveGeometry(
                self._scene_context, self._robot.plant.get_source_id(), geometry
            )
            del self._names[geometry]
        geometries.clear()

    def _register(self, body: RigidBody, T: Array, vertices: Array, name: str) -> GeometryId:
        robot = self._robot
        self._registered += 1
        label = f"hull{self._registered}"
        instance = GeometryInstance(RigidTransform(T), Convex(vertices.T, label), label)
        instance.set_proximity_properties(ProximityProperties())
        geometry: GeometryId = robot.scene_graph.RegisterGeometry(
            self._scene_context,
            robot.plant.get_source_id(),
            robot.plant.GetBodyFrameIdOrThrow(body.index()),
            instance,
        )
        self._names[geometry] = name
        return geometry

    def _add_object(self, asset: ArticulatedAsset) -> None:
        robot = self._robot
        moving = self.moving_links
        poses = asset.tree.link_poses(0.0)
        T_part_root = se3.inverse(poses[asset.tree.moving.child])
        for link, vertices in asset.hulls:
            body = robot.part_body if link in moving else robot.root_body
            T = T_part_root @ poses[link] if link in moving else poses[link]
            geometry = self._register(body, T, vertices, f"{OBJECT}{link}")
            self._own.append(geometry)
            if link in moving:
                self._part.append(geometry)
        obstacles = [robot.table, *self._own]
        # The object stands on the table and touches itself; neither concerns the robot.
        declaration = CollisionFilterDeclaration().ExcludeWithin(GeometrySet(obstacles))
        declaration.ExcludeBetween(GeometrySet(robot.base), GeometrySet(obstacles))
        self._apply(declaration)

    def _apply(self, declaration: CollisionFilterDeclaration) -> None:
        self._robot.scene_graph.collision_filter_manager(self._scene_context).Apply(declaration)

    def place(self, T_base_root: Array, finger: float) -> None:
        """Sets the pose of the object's root and the finger joint position (m)."""
        self._T_base_root, self._part_q = T_base_root, np.nan
        self._robot.root.SetPoseInParentFrame(self._plant_context, RigidTransform(T_base_root))
        self.finger = finger
        self._positions[ARM_DOF : ARM_DOF + 2] = finger

    def allow_contact(self, allowed: bool, *, arm: bool = False) -> None:
        """Whether hand and fingers may touch the moving part.

        Args:
            allowed: Whether they may.
            arm: Whether the arm may, too: for a part of which nobody knows where it will be.
        """
        robot = self._robot
        wanted = (robot.links if arm else robot.hand) if allowed else []
        if wanted == self._allowed or not self._part:
            return
        self._allowed = wanted
        part = GeometrySet(self._part)
        declaration = CollisionFilterDeclaration().AllowBetween(GeometrySet(robot.links), part)
        self._apply(declaration.ExcludeBetween(GeometrySet(wanted), part))

    def _query(self, q: Array, part_q: float) -> QueryObject:
        robot = self._robot
        self._positions[:ARM_DOF] = q
        if self._asset is not None and part_q != self._part_q:
            self._part_q = part_q
            tree = self._asset.tree
            T = self._T_base_root @ tree.link_poses(part_q)[tree.moving.child]
            robot.part.SetPoseInParentFrame(self._plant_context, RigidTransform(T))
        robot.plant.SetPositions(self._plant_context, self._positions)
        return robot.scene_graph.get_query_output_port().Eval(self._scene_context)

    def in_collision(self, q: Array, part_q: float, margin: float = 0.0) -> bool:
        """Whether anything that must not touch is closer than ``margin`` (m)."""
        query = self._query(q, part_q)
        if margin <= 0.0:
            return bool(query.HasCollisions())
        return bool(query.ComputeSignedDistancePairwiseClosestPoints(margin))

    def depth(self, q: Array, part_q: float) -> float:
        """How deep (m) the deepest pair is in each other; 0 = nothing that must not touch does."""
        pairs = self._query(q, part_q).ComputeSignedDistancePairwiseClosestPoints(0.0)
        return max((-float(pair.distance) for pair in pairs), default=0.0)

    def contacts(self, q: Array, part_q: float, margin: float) -> list[tuple[str, str]]:
        """Names of the pairs of bodies closer than ``margin``; for reports."""
        pairs = self._query(q, part_q).ComputeSignedDistancePairwiseClosestPoints(margin)
        return sorted({(self._names[pair.id_A], self._names[pair.id_B]) for pair in pairs})

    def named_contacts(self, q: Array, part_q: float, margin: float) -> str:
        """The same as text."""
        return pairs_text(self.contacts(q, part_q, margin))

    def are_hand_and_part(self, pairs: Iterable[tuple[str, str]]) -> bool:
        """Whether all of these pairs of bodies are the hand or fingers and the moving part."""
        return all(
            (a in HAND_BODIES and b in self._part_names)
            or (b in HAND_BODIES and a in self._part_names)
            for a, b in pairs
        )

    def touches_part_only(self, q: Array, part_q: float, margin: float) -> bool:
        """Whether all pairs closer than ``margin`` are the hand or fingers and the moving part."""
        return self.are_hand_and_part(self.contacts(q, part_q, margin))


def pairs_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Names of pairs of bodies for a report."""
    return ", ".join(f"{a} and {b}" for a, b in pairs)


def hand_meets_scene(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether hand or fingers are among these pairs together with table or object."""
    return any(
        (a in HAND_BODIES) != (b in HAND_BODIES) and any(_is_scene(x) for x in (a, b))
        for a, b in pairs
    )


def _is_scene(body: str) -> bool:
    return body == WORLD or body.startswith(OBJECT)


def _links_below(asset: ArticulatedAsset, link: str) -> set[str]:
    """The link and everything fixed to it."""
    links = {link}
    for joint in asset.tree.joints * len(asset.tree.joints):
        if joint.parent in links:
            links.add(joint.child)
    return links
