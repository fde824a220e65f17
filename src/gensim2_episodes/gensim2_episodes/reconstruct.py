"""Episodes from formats that hold less than ours: what follows from the rest is computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_episodes.frame import Array
from gensim2_episodes.manifest import (
    EpisodeRecord,
    JsonObject,
    Outcome,
    Rates,
    SceneRecord,
    SoftwareRecord,
)

IMPORTED = "imported"
"""Who acted, where nobody says."""

_LONGEST_NAME = 60
_OPEN = 0.04  # m, position of a finger


@dataclass(frozen=True)
class Motion:
    """What is known of the robot; first axis: frame.

    Attributes:
        stamp_ns: (T,) [ns], increasing.
        q: (T, 7) measured [rad].
        finger: (T,) measured position of one finger [m].
        q_ref: (T, 7) commanded [rad].
        finger_ref: (T,) commanded [m].
        tcp_ref: (T, 7) commanded pose of fr3_hand_tcp in base; None = that of `q_ref`.
    """

    stamp_ns: NDArray[np.int64]
    q: Array
    finger: Array
    q_ref: Array
    finger_ref: Array
    tcp_ref: Array | None = None


def motion_arrays(motion: Motion, kinematics: Fr3Kinematics) -> dict[str, NDArray[Any]]:
    """The arrays of the store that belong to the robot, by path; first axis: frame.

    Velocities are differences of positions, and poses follow from the joints.
    """
    seconds = (motion.stamp_ns - motion.stamp_ns[0]) * 1e-9
    fingers = np.stack([motion.finger, motion.finger], axis=1)
    q = np.concatenate([motion.q, fingers], axis=1)
    tcp_ref = motion.tcp_ref
    return {
        "observation/joint_position": q,
        "observation/joint_velocity": _rate(q, seconds),
        "observation/tcp_pose": poses(kinematics.fk(motion.q)),
        "observation/gripper": motion.finger,
        "action/joint_position": motion.q_ref,
        "action/joint_velocity": _rate(motion.q_ref, seconds),
        "action/tcp_pose": poses(kinematics.fk(motion.q_ref)) if tcp_ref is None else tcp_ref,
        "action/gripper": motion.finger_ref,
    }


def poses(T: Array) -> Array:
    """Transforms (T, 4, 4) as x y z [m], qx qy qz qw, (T, 7)."""
    turned = Rotation.from_matrix(T[:, :3, :3]).as_quat(canonical=True)
    return np.concatenate([T[:, :3, 3], turned], axis=1)


def _rate(values: Array, seconds: Array) -> Array:
    return np.gradient(values, seconds, axis=0) if len(values) > 1 else np.zeros_like(values)


def finger_positions(values: Array, where: str) -> Array:
    """Positions of one finger [m] from a column about the gripper, whose unit is guessed.

    Up to 0.04 is a position of a finger [m], up to 0.09 the width between both [m].

    Raises:
        ValueError: It is neither.
    """
    low, high = float(values.min()), float(values.max())
    if low < -0.005 or high > 0.09:
        raise ValueError(
            f"{where} goes from {low:.3g} to {high:.3g}; expected the position of a finger "
            "(0 to 0.04 m) or the width between both (0 to 0.08 m)"
        )
    return np.clip(values if high <= _OPEN + 0.005 else values / 2, 0.0, _OPEN)


def imported_record(
    instruction: str,
    index: int,
    rate: float,
    note: str,
    software: SoftwareRecord,
    task: str = "",
    physics: float | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> EpisodeRecord:
    """The record of an episode of which little is known; the note says what was made up.

    Args:
        instruction: In words.
        index: Number of the episode where it comes from; stands in for the seed.
        rate: Of the frames [Hz].
        note: What is missing or was guessed.
        software: Of the importer.
        task: Name of the task; empty = made of the instruction.
        physics: Rate of the simulator [Hz]; None = it was not simulated, or nobody knows.
        parameters: What else is known of the scene, plain JSON.
    """
    known: JsonObject = dict(parameters or {})
    return EpisodeRecord(
        task=task or _task_name(instruction),
        instruction=instruction,
        seed=index,
        randomize=True,
        controller=IMPORTED,
        scene=SceneRecord(objects=(), parameters=known),
        rates=Rates(observation=rate, physics=physics),
        software=software,
        outcome=Outcome.SUCCESS,
        note=note,
    )


def _task_name(instruction: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", instruction)
    return "".join(word[:1].upper() + word[1:] for word in words)[:_LONGEST_NAME] or "Imported"
