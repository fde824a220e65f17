"""Cases of the predicates that the simulator measures: joints, tilt, and the touch of the hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import sapien
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.world import World
from gensim2_tasks.assets import ArticulatedAsset
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicate_kinds import (
    Held,
    OpennessAbove,
    OpennessBelow,
    Released,
    Settled,
    Upright,
)
from gensim2_tasks.se3 import Array
from predicate_cases import Case, judge
from sapien.physx import PhysxRigidDynamicComponent
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

OFF = 0.005  # of a threshold
EFFORTS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.62, 0.7, 0.8, 1.0, 1.5, 3.0, 5.0, 10.0, 20.0, 40.0, 60.0)
# N; the threshold is 0.5
SLOWEST = 0.01  # rad/s or m/s; below it the rounding of poses shows
SHARES = (0.8, 0.95, 0.99, 1.01, 1.05, 1.2)  # of a speed
ALONG_FINGERS = se3.about_line(np.zeros(3), [0.0, 1.0, 0.0], np.pi / 2)[:3, :3]
PRESS = 140  # steps in which the fingers close on a thing
HELD, RELEASED = Held(object="object"), Released(object="object")


def lie(asset: ArticulatedAsset, openness: float = 0.5) -> PlacedObject:
    """The asset on the table, far from the robot."""
    T = asset.resting(np.array([0.95, 0.0, asset.rest_height()]), 0.0)
    return PlacedObject("object", asset, T, asset.joint_position(openness))


def openness_cases(
    world: World, asset: ArticulatedAsset, rng: np.random.Generator
) -> Iterator[Case]:
    """Joints 0.5 % of their range below and above a threshold."""
    world.show([lie(asset)])
    closed, opened = asset.document.get("joint_position_range") or asset.tree.moving.limits
    for value in rng.uniform(0.02, 0.98, 3):
        for off in (-OFF, OFF):
            world.set_object("object", float(closed + (value + off) * (opened - closed)))
            scene = world.observations()
            what = f"{off:+g} off the threshold"
            above = OpennessAbove(object="object", value=float(value))
            below = OpennessBelow(object="object", value=float(value))
            yield judge(above, scene, off > 0.0, what, str(asset.ref))
            yield judge(below, scene, off < 0.0, what, str(asset.ref))


def settled_joint_cases(
    world: World, asset: ArticulatedAsset, rng: np.random.Generator
) -> Iterator[Case]:
    """Joints in motion; what their link has moved in a step says how fast."""
    placed = lie(asset)
    world.reset([placed])
    joint = asset.tree.moving
    articulation = world._articulations["object"]
    link = next(k for k in articulation.links if k.name == joint.child)
    for share in SHARES:
        value = float(rng.uniform(0.03, 0.2))
        articulation.set_qpos(np.array([placed.joint_position], dtype=np.float32))
        articulation.set_qvel(np.array([share * value], dtype=np.float32))
        before = link.entity_pose.to_transformation_matrix().astype(float)
        world.step()
        after = link.entity_pose.to_transformation_matrix().astype(float)
        moved = _moved(before, after, joint.kind)
        # Friction has slowed it meanwhile: the threshold is about what is left.
        speed = moved / world.config.time_step
        if speed < SLOWEST:
            continue
        for factor in (0.97, 1.03):
            predicate = Settled(object="object", value=factor * speed)
            label = speed < predicate.value
            yield judge(predicate, world.observations(), label, "3 % off", str(asset.ref))


def _moved(before: Array, after: Array, kind: str) -> float:
    if kind == "prismatic":
        return float(np.linalg.norm(after[:3, 3] - before[:3, 3]))
    turn = Rotation.from_matrix(_orthogonal(before).T @ _orthogonal(after))
    return float(turn.magnitude())


def _orthogonal(T: Array) -> Array:
    """Rotation (3, 3) of a pose in single precision."""
    u, _, v = np.linalg.svd(T[:3, :3])
    return np.asarray(u @ v)


def free_cases(world: World, asset: ArticulatedAsset, rng: np.random.Generator) -> Iterator[Case]:
    """Loose things that glide or turn at a known speed, are tipped, or lie after they fell."""
    placed = lie(asset, 0.0)
    world.reset([placed])
    entity, body = _body(world, "object")
    body.disable_gravity = True
    start = entity.pose.to_transformation_matrix().astype(float)
    for share in SHARES:
        for turning in (False, True):
            value = float(rng.uniform(0.03, 0.2))
            way = rng.normal(size=3)
            way *= share * value / np.linalg.norm(way)
            entity.set_pose(sapien.Pose(se3.transform([0.0, 0.0, 0.5]) @ start))
            for _ in range(12):
                body.set_linear_velocity(np.zeros(3) if turning else way)
                body.set_angular_velocity(way if turning else np.zeros(3))
                world.step()
            what = f"{'turns' if turning else 'glides'} at {share:g} of the threshold"
            settled = Settled(object="object", value=value)
            yield judge(settled, world.observations(), share < 1.0, what, str(asset.ref))
    for _ in range(6):
        value = float(rng.uniform(0.1, 1.5))
        for share in (1.0 - OFF, 1.0 + OFF):
            angle = float(rng.uniform(0.0, 2.0 * np.pi))
            axis = np.array([np.cos(angle), np.sin(angle), 0.0])
            turn = Rotation.from_euler("z", rng.uniform(-3.0, 3.0))
            R = turn * Rotation.from_rotvec(share * value * axis)
            T = start.copy()
            T[:3, :3] = R.as_matrix() @ start[:3, :3]
            T[2, 3] += 0.5
            entity.set_pose(sapien.Pose(T))
            predicate = Upright(object="object", value=value)
            what = f"tipped by {share:g} of the threshold"
            yield judge(predicate, world.observations(), share < 1.0, what, str(asset.ref))
    body.disable_gravity = False
    for tip, label in ((0.03, True), (1.45, False)):
        T = start.copy()
        T[:3, :3] = Rotation.from_rotvec([0.0, tip, 0.0]).as_matrix() @ start[:3, :3]
        T[2, 3] += 0.01 if label else 0.25
        entity.set_pose(sapien.Pose(T))
        body.set_linear_velocity(np.zeros(3))
        body.set_angular_velocity(np.zeros(3))
        for _ in range(300):
            world.step()
        up = (entity.pose.to_transformation_matrix().astype(float) @ np.linalg.inv(start))[2, 2]
        if (up > 0.99) == label:  # else it rolled back, or over
            what = "stands after a small fall" if label else "knocked over"
            yield judge(Upright(object="object"), world.observations(), label, what, str(asset.ref))


def _body(world: World, name: str) -> tuple[sapien.Entity, PhysxRigidDynamicComponent]:
    entity = next(e for e in world.scene.entities if e.name == name)
    return entity, entity.find_component_by_type(PhysxRigidDynamicComponent)


def hand_cases(
    world: World,
    kinematics: Fr3Kinematics,
    probes: Mapping[str, ArticulatedAsset],
    rng: np.random.Generator,
    efforts: Sequence[float] = EFFORTS,
) -> Iterator[Case]:
    """Things between, beside and under the fingers, at known forces and gaps."""
    T_base_tcp = kinematics.fk(np.array(HOME_Q), "fr3_hand_tcp")
    for name, half in (("cube", 0.015), ("stick", 0.01), ("ball", 0.008)):
        for effort in efforts:
            shift = rng.uniform([-0.004, -0.003, -0.004], [0.004, 0.003, 0.0])
            yield from _grasp(world, probes[name], T_base_tcp, shift, effort, half)
        for side in (-1.0, 1.0):
            yield from _one_finger(world, probes[name], T_base_tcp, side, half)
    yield from _under_fingers(world, probes["stick"], T_base_tcp)


def _both(world: World, held: bool, released: bool, what: str, asset: str) -> Sequence[Case]:
    scene = world.observations()
    return [
        judge(HELD, scene, held, what, asset),
        judge(RELEASED, scene, released, what, asset),
    ]


def _put(world: World, probe: ArticulatedAsset, T_base_tcp: Array, shift: Array) -> None:
    T = T_base_tcp @ se3.transform(shift, ALONG_FINGERS)
    world.reset([PlacedObject("object", probe, T, 0.0)])
    _float(world, T)


def _float(world: World, T_base_probe: Array) -> None:
    """Puts the probe somewhere at rest, without weight."""
    entity, body = _body(world, "object")
    body.disable_gravity = True
    body.set_linear_velocity(np.zeros(3))
    body.set_angular_velocity(np.zeros(3))
    tree = world.objects[0].asset.tree
    entity.set_pose(sapien.Pose(T_base_probe @ tree.link_poses(0.0)[tree.moving.child]))


def _drive(world: World, position: float, effort: float, steps: int) -> None:
    world.hand.command(position, effort, world.finger_position)
    for _ in range(steps):
        world.step()


def _grasp(
    world: World,
    probe: ArticulatedAsset,
    T_base_tcp: Array,
    shift: Array,
    effort: float,
    half: float,
) -> Iterator[Case]:
    """Fingers about a thing that they do not touch, closed on it, and opened by a millimetre."""
    ref = str(probe.ref)
    _put(world, probe, T_base_tcp, shift)
    yield from _both(world, False, True, "between open fingers", ref)
    _drive(world, half + 0.006, 20.0, PRESS)
    yield from _both(world, False, True, "between fingers a few millimetres off", ref)
    _drive(world, 0.0, effort, PRESS)
    yield from _both(world, effort > HELD.value, False, f"pressed with {effort:g} N", ref)
    _drive(world, world.finger_position + 0.001, 20.0, 40)
    # It may lean on one of them: no force on the other.
    yield judge(HELD, world.observations(), False, "let go by a millimetre", ref)
    _drive(world, 0.039, 20.0, PRESS)
    _float(world, T_base_tcp @ se3.transform(shift, ALONG_FINGERS))
    for _ in range(12):
        world.step()
    yield from _both(world, False, True, "let go", ref)


def _one_finger(
    world: World,
    probe: ArticulatedAsset,
    T_base_tcp: Array,
    side: float,
    half: float,
) -> Iterator[Case]:
    """One finger pushes a thing that the other does not reach."""
    _put(world, probe, T_base_tcp, np.array([0.0, side * (0.037 - half), 0.0]))
    _drive(world, 0.0, 20.0, 30)
    for _ in range(4):
        _drive(world, 0.0, 20.0, 1)
        yield judge(HELD, world.observations(), False, "pushed by one finger", str(probe.ref))


def _under_fingers(world: World, probe: ArticulatedAsset, T_base_tcp: Array) -> Iterator[Case]:
    """Both fingers press on a stick from above, that lies across them."""
    across = se3.about_line(np.zeros(3), [1.0, 0.0, 0.0], np.pi / 2)
    for depth in np.linspace(0.014, 0.022, 9):
        world.reset([PlacedObject("object", probe, se3.transform([0.95, 0.0, 0.2]), 0.0)])
        _drive(world, 0.02, 20.0, PRESS)
        _float(world, T_base_tcp @ se3.transform([0.0, 0.0, depth]) @ across)
        world.step()
        scene = world.observations()
        if scene["object"].touched:
            yield judge(HELD, scene, False, "under both fingertips", str(probe.ref))
            yield judge(RELEASED, scene, False, "under both fingertips", str(probe.ref))
