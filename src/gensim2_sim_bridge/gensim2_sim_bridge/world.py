"""The SAPIEN world: the FR3 on a table, and one drawn scene in front of it.

Frame: the SAPIEN world is ``base``; the table top is z = 0. A new SAPIEN scene is built at every
reset, so that an episode depends on its seed and commands alone, never on earlier episodes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import sapien
from gensim2_control.hardware import ARM_DOF, FINGER_MAX, HOME_Q, JOINTS
from gensim2_control.self_collision import IGNORED_SELF_COLLISIONS
from gensim2_tasks.assets import AssetError
from gensim2_tasks.conditions import AS_USUAL, Conditions, ObjectConditions
from gensim2_tasks.gensim2_judge import TOOL_POINTS
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicates import ObjectObservation
from numpy.typing import NDArray
from sapien.physx import PhysxArticulation, PhysxMaterial

from gensim2_tasks import se3

from .contacts import HAND, TouchRecord, robot_touches
from .free_body import FreeBody
from .hand import Hand, HandConfig
from .scenery import build_table, light, load_visuals

Array = NDArray[np.float64]
# Shapes that share a bit of this word of their collision groups do not collide: one bit a pair.
# That is so for shapes with the same number in the other word: 0 for the robot, one an object.
IGNORE_WORD, IGNORE_FIRST_BIT = 2, 4
IGNORE_OWNER_WORD = 3
HAND_LINK = "fr3_hand"


class SceneError(RuntimeError):
    """The scene cannot be set up; says why."""


@dataclass(frozen=True)
class WorldConfig:
    """Physics and rendering."""

    time_step: float = 0.005  # s
    stiffness: float = 4000.0  # N m/rad, arm drives
    damping: float = 400.0  # N m s/rad
    arm_effort: tuple[float, ...] = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)  # N m
    hand: HandConfig = field(default_factory=HandConfig)
    # Joints of objects: with the friction alone, light lids creep or fall, depending on the step.
    object_armature: float = 0.01  # kg m^2 or kg
    object_material: tuple[float, float, float] = (0.7, 0.7, 0.0)  # static, dynamic, restitution
    finger_material: tuple[float, float, float] = (1.0, 1.0, 0.0)
    render: bool = True


class World:
    """Robot, table and objects.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        config: Physics and rendering.

    Attributes:
        scene: The SAPIEN scene of the present episode.
        robot: The articulation of the robot; its active joints are in the order of ``JOINTS``.
        hand: What leads its fingers.
        t: Simulation time since the world was made, s; goes on over resets.
        conditions: What is different about the present scene.
        began: Number of the step at which it was built.
    """

    scene: sapien.Scene
    robot: PhysxArticulation
    hand: Hand
    conditions: Conditions
    began: int

    def __init__(self, urdf: str, config: WorldConfig | None = None) -> None:
        self.config = config or WorldConfig()
        self._scratch = tempfile.TemporaryDirectory(prefix="gensim2_world_")
        self._urdf = Path(self._scratch.name) / "fr3.urdf"
        self._urdf.write_text(urdf)
        self.steps = 0
        self.objects: tuple[PlacedObject, ...] = ()
        self._articulations: dict[str, PhysxArticulation] = {}
        self._free: dict[str, FreeBody] = {}
        self._touches = TouchRecord()
        self._previous: dict[str, float] = {}
        self._robot_q = np.zeros(len(JOINTS))
        self._robot_dq = np.zeros(len(JOINTS))
        self.reset(())

    @property
    def t(self) -> float:
        """Simulation time, s."""
        return self.steps * self.config.time_step

    def reset(self, objects: Sequence[PlacedObject], conditions: Conditions = AS_USUAL) -> None:
        """Builds a new scene: the robot at home with open fingers, and the given objects.

        Args:
            objects: What stands in it.
            conditions: What is different about it.

        Raises:
            SceneError: An object overlaps the robot.
            AssetError: A mesh cannot be shown.

        After an error the robot is alone.
        """
        try:
            self._set_up(objects, conditions)
        except (SceneError, AssetError):
            self._set_up((), AS_USUAL)
            raise

    def show(self, objects: Sequence[PlacedObject]) -> None:
        """Builds a new scene that is only looked at: no physics says whether it can be.

        The robot is at home until it is set elsewhere.

        Raises:
            AssetError: A mesh cannot be shown; the robot is alone then.
        """
        try:
            self._populate(objects, AS_USUAL, held=True)
        except AssetError:
            self._populate((), AS_USUAL)
            raise

    def set_robot(self, q: Array) -> None:
        """Puts the robot's joints (9,) somewhere at once, rad and m; for a world that is shown."""
        self.robot.set_qpos(q.astype(np.float32))
        self._robot_q, self._robot_dq = q.astype(np.float64), np.zeros(len(JOINTS))

    def set_object(self, name: str, joint_position: float) -> None:
        """Puts the joint of an object somewhere at once, rad or m, at rest."""
        self._articulations[name].set_qpos(np.array([joint_position], dtype=np.float32))
        self.blow(name, 0.0)

    def blow(self, name: str, velocity: float) -> None:
        """Gives the joint of an object another velocity at once, rad/s or m/s."""
        self._articulations[name].set_qvel(np.array([velocity], dtype=np.float32))

    def shove(self, name: str, velocity: Array) -> None:
        """Gives a free body another velocity (3,) at once, m/s in base."""
        self._free[name].shove(velocity)

    def is_free(self, name: str) -> bool:
        """Whether an object is a free body."""
        return name in self._free

    def _set_up(self, objects: Sequence[PlacedObject], conditions: Conditions) -> None:
        self._populate(objects, conditions)
        self.step()
        touched = self._touches.names
        if touched:
            raise SceneError(f"{', '.join(touched)} overlaps the robot in its home pose")

    def _populate(
        self, objects: Sequence[PlacedObject], conditions: Conditions, *, held: bool = False
    ) -> None:
        """Builds everything; ``held`` objects stay where they are set, even free ones."""
        self.objects = ()
        self.conditions, self.began = conditions, self.steps
        self._articulations, self._free = {}, {}
        self._touches = TouchRecord()
        self.scene = self._new_scene()
        self._load_robot()
        for number, placed in enumerate(objects, 1):
            own = conditions.of(placed.name)
            if placed.asset.info.free_body and not held:
                material, render = self._material(own), self.config.render
                body = FreeBody(self.scene, placed, material, mass=own.mass, render=render)
                self._free[placed.name] = body
                if self.config.render:
                    load_visuals([body.entity], str(placed.asset.ref), own.tint)
            else:
                self._articulations[placed.name] = self._load_object(placed, number, own)
        self.objects = tuple(objects)

    def _new_scene(self) -> sapien.Scene:
        if self.config.render:
            scene = sapien.Scene()
            light(scene, self.conditions.lights)
        else:
            scene = sapien.Scene([sapien.physx.PhysxCpuSystem()])
        scene.set_timestep(self.config.time_step)
        build_table(scene, self.conditions.table, render=self.config.render)
        return scene

    def _build(
        self, urdf: Path, *, scale: float = 1.0, density: float = 1000.0, T: Array | None = None
    ) -> PhysxArticulation:
        loader = self.scene.create_urdf_loader()
        loader.fix_root_link = True
        loader.scale = scale
        loader.set_density(density)
        builder = loader.parse(str(urdf))[0][0]
        if not self.config.render:
            # A scene without renderer refuses visuals, and the process then aborts.
            for link in builder.link_builders:
                link.visual_records.clear()
        builder.set_initial_pose(sapien.Pose(np.eye(4) if T is None else T))
        return builder.build()

    def _load_robot(self) -> None:
        config = self.config
        self.robot = self._build(self._urdf)
        names = tuple(j.name for j in self.robot.active_joints)
        if names != JOINTS:
            raise SceneError(f"the robot description has joints {names}, expected {JOINTS}")
        pads = PhysxMaterial(*config.finger_material)
        for link in self.robot.links:
            link.disable_gravity = True
            for shape in link.collision_shapes:
                groups = shape.collision_groups
                for bit, pair in enumerate(IGNORED_SELF_COLLISIONS, IGNORE_FIRST_BIT):
                    groups[IGNORE_WORD] |= (link.name in pair) << bit
                shape.set_collision_groups(groups)
                if "finger" in link.name:
                    shape.physical_material = pads
        joints = self.robot.active_joints
        for joint, limit in zip(joints[:ARM_DOF], config.arm_effort, strict=True):
            joint.set_drive_properties(
                config.stiffness, config.damping, force_limit=limit, mode="force"
            )
        for joint in joints:
            joint.set_friction(0.0)
        q = np.array([*HOME_Q, FINGER_MAX, FINGER_MAX], dtype=np.float32)
        self.robot.set_qpos(q)
        self._robot_q, self._robot_dq = q.astype(np.float64), np.zeros(len(JOINTS))
        for joint, value in zip(joints[:ARM_DOF], q, strict=False):
            joint.set_drive_target(float(value))
        self.hand = Hand(joints[ARM_DOF:], config.hand, FINGER_MAX)
        self._hand_link = next(link for link in self.robot.links if link.name == HAND)
        self._stiffness = np.array([joint.stiffness for joint in joints])
        self._damping = np.array([joint.damping for joint in joints])

    def _material(self, own: ObjectConditions) -> PhysxMaterial:
        """Of the surfaces of an object."""
        static, dynamic, restitution = self.config.object_material
        return PhysxMaterial(static * own.friction, dynamic * own.friction, restitution)

    def _load_object(
        self, placed: PlacedObject, number: int, own: ObjectConditions
    ) -> PhysxArticulation:
        asset = placed.asset
        articulation = self._build(
            asset.urdf,
            scale=asset.info.scale,
            density=asset.info.density * own.mass,
            T=placed.T_base_root,
        )
        articulation.name = placed.name
        material = self._material(own)
        for link in articulation.links:
            for shape in link.collision_shapes:
                shape.physical_material = material
                # The stops of its joint say how far an object moves, not its hulls, which fill
                # recesses. The engine leaves out parent and child, but not what is fixed to them.
                groups = shape.collision_groups
                groups[IGNORE_WORD] |= 1 << IGNORE_FIRST_BIT
                groups[IGNORE_OWNER_WORD] = number
                shape.set_collision_groups(groups)
        (joint,) = articulation.active_joints
        joint.set_friction(asset.joint_friction * own.joint_friction)
        if own.joint_damping:
            joint.set_drive_properties(0.0, own.joint_damping, mode="force")
        # The loader scales them, always.
        joint.set_limits(np.array([asset.tree.moving.limits], dtype=np.float32))
        armature = asset.joint_armature
        if armature is None:
            armature = self.config.object_armature
        joint.set_armature(np.array([armature], dtype=np.float32))
        articulation.set_qpos(np.array([placed.joint_position], dtype=np.float32))
        if self.config.render:
            load_visuals([link.entity for link in articulation.links], str(asset.ref), own.tint)
        return articulation

    def step(self) -> None:
        """Advances the physics by one time step."""
        self._previous = {k: float(a.get_qpos()[0]) for k, a in self._articulations.items()}
        for body in self._free.values():
            body.note()
        before = self._robot_q
        self.hand.advance(self.finger_position, self.config.time_step)
        self.scene.step()
        self.steps += 1
        free = {body.entity: name for name, body in self._free.items()}
        contacts = self.scene.get_contacts()
        self._touches.note(robot_touches(contacts, self.robot, free, self.config.time_step))
        self._robot_q = np.asarray(self.robot.get_qpos(), dtype=np.float64)
        self._robot_dq = (self._robot_q - before) / self.config.time_step

    def robot_state(self) -> tuple[Array, Array]:
        """Positions and velocities (9,) of the robot's joints, rad and m, and per s.

        As for objects, the velocity is what the joints moved in the last step: fingers that press
        on something stand still, whatever the solver's velocity says.
        """
        return self._robot_q, self._robot_dq

    @property
    def finger_position(self) -> float:
        """Present position of a finger joint, the mean of both, m."""
        return float(self._robot_q[ARM_DOF:].mean())

    def robot_effort(self) -> Array:
        """Efforts (9,) of the robot's drives in the last step, N m and N.

        SAPIEN reports forces applied from outside only. Its drives are springs and dampers whose
        force, being implicit, is that of the state after the step. Fingers that move are different:
        their drives are so stiff that they follow their target within a step, and the force is that
        of the mean of both states.
        """
        joints = self.robot.active_joints
        q = self._robot_q.copy()
        q[ARM_DOF:] -= 0.5 * self.config.time_step * self._robot_dq[ARM_DOF:]
        target = np.array([joint.drive_target[0] for joint in joints])
        speed = np.array([joint.drive_velocity_target[0] for joint in joints])
        limit = np.array([joint.force_limit for joint in joints])
        effort = self._stiffness * (target - q)
        effort += self._damping * (speed - self._robot_dq)
        return np.clip(effort, -limit, limit)

    def joint_state(self, name: str) -> tuple[float, float]:
        """Joint position and velocity of an object, rad or m, and per s.

        The velocity is what the joint moved in the last step. The one of the solver is not zero
        for a joint that is pressed against its limit and stands still. That of a free body is how
        fast it moves, wherever to: the larger of m/s and rad/s.
        """
        if name in self._free:
            body = self._free[name]
            return body.joint_position(), body.speed(self.config.time_step)
        q = float(self._articulations[name].get_qpos()[0])
        return q, (q - self._previous.get(name, q)) / self.config.time_step

    def observations(self, names: Collection[str] | None = None) -> dict[str, ObjectObservation]:
        """What the predicates see, of these objects; None = of all."""
        # The y axis of the hand points to the left finger.
        towards_right = -self._hand_link.entity_pose.to_transformation_matrix()[:3, 1]
        result = {}
        for placed in self.objects:
            if names is not None and placed.name not in names:
                continue
            q, dq = self.joint_state(placed.name)
            body = self._free.get(placed.name)
            result[placed.name] = ObjectObservation(
                openness=placed.asset.openness(q),
                joint_velocity=dq,
                tilt=0.0 if body is None else body.tilt(),
                placed=replace(placed, T_base_root=self.root_pose(placed.name), joint_position=q),
                grip=self._touches.grip(placed.name, towards_right),
                touched=self._touches.by_hand(placed.name),
            )
        return result

    def openness(self, name: str) -> float:
        """How far an object is open, 0 to 1."""
        return self._placed(name).asset.openness(self.joint_state(name)[0])

    def tool_points(self) -> Array:
        """Points (3, 3) of the hand in base, m, by which GenSim2 judges."""
        hand = next(link for link in self.robot.links if link.name == HAND_LINK)
        T_base_hand = hand.entity_pose.to_transformation_matrix()
        return se3.apply(np.asarray(T_base_hand, dtype=np.float64), TOOL_POINTS)

    def root_pose(self, name: str) -> Array:
        """T_base_root of an object; only that of a free body changes."""
        if name in self._free:
            return self._free[name].T_base_root()
        return self._placed(name).T_base_root

    def part_pose(self, name: str) -> Array:
        """T_base_part of an object at its present joint position."""
        asset = self._placed(name).asset
        return self.root_pose(name) @ asset.T_root_part(self.joint_state(name)[0])

    def keypoints(self, name: str) -> dict[str, Array]:
        """Keypoints (3,) of an object in base at its present joint position."""
        points = self._placed(name).asset.keypoints(self.joint_state(name)[0])
        T_base_root = self.root_pose(name)
        return {k: se3.apply(T_base_root, p) for k, p in points.items()}

    def _placed(self, name: str) -> PlacedObject:
        return next(o for o in self.objects if o.name == name)
