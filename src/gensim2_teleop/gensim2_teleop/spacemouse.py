"""What the cap of a SpaceMouse means."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from gensim2_control.hardware import Array


class Cap(Protocol):
    """State of the cap, each axis from -1 to 1, in the frame of REP 103: x away from the operator.

    It is what `pyspacemouse` gives with its convention ROS.
    """

    x: float
    y: float
    z: float
    roll: float
    pitch: float
    yaw: float


def twist_of(cap: Cap, linear: float, angular: float, dead: float) -> Array:
    """The twist of the TCP for an operator who sits behind the base and looks along its x.

    Args:
        cap: State of the cap.
        linear: Speed of a cap that is pushed to its end [m/s].
        angular: Speed of a cap that is turned to its end [rad/s].
        dead: Share of the way that does not count: no hand pushes along one axis only.

    Returns:
        (6,) in `base` [m/s, rad/s].
    """
    pushed = np.array([cap.x, cap.y, cap.z, cap.roll, cap.pitch, cap.yaw], dtype=np.float64)
    beyond = np.sign(pushed) * np.maximum(np.abs(pushed) - dead, 0.0) / (1.0 - dead)
    twist: Array = np.clip(beyond, -1.0, 1.0) * np.repeat([linear, angular], 3)
    return twist
