"""Hand-eye calibration in closed form, after Park and Martin.

F. Park, B. Martin, "Robot sensor calibration: solving AX = XB on the Euclidean group", IEEE
Transactions on Robotics and Automation 10(5), 1994.

Both arrangements are one equation. The camera is fixed to a frame `parent`, the board to a frame
`carrier`, and the robot knows T_parent_carrier:

    T_parent_carrier @ T_carrier_board = T_parent_cam @ T_cam_board

With the camera beside the robot parent is the base and carrier the hand; with the camera on the
hand it is the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from .calibration_errors import CalibrationRefusedError
from .static_transforms import inverse

Array = NDArray[np.float64]

MIN_TURN_DEG = 4.0
"""Smallest spread of the hand's orientation about its second best axis [deg, 1 sigma]."""
_SMALLEST_PAIR = np.radians(3.0)
# The logarithm of a half turn has no sign.
_LARGEST_PAIR = np.radians(165.0)
_TRIALS = 300
_LEVER_M = 0.5


@dataclass(frozen=True)
class HandEye:
    """The two unknown transforms.

    Attributes:
        T_parent_cam: (4, 4), the optical frame in the frame the camera is fixed to.
        T_carrier_board: (4, 4), the board in the frame it is fixed to.
    """

    T_parent_cam: Array
    T_carrier_board: Array


def pose_difference(T_1: Array, T_2: Array) -> tuple[Array, Array]:
    """Distance of the origins [m] and angle [rad] between poses (..., 4, 4)."""
    distance = np.linalg.norm(T_1[..., :3, 3] - T_2[..., :3, 3], axis=-1)
    R_between = np.swapaxes(T_1[..., :3, :3], -1, -2) @ T_2[..., :3, :3]
    angle = Rotation.from_matrix(R_between.reshape(-1, 3, 3)).magnitude()
    return distance, angle.reshape(distance.shape)


def check_turns(T_base_hand: Array) -> None:
    """Refuses hand poses that leave a direction of the unknown transforms open.

    Rotations about one axis alone, whatever their number, leave the position along it unknown.

    Args:
        T_base_hand: (N, 4, 4).

    Raises:
        CalibrationRefusedError: the text names the axes of the hand to turn it about.
    """
    rotations = Rotation.from_matrix(T_base_hand[:, :3, :3])
    turns = (rotations.mean().inv() * rotations).as_rotvec(degrees=True)
    moments, axes = np.linalg.eigh(turns.T @ turns / len(turns))
    spread = np.sqrt(np.maximum(moments, 0.0))[::-1]
    if spread[1] >= MIN_TURN_DEG:
        return
    names = "xyz"
    best = int(np.argmax(np.abs(axes[:, 2])))
    others = " and ".join(name for name in names if name != names[best])
    if spread[0] < MIN_TURN_DEG:
        raise CalibrationRefusedError(
            f"the hand has hardly turned between the views (spread {spread[0]:.1f} deg): turn it "
            "by 20 to 40 deg about two axes at least"
        )
    raise CalibrationRefusedError(
        f"the hand has turned about its {names[best]} axis only (spread {spread[0]:.1f} deg; "
        f"{spread[1]:.1f} and {spread[2]:.1f} deg about the others, {MIN_TURN_DEG:g} are needed): "
        f"record views in which fr3_hand is turned by 20 to 40 deg about {others}"
    )


def solve_hand_eye(T_parent_carrier: Array, T_cam_board: Array) -> HandEye:
    """Least-squares solution over all pairs of views.

    Args:
        T_parent_carrier: (N, 4, 4), N >= 3, from the robot.
        T_cam_board: (N, 4, 4), from the pictures.

    Raises:
        CalibrationRefusedError: the poses have turned about one axis at most.
    """
    i, j = np.array(list(combinations(range(len(T_parent_carrier)), 2))).T
    # Relative motions within the carrier and the board: A @ T_carrier_board = T_carrier_board @ B.
    A = inverse(T_parent_carrier[j]) @ T_parent_carrier[i]
    B = inverse(T_cam_board[j]) @ T_cam_board[i]
    a = Rotation.from_matrix(A[:, :3, :3]).as_rotvec()
    b = Rotation.from_matrix(B[:, :3, :3]).as_rotvec()
    angles = np.linalg.norm(a, axis=1)
    usable = (angles > _SMALLEST_PAIR) & (angles < _LARGEST_PAIR)
    if usable.sum() < 2 or np.linalg.svd(a[usable], compute_uv=False)[1] < _SMALLEST_PAIR:
        raise CalibrationRefusedError("the poses have turned about one axis at most")
    R_carrier_board = Rotation.align_vectors(a[usable], b[usable])[0].as_matrix()
    lhs = (A[:, :3, :3] - np.eye(3)).reshape(-1, 3)
    rhs = (B[:, :3, 3] @ R_carrier_board.T - A[:, :3, 3]).reshape(-1)
    T_carrier_board = np.eye(4)
    T_carrier_board[:3, :3] = R_carrier_board
    T_carrier_board[:3, 3] = np.linalg.lstsq(lhs, rhs, rcond=None)[0]
    candidates = T_parent_carrier @ T_carrier_board @ inverse(T_cam_board)
    T_parent_cam = np.eye(4)
    T_parent_cam[:3, :3] = Rotation.from_matrix(candidates[:, :3, :3]).mean().as_matrix()
    T_parent_cam[:3, 3] = candidates[:, :3, 3].mean(axis=0)
    return HandEye(T_parent_cam, T_carrier_board)


def solve_with_outliers(
    T_parent_carrier: Array, T_cam_board: Array, rng: np.random.Generator
) -> HandEye:
    """The same where up to a third of the views are wrong: least median of squares.

    Args:
        T_parent_carrier: (N, 4, 4), N >= 4.
        T_cam_board: (N, 4, 4).
        rng: Draws the triples of views that are tried.

    Raises:
        CalibrationRefusedError: no three views have turned about two axes.
    """
    best, best_score = None, np.inf
    for _ in range(_TRIALS):
        chosen = rng.choice(len(T_parent_carrier), 3, replace=False)
        try:
            found = solve_hand_eye(T_parent_carrier[chosen], T_cam_board[chosen])
        except CalibrationRefusedError:
            continue
        score = float(np.quantile(_residuals(found, T_parent_carrier, T_cam_board), 0.6))
        if score < best_score:
            best, best_score = found, score
    if best is None:
        raise CalibrationRefusedError("no three views have turned about two axes")
    residuals = _residuals(best, T_parent_carrier, T_cam_board)
    close = residuals <= max(3.0 * best_score, 1e-9)
    return solve_hand_eye(T_parent_carrier[close], T_cam_board[close])


def _residuals(found: HandEye, T_parent_carrier: Array, T_cam_board: Array) -> Array:
    """Disagreement per view [m], angles on a lever of half a metre."""
    predicted = inverse(found.T_parent_cam) @ T_parent_carrier @ found.T_carrier_board
    distance, angle = pose_difference(predicted, T_cam_board)
    return distance + _LEVER_M * angle
