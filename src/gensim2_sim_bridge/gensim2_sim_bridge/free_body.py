"""An object that nothing holds: what moves it is contact, friction and its weight."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import sapien
from gensim2_tasks.categories import ROLLING, ROUND
from gensim2_tasks.placement import PlacedObject
from numpy.typing import NDArray
from sapien.physx import PhysxMaterial, PhysxRigidDynamicComponent

from gensim2_tasks import se3

Array = NDArray[np.float64]
# Of the solver. With the usual 10 and 1 what is held between fingers rattles by half a degree.
POSITION_ITERATIONS, VELOCITY_ITERATIONS = 60, 8
WINDOW = 10  # steps over which a speed is taken: a rattle by a hundredth of a degree is none


@dataclass(frozen=True)
class _Instant:
    """Pose of the body frame, where its centre of mass is (3,), and pose of the root; m in base."""

    T_base_body: Array
    p_base_mass: Array
    T_base_root: Array


class FreeBody:
    """One rigid body of all the shapes of an asset.

    The asset has a joint, on which objects of its kind stand as on a rail. This one does not; the
    joint only says which way it is meant to go. Its *joint position* is how far the centre of mass
    has come in that direction of the start, within the limits of the joint; and its *root* is where
    the root of the asset would have to be for the body to be where it is. Whoever knows root and
    joint position therefore has the exact pose, as with any other object.

    Args:
        scene: Where it is built.
        placed: The object at its start.
        material: Of all shapes.
        mass: Factor of the mass of the asset.
        render: Whether it can be seen.
    """

    def __init__(
        self,
        scene: sapien.Scene,
        placed: PlacedObject,
        material: PhysxMaterial,
        *,
        mass: float = 1.0,
        render: bool,
    ) -> None:
        asset, tree = placed.asset, placed.asset.tree
        self._asset = asset
        scale, density = [asset.info.scale] * 3, asset.info.density * mass
        poses = tree.link_poses(placed.joint_position)
        T_body_root = se3.inverse(poses[tree.moving.child])
        builder = scene.create_actor_builder()
        for shape in tree.collisions:
            pose = sapien.Pose(T_body_root @ poses[shape.link] @ shape.T_link_shape)
            builder.add_convex_collision_from_file(
                str(shape.mesh), pose, scale, material=material, density=density
            )
        for shape in tree.visuals if render else ():
            pose = sapien.Pose(T_body_root @ poses[shape.link] @ shape.T_link_shape)
            builder.add_visual_from_file(str(shape.mesh), pose, scale)
        T_base_body = placed.T_base_root @ poses[tree.moving.child]
        builder.set_initial_pose(sapien.Pose(T_base_body))
        self.entity = builder.build(name=placed.name)
        self._body = self.entity.find_component_by_type(PhysxRigidDynamicComponent)
        self._body.set_solver_position_iterations(POSITION_ITERATIONS)
        self._body.set_solver_velocity_iterations(VELOCITY_ITERATIONS)
        if asset.ref.category in ROUND:
            self._body.set_angular_damping(ROLLING)
        self._direction = placed.T_base_root[:3, :3] @ tree.axis_in_root()[1]
        self._q_start = placed.joint_position
        self._p_body_mass = np.asarray(self._body.cmass_local_pose.p, dtype=np.float64)
        self._p_start = T_base_body[:3, :3] @ self._p_body_mass + T_base_body[:3, 3]
        self._seen: _Instant | None = None
        self._start = self._now()
        self._past = deque([self._start], maxlen=WINDOW)

    def note(self) -> None:
        """Keeps where it is, before a step of the physics."""
        self._past.append(self._now())

    def shove(self, velocity: Array) -> None:
        """Gives it another velocity (3,) at once, m/s in base."""
        self._body.set_linear_velocity(velocity.astype(np.float32))

    def joint_position(self) -> float:
        """How far it has come along its joint, m; see the class."""
        return self._joint_position(self._now().p_base_mass)

    def T_base_root(self) -> Array:
        """Where its root is; see the class."""
        return self._now().T_base_root

    def speed(self, time_step: float) -> float:
        """The larger of its speeds in the last steps, m/s of the centre of mass and rad/s."""
        now, before = self._now(), self._past[0]
        linear = float(np.linalg.norm(now.p_base_mass - before.p_base_mass))
        R = before.T_base_body[:3, :3].T @ now.T_base_body[:3, :3]
        # Of a rotation matrix R, |R - 1| = 2 sqrt(2) sin(angle / 2).
        chord = float(np.linalg.norm(R - np.eye(3))) / np.sqrt(8.0)
        turn = 2.0 * float(np.arcsin(min(chord, 1.0)))
        return max(linear, turn) / (len(self._past) * time_step)

    def tilt(self) -> float:
        """Angle between its upright axis at the start and now, rad."""
        R = self._now().T_base_body[:3, :3] @ self._start.T_base_body[:3, :3].T
        return float(np.arccos(np.clip(R[2, 2], -1.0, 1.0)))

    def _joint_position(self, p_base_mass: Array) -> float:
        low, high = self._asset.tree.moving.limits
        q = self._q_start + float((p_base_mass - self._p_start) @ self._direction)
        return min(max(q, low), high)

    def _now(self) -> _Instant:
        """Where it is; the judge and others ask several times a step."""
        T = np.asarray(self.entity.pose.to_transformation_matrix(), dtype=np.float64)
        if self._seen is None or not np.array_equal(self._seen.T_base_body, T):
            p_base_mass = T[:3, :3] @ self._p_body_mass + T[:3, 3]
            child = self._asset.tree.moving.child
            poses = self._asset.tree.link_poses(self._joint_position(p_base_mass))
            self._seen = _Instant(T, p_base_mass, T @ se3.inverse(poses[child]))
        return self._seen
