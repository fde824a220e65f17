"""The motion in which the arm is stopped: joint 1 at a constant speed, from side to side."""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import Array
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory

SPEED_SHARE = 0.5
SPEED = SPEED_SHARE * float(JointLimits.fr3().dq_max[0])
"""Speed of joint 1, rad/s."""
FAR = 2.4
"""Where the motions end, rad from the middle; the limit is at 2.74."""
_RAMP = 0.4  # s to speed up and to slow down


def sweep(q: Array, longest: float = np.inf) -> Trajectory:
    """Makes a motion of joint 1 from `q` (7,) towards the farther side, from rest to rest.

    Args:
        q: Where the arm rests, rad.
        longest: Duration at most, s; by default the way takes 1.4 s of constant speed or more,
            which is more than a stop may take.
    """
    target = -FAR if q[0] > 0 else FAR
    # Each ramp covers half of what the full speed would.
    reach = (longest - _RAMP) * SPEED
    way = float(np.clip(target - q[0], -reach, reach))
    cruise = abs(way) / SPEED - _RAMP
    velocity = np.sign(way) * SPEED
    t = np.array([0.0, _RAMP, _RAMP + cruise, 2 * _RAMP + cruise])
    position = np.tile(q, (4, 1))
    position[1:, 0] = q[0] + velocity * np.array([_RAMP / 2, _RAMP / 2 + cruise, 0.0])
    position[3, 0] = q[0] + way
    speed = np.zeros((4, 7))
    speed[1:3, 0] = velocity
    return Trajectory(t, position, speed, np.zeros((4, 7)))
