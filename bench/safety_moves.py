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
_CRUISE_POINTS = 12  # 0.4 rad apart at most: the points of a stream may not be far apart


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
    cruising = np.linspace(0.0, cruise, _CRUISE_POINTS)
    t = np.concatenate([[0.0], _RAMP + cruising, [2 * _RAMP + cruise]])
    position = np.tile(q, (len(t), 1))
    position[1:-1, 0] = q[0] + velocity * (_RAMP / 2 + cruising)
    position[-1, 0] = q[0] + way
    speed = np.zeros((len(t), 7))
    speed[1:-1, 0] = velocity
    return Trajectory(t, position, speed, np.zeros((len(t), 7)))
