"""The one builder of robot observations: recorder, policy and tests all use it.

Whoever feeds a policy, in simulation or on the robot, calls `build_observation` with what the
topic `joint_states` says; nothing else defines what "the state" is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from gensim2_control.hardware import ARM_JOINTS, FINGER_JOINTS, Array
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics

STATE_NAMES: tuple[str, ...] = (
    *(f"tcp_{axis}" for axis in "xyz"),
    *(f"tcp_q{axis}" for axis in "xyzw"),
    *(f"q{i}" for i in range(1, 8)),
    "gripper",
)
"""Names of the entries of `Observation.vector`."""


@dataclass(frozen=True)
class Observation:
    """State of the robot at one instant.

    Attributes:
        t: time of the measurement, s.
        q: arm joint positions (7,), rad.
        dq: arm joint velocities (7,), rad/s.
        tcp_position: origin of `fr3_hand_tcp` in `base` (3,), m.
        tcp_quaternion: orientation of `fr3_hand_tcp` in `base` (4,), xyzw, w >= 0.
        gripper: position of one finger joint, 0 closed to 0.04 open, m.
    """

    t: float
    q: Array
    dq: Array
    tcp_position: Array
    tcp_quaternion: Array
    gripper: float

    def vector(self) -> Array:
        """Return the proprioceptive state (15,) in the order of `STATE_NAMES`.

        Entries 0 to 2: TCP position in `base`, m. 3 to 6: TCP orientation in `base`, xyzw with
        w >= 0. 7 to 13: arm joints, rad. 14: finger joint, m.
        """
        return np.concatenate([self.tcp_position, self.tcp_quaternion, self.q, [self.gripper]])


def build_observation(
    t: float,
    names: Sequence[str],
    position: ArrayLike,
    velocity: ArrayLike | None,
    kinematics: Fr3Kinematics,
) -> Observation:
    """Build the observation from the arrays of a joint state; joints are found by name.

    Args:
        t: time of the measurement, s.
        names: joint names; further joints are ignored.
        position: positions in the order of `names`, rad and m.
        velocity: velocities in the same order, rad/s; None or empty = zero.
        kinematics: forward kinematics of the robot.

    Raises:
        ValueError: a joint is missing, the sizes differ, or a number is not finite.
    """
    index = {name: i for i, name in enumerate(names)}
    missing = [name for name in (*ARM_JOINTS, *FINGER_JOINTS) if name not in index]
    if missing:
        raise ValueError(f"the joint state lacks {', '.join(missing)}; it has: {', '.join(names)}")
    positions = np.asarray(position, dtype=np.float64)
    velocities = np.zeros(0) if velocity is None else np.asarray(velocity, dtype=np.float64)
    if velocities.size == 0:
        velocities = np.zeros(len(names))
    if positions.shape != (len(names),) or velocities.shape != (len(names),):
        raise ValueError(
            f"{len(names)} names, {positions.size} positions and {velocities.size} velocities"
        )
    arm = [index[name] for name in ARM_JOINTS]
    q, dq = positions[arm], velocities[arm]
    gripper = float(positions[[index[name] for name in FINGER_JOINTS]].mean())
    if not (np.isfinite(q).all() and np.isfinite(dq).all() and np.isfinite(gripper)):
        raise ValueError(f"the joint state at {t:.3f} s has entries that are not finite")
    T_base_tcp = kinematics.fk(q, TCP_LINK)
    return Observation(
        t=t,
        q=q,
        dq=dq,
        tcp_position=T_base_tcp[:3, 3].copy(),
        tcp_quaternion=Rotation.from_matrix(T_base_tcp[:3, :3]).as_quat(canonical=True),
        gripper=gripper,
    )
