"""The control of the benchmark: motions that know nothing of the task."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.description import robot_description
from gensim2_control.hardware import FINGER_MAX, HOME_Q, Array
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, check_motion
from gensim2_episodes.random_motion import HIGH, LOW, Grip, RandomMotion

LIMITS = JointLimits.fr3()
HOME = np.array(HOME_Q)


@pytest.fixture(scope="module")
def kinematics() -> Fr3Kinematics:
    return Fr3Kinematics.from_urdf(robot_description())


def draws(
    kinematics: Fr3Kinematics, seed: int, number: int = 40, *, sweep: bool = False
) -> list[Trajectory | Grip]:
    motion = RandomMotion(kinematics, LIMITS, np.random.default_rng(seed), sweep=sweep)
    steps, q = [], HOME
    for _ in range(number):
        steps.append(motion.draw(q))
        if isinstance(steps[-1], Trajectory):
            q = steps[-1].q[-1]
    return steps


def ends_of(kinematics: Fr3Kinematics, steps: list[Trajectory | Grip]) -> Array:
    """Where the TCP (N, 3) comes to rest; the body takes every move."""
    moves = [step for step in steps if isinstance(step, Trajectory)]
    for move in moves:
        check_motion(move, move.t, LIMITS)
    return np.asarray(kinematics.fk(np.array([move.q[-1] for move in moves]), TCP_LINK)[:, :3, 3])


def test_sweeps_go_where_objects_stand(kinematics: Fr3Kinematics) -> None:
    """Most moves end in that space, all over it, and none in the table."""
    ends = ends_of(kinematics, draws(kinematics, 1, sweep=True))
    assert (ends[:, 2] >= LOW[2]).all()
    inside = ((ends > np.array(LOW) - 0.1) & (ends < np.array(HIGH) + 0.1)).all(axis=1)
    assert inside.mean() > 0.8
    assert np.ptp(ends, axis=0).min() > 0.2


def test_the_other_moves_stay_about_the_pose_at_home(kinematics: Fr3Kinematics) -> None:
    ends = ends_of(kinematics, draws(kinematics, 1))
    home = kinematics.fk(HOME, TCP_LINK)[:3, 3]
    assert (ends[:, 2] >= LOW[2]).all() and np.ptp(ends, axis=0).min() > 0.1
    assert np.linalg.norm(ends.mean(axis=0) - home) < 0.15


def test_fingers_open_and_close(kinematics: Fr3Kinematics) -> None:
    positions = [step.position for step in draws(kinematics, 2) if isinstance(step, Grip)]
    assert len(positions) > 4
    assert min(positions) < 0.3 * FINGER_MAX and max(positions) > 0.7 * FINGER_MAX


def test_a_seed_gives_the_same_motions(kinematics: Fr3Kinematics) -> None:
    first, again, other = (draws(kinematics, seed, 5) for seed in (3, 3, 4))
    assert repr(first) == repr(again) != repr(other)
