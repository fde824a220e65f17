"""Random motions that the body must accept: inside every limit, and the arm meets nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.config import ArmConfig
from gensim2_control.goals import TrajectoryRejected
from gensim2_control.hardware import FINGER_MAX, HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_planner import MotionPlanner
from gensim2_control.trajectory import Trajectory, point_to_point
from gensim2_kpam.collision_model import CollisionModel

MARGIN, SPEED_SHARE, ACCELERATION_SHARE = 0.05, 0.5, 0.5
WORKSPACE = Workspace((-0.3, -0.8, 0.0), (0.9, 0.8, 1.2))
"""What the driver enforces: as `real_deploy` starts it on the first day."""
_INSIDE = 0.02  # kept from the joint margins (rad), the workspace and any contact (m)
_REACH = 1.2  # rad from home, so that most draws are in the workspace
_SHARES = (0.2, 0.85)  # of speed and acceleration limits; the rest is for corrections
# Of a stream: what is late has to be caught up with.
_STREAM_SHARES = (0.2, 0.45)
_CHECKS = 40  # configurations per motion that are looked at for collisions
_DRAWS = 2000
CHUNK_POINTS, CHUNK_STEP = 10, 0.1
"""Points of a streamed chunk and the time between them, s."""


@dataclass(frozen=True)
class Grip:
    """A goal of the fingers.

    Attributes:
        position: Of one finger joint, m.
        effort: N; 0 = default.
    """

    position: float
    effort: float


class RandomMoves:
    """Draws motions. What comes depends only on the generator and on where the arm is."""

    def __init__(self, rng: np.random.Generator, urdf: str) -> None:
        """Reads the robot.

        Args:
            rng: Where the numbers come from.
            urdf: Text of the robot description with absolute mesh paths.
        """
        self._rng = rng
        self._limits = JointLimits.fr3().reduced(MARGIN, SPEED_SHARE, ACCELERATION_SHARE)
        lower, upper = np.array(WORKSPACE.lower) + _INSIDE, np.array(WORKSPACE.upper) - _INSIDE
        self._planner = MotionPlanner(
            self._limits,
            ArmConfig(),
            Fr3Kinematics.from_urdf(urdf),
            Workspace(tuple(lower), tuple(upper)),
        )
        self._collisions = CollisionModel(urdf, None)
        self._collisions.place(np.eye(4), FINGER_MAX)

    def move(self, q: Array, share: float = 1.0, *, streamed: bool = False) -> Trajectory:
        """Makes a motion from rest at `q` (7,), rad, to rest somewhere else.

        Args:
            q: Where the arm is.
            share: Of the way to the configuration that is drawn; small = short motions.
            streamed: Whether it is to be sent in chunks.

        Raises:
            RuntimeError: Nothing valid is found from there.
        """
        low, high = self._limits.q_min + _INSIDE, self._limits.q_max - _INSIDE
        for _ in range(_DRAWS):
            drawn = np.array(HOME_Q) + self._rng.uniform(-_REACH, _REACH, 7)
            target = q + share * (np.clip(drawn, low, high) - q)
            speed, acceleration = self._rng.uniform(*(_STREAM_SHARES if streamed else _SHARES), 2)
            limits = self._limits.reduced(velocity=speed, acceleration=acceleration)
            trajectory = point_to_point(q, target, limits)
            if self._is_valid(trajectory, q):
                return trajectory
        raise RuntimeError(f"no valid motion in {_DRAWS} draws from {np.round(q, 3).tolist()}")

    def grip(self) -> Grip:
        """Makes a goal of the fingers; now and then one that closes them with force."""
        position = float(self._rng.uniform(0.002, FINGER_MAX)) if self._rng.random() < 0.8 else 0.0
        return Grip(position, float(self._rng.uniform(5.0, 60.0)))

    def _is_valid(self, trajectory: Trajectory, q: Array) -> bool:
        rest = np.zeros(7)
        try:
            self._planner.check(self._planner.join(trajectory, (q, rest, rest), q))
        except TrajectoryRejected:
            return False
        on_the_way, _, _ = trajectory.sample(np.linspace(0.0, trajectory.duration, _CHECKS))
        return not any(self._collisions.in_collision(each, 0.0, _INSIDE) for each in on_the_way)


def chunk_of(motion: Trajectory, t: float) -> Trajectory:
    """Cuts the next second of a motion out, for a stream.

    Args:
        motion: The whole.
        t: Time since its start, s.

    Returns:
        Points after `t`, times counted from there; the last ones at rest where the motion ends.
    """
    ahead = CHUNK_STEP * np.arange(1, CHUNK_POINTS + 1, dtype=np.float64)
    q, dq, ddq = motion.sample(np.minimum(t + ahead, motion.duration))
    return Trajectory(ahead, q, dq, ddq)
