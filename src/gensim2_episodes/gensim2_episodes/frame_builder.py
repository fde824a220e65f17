"""Makes frames of what was measured and commanded; the only place that does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.observation import build_observation
from scipy.spatial.transform import Rotation

from gensim2_episodes.frame import Array, Bytes, Depths, Frame, Points


@dataclass(frozen=True)
class SceneTruth:
    """The true state of the objects; shapes as in `Frame`. None where there is nothing of it."""

    openness: Array | None
    object_q: Array | None
    keypoints: Points | None


@dataclass(frozen=True)
class JointReading:
    """Joints by name, as in sensor_msgs/JointState.

    Attributes:
        names: Joint names; joints that are not of the robot are ignored.
        position: Positions in their order [rad, m].
        velocity: Velocities in their order [rad/s, m/s]; empty = zero.
    """

    names: Sequence[str]
    position: Sequence[float]
    velocity: Sequence[float] = ()

    def select(self, joints: Sequence[str]) -> tuple[Array, Array]:
        """Positions and velocities of some joints, in that order.

        Raises:
            ValueError: A joint is missing, or the sizes differ.
        """
        velocity = self.velocity if len(self.velocity) else np.zeros(len(self.names))
        if not len(self.names) == len(self.position) == len(velocity):
            raise ValueError(
                f"{len(self.names)} joint names, {len(self.position)} positions, "
                f"{len(velocity)} velocities"
            )
        index = {name: i for i, name in enumerate(self.names)}
        missing = [joint for joint in joints if joint not in index]
        if missing:
            raise ValueError(f"joints {', '.join(missing)} are not among {', '.join(self.names)}")
        chosen = [index[joint] for joint in joints]
        return np.asarray(self.position, float)[chosen], np.asarray(velocity, float)[chosen]


def build_frame(
    stamp_ns: int,
    measured: JointReading,
    reference: JointReading,
    gripper_ref: float,
    kinematics: Fr3Kinematics,
    *,
    gripper_effort: float | None = None,
    cloud: tuple[Points, Bytes] | None = None,
    images: Mapping[str, Bytes] | None = None,
    depths: Mapping[str, Depths] | None = None,
    truth: SceneTruth | None = None,
) -> Frame:
    """Makes a frame of what was measured and commanded at one instant.

    Recorder and batch runner both use it, so that the same run gives the same numbers.

    Args:
        stamp_ns: ROS time [ns].
        measured: All nine joints.
        reference: Commanded state of the seven arm joints.
        gripper_ref: Commanded finger joint position [m].
        kinematics: Of the robot.
        gripper_effort: Largest force of the gripper command [N], where it is known.
        cloud: Points in base [m] and colours.
        images: RGB images by camera.
        depths: Depth images [mm] by camera.
        truth: True state of the objects.

    Raises:
        ValueError: A joint is missing or not a finite number.
    """
    seen = build_observation(
        stamp_ns * 1e-9, measured.names, measured.position, measured.velocity, kinematics
    )
    q, dq = measured.select(JOINTS)
    q_ref, dq_ref = reference.select(ARM_JOINTS)
    T_base_ref = kinematics.fk(q_ref)
    turn = Rotation.from_matrix(T_base_ref[:3, :3]).as_quat(canonical=True)
    xyz, rgb = cloud or (None, None)
    return Frame(
        stamp_ns=stamp_ns,
        q=q,
        dq=dq,
        tcp_pose=np.concatenate([seen.tcp_position, seen.tcp_quaternion]),
        gripper=seen.gripper,
        q_ref=q_ref,
        dq_ref=dq_ref,
        tcp_ref=np.concatenate([T_base_ref[:3, 3], turn]),
        gripper_ref=gripper_ref,
        gripper_effort=gripper_effort,
        cloud_xyz=xyz,
        cloud_rgb=rgb,
        images=images or {},
        depths=depths or {},
        openness=truth.openness if truth else None,
        object_q=truth.object_q if truth else None,
        keypoints=truth.keypoints if truth else None,
    )
