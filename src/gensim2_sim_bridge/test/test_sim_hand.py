"""The hand presses with the force it was told, lets nothing fall, and arrives softly."""

from __future__ import annotations

import numpy as np
import pytest
import sapien
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.world import World, WorldConfig
from sapien.physx import PhysxRigidDynamicComponent
from sim_cell import Cell

HALF = 0.01  # m, half of the width of the block
PERIOD = 0.005


def put_block(
    world: World, kinematics: Fr3Kinematics, mass: float | None = None, shift: float = 0.0
) -> sapien.Entity:
    """Put a block between the fingers, fixed or, with a mass in kg, weightless at first.

    It is off the middle of the hand by `shift` m, towards the left finger.
    """
    size = np.array([0.02, HALF, 0.02])
    builder = world.scene.create_actor_builder()
    density = 1000.0 if mass is None else mass / float(np.prod(2 * size))
    builder.add_box_collision(half_size=size, density=density)
    T = kinematics.fk(np.array(HOME_Q), "fr3_hand_tcp")
    T[:3, 3] += T[:3, 1] * shift
    builder.set_initial_pose(sapien.Pose(T))
    if mass is None:
        return builder.build_static(name="block")
    block = builder.build(name="block")
    body_of(block).disable_gravity = True
    return block


def body_of(block: sapien.Entity) -> PhysxRigidDynamicComponent:
    return block.find_component_by_type(PhysxRigidDynamicComponent)


def pressing(world: World) -> Array:
    """Force of the left and of the right finger on the block in the last step, N."""
    force = dict.fromkeys(("fr3_leftfinger", "fr3_rightfinger"), 0.0)
    for contact in world.scene.get_contacts():
        names = {body.entity.name for body in contact.bodies}
        if "block" in names:
            (other,) = names - {"block"}
            impulse = sum((np.array(point.impulse) for point in contact.points), np.zeros(3))
            force[other] = force.get(other, 0.0) + float(np.linalg.norm(impulse)) / PERIOD
    return np.array([force["fr3_leftfinger"], force["fr3_rightfinger"]])


@pytest.mark.parametrize("effort", [5.0, 20.0, 40.0, 70.0])
def test_a_held_block_feels_the_force_that_was_asked_for(
    cell: Cell, kinematics: Fr3Kinematics, effort: float
) -> None:
    """Too little and it slips away, too much and it breaks, whatever its width."""
    put_block(cell.world, kinematics)
    goal = cell.body.grip(0.0, effort)
    blows = []
    while cell.body.busy:
        cell.step()
        blows.append(pressing(cell.world).max())
    assert goal.stalled
    assert goal.force == pytest.approx(effort, rel=0.02)
    assert max(blows) < 1.1 * effort + 5.0, "the fingers slam into the block"
    forces = []
    for _ in range(100):
        cell.step()
        forces.append(pressing(cell.world))
    np.testing.assert_allclose(forces, effort, rtol=0.02)
    assert cell.state.gripper_ref == 0.0, "the record shows what was commanded"


def test_a_block_is_held_by_the_force_that_its_weight_needs(
    cell: Cell, kinematics: Fr3Kinematics
) -> None:
    """2 kg need 15 N of each finger with the friction there is."""
    block = put_block(cell.world, kinematics, mass=2.0)
    for effort, held in ((30.0, True), (5.0, False)):
        cell.body.grip(0.0, effort)
        cell.run()
        height = block.pose.p[2]
        body_of(block).disable_gravity = False
        for _ in range(100):
            cell.step()
        sunk = float(height - block.pose.p[2])
        assert (sunk < 0.005) == held, f"{effort} N: sunk by {sunk} m"
        body_of(block).disable_gravity = held


@pytest.mark.parametrize("stop", ["stop", "cancel", "hardware"])
def test_what_is_held_stays_held_when_the_fingers_are_stopped(
    cell: Cell, kinematics: Fr3Kinematics, stop: str
) -> None:
    """Whether the goal runs still or has ended: nothing is dropped in an emergency."""
    block = put_block(cell.world, kinematics, mass=0.5)
    goal = cell.body.grip(0.0, 20.0)
    for _ in range(400):
        cell.step()
        if pressing(cell.world).min() > 15.0:
            break
    assert not goal.done
    if stop == "hardware":
        cell.run()
        SapienHardware(cell.world).gripper_stop()
    elif stop == "cancel":
        assert cell.body.cancel(goal)
    else:
        cell.body.stop("test")
    body_of(block).disable_gravity = False
    height = block.pose.p[2]
    for _ in range(200):
        cell.step()
    assert block.pose.p[2] == pytest.approx(height, abs=2e-3)
    assert pressing(cell.world).min() > 14.0


def test_another_force_does_not_let_go_first(cell: Cell, kinematics: Fr3Kinematics) -> None:
    put_block(cell.world, kinematics)
    cell.body.grip(0.0, 20.0)
    cell.run()
    for effort in (40.0, 10.0):
        before = pressing(cell.world).min()
        cell.body.grip(0.0, effort)
        forces = [pressing(cell.world).min() for _ in range(40) if cell.step()]
        assert min(forces) > 0.95 * min(before, effort)
        assert forces[-1] == pytest.approx(effort, rel=0.02)


def test_stopped_fingers_stand_where_they_are(cell: Cell) -> None:
    goal = cell.body.grip(0.0)
    for _ in range(400):
        if cell.step().q[7] < 0.02:
            break
    assert not goal.done
    reached = cell.state.q[7]
    cell.body.cancel(goal)
    for _ in range(100):
        cell.step()
    np.testing.assert_allclose(cell.state.q[7:], reached, atol=5e-4)


@pytest.mark.parametrize("step", [0.001, PERIOD, 0.02])
@pytest.mark.parametrize("effort", [2.0, 70.0])
def test_free_fingers_arrive_softly_and_exactly(urdf: str, effort: float, step: float) -> None:
    world = World(urdf, WorldConfig(render=False, time_step=step))
    hardware = SapienHardware(world)
    at = 0.04
    for goal in (0.0, 0.04, 0.015, 0.025):
        hardware.gripper_command(goal, effort)
        q, dq = [], []
        for _ in range(round(1.2 / step)):
            world.step()
            sample = hardware.read()
            q.append(sample.q[7:])
            dq.append(sample.dq[7:])
        np.testing.assert_allclose(q[-1], goal, atol=1e-5)
        assert np.max((np.array(q) - goal) * np.sign(goal - at)) < 1e-5, "overshoot"
        assert np.abs(dq).max() < 0.075, "the real hand moves at 0.05 m/s"
        at = goal


def test_fingers_do_not_snap_shut_when_an_object_slips_out(
    cell: Cell, kinematics: Fr3Kinematics
) -> None:
    block = put_block(cell.world, kinematics)
    cell.body.grip(0.0, 70.0)
    cell.run()
    for _ in range(200):
        cell.step()
    cell.world.scene.remove_actor(block)
    speeds = [abs(cell.step().dq[7]) for _ in range(100)]
    assert max(speeds) < 0.3, "a spring was wound up"
    np.testing.assert_allclose(cell.state.q[7:], 0.0, atol=1e-4)
