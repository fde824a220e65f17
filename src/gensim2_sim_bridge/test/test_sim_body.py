"""The controllers over the simulated robot: it moves as told, feels objects and stops gently."""

from __future__ import annotations

import numpy as np
import pytest
import sapien
from gensim2_control.goals import Outcome
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, point_to_point
from sim_cell import Cell

HOME = np.array(HOME_Q)
AWAY = HOME + np.array([0.5, 0.3, -0.3, 0.2, 0.4, 0.3, -0.5])
BLOCK = 0.02  # m, half of its width


def test_the_arm_follows_closely_and_arrives(cell: Cell) -> None:
    for start, end, share in ((HOME, AWAY, 0.3), (AWAY, HOME, 1.0)):
        limits = JointLimits.fr3().reduced(velocity=share, acceleration=share)
        goal = cell.body.follow(point_to_point(start, end, limits), path_tol=0.05)
        states = cell.run()
        assert goal.result is not None and goal.result.outcome is Outcome.SUCCEEDED
        lag = np.abs([state.q[:7] - state.q_ref for state in states])
        assert lag.max() < (0.015 if share < 1.0 else 0.04), "the arm drags behind its reference"
        for _ in range(100):
            cell.step()
        np.testing.assert_allclose(cell.state.q[:7], end, atol=1e-3)
        np.testing.assert_allclose(cell.state.dq[:7], 0.0, atol=1e-3)


def test_the_measured_speed_is_that_of_the_joints(cell: Cell) -> None:
    cell.body.follow(point_to_point(HOME, AWAY, JointLimits.fr3().reduced(velocity=0.3)))
    states = cell.run()
    q = np.array([state.q for state in states])
    dq = np.array([state.dq for state in states])
    np.testing.assert_allclose(np.diff(q, axis=0) / 0.005, dq[1:], atol=1e-6)


@pytest.mark.parametrize("effort", [5.0, 15.0])
def test_the_hand_feels_what_it_holds(cell: Cell, kinematics: Fr3Kinematics, effort: float) -> None:
    builder = cell.world.scene.create_actor_builder()
    builder.add_box_collision(half_size=[BLOCK, BLOCK, BLOCK])
    builder.set_initial_pose(sapien.Pose(kinematics.fk(HOME, "fr3_hand_tcp")))
    builder.build_static(name="block")
    goal = cell.body.grip(0.0, effort)
    cell.run()
    assert goal.stalled and not goal.reached_goal
    assert goal.reached == pytest.approx(BLOCK, abs=1e-3)
    assert goal.force == pytest.approx(effort, rel=0.05), "a client reads the force of the grasp"
    # The fingers go on pressing: the arm may carry the object away.
    for _ in range(200):
        cell.step()
    np.testing.assert_allclose(cell.state.q[7:], BLOCK, atol=1e-3)
    np.testing.assert_allclose(cell.state.tau[7:], -effort, rtol=0.05)
    cell.body.grip(0.04)
    cell.run()
    np.testing.assert_allclose(cell.state.tau[7:], 0.0, atol=1.0)


def test_an_arm_that_is_held_up_shows_it_in_its_effort(cell: Cell) -> None:
    builder = cell.world.scene.create_actor_builder()
    builder.add_box_collision(half_size=[0.2, 0.2, 0.05])
    builder.set_initial_pose(sapien.Pose([0.4, 0.0, 0.1]))
    builder.build_static(name="block")
    end = HOME.copy()
    end[1] += 0.6
    goal = cell.body.follow(Trajectory(np.array([0.0, 3.0]), np.vstack([HOME, end])))
    states = cell.run()
    assert goal.result is not None and goal.result.outcome is Outcome.ABORTED
    assert "fr3_joint2" in goal.result.text
    efforts = np.abs([state.tau for state in states])
    assert efforts[:20].max() < 5.0 < 80.0 < efforts[:, 1].max() <= 87.0


def test_a_new_scene_brings_the_robot_home_with_open_fingers(cell: Cell) -> None:
    cell.body.grip(0.0, 5.0)
    cell.run()
    cell.body.follow(point_to_point(HOME, AWAY, JointLimits.fr3()))
    cell.run()
    cell.world.reset(())
    cell.body.reseed()
    cell.body.update()
    for _ in range(100):
        cell.step()
    np.testing.assert_allclose(cell.state.q, [*HOME, 0.04, 0.04], atol=1e-4)
    assert not cell.body.busy and cell.body.motion_possible
    # The force of the last grasp is forgotten: the fingers are as strong as ever.
    assert [j.force_limit for j in cell.world.robot.active_joints[7:]] == [70.0, 70.0]
