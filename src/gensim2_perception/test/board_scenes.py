"""Pictures of a calibration board with known truth: camera, board, arm and noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_perception.calibration_board import BoardKind, BoardSpec, pattern_picture
from gensim2_perception.calibration_camera import CameraModel
from gensim2_perception.calibration_report import Arrangement
from gensim2_perception.static_transforms import inverse
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
CAMERA = CameraModel(width=640, height=480, fx=602.0, fy=598.0, cx=321.3, cy=236.8)
CHARUCO = BoardSpec()
APRIL_GRID = BoardSpec(kind=BoardKind.APRIL_GRID, columns=5, rows=4, square=0.05, marker=0.035)
_PIXELS_PER_SQUARE = 140
_SUPERSAMPLING = 3


def pose(rotvec: tuple[float, ...], p: tuple[float, ...]) -> NDArray[np.float64]:
    """Rigid transform of a rotation vector [rad] and a position [m]."""
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix()
    T[:3, 3] = p
    return T


def centred(spec: BoardSpec, distance: float) -> NDArray[np.float64]:
    """T_cam_board of a board seen from straight ahead."""
    width, height = spec.size
    return pose((0.0, 0.0, 0.0), (-width / 2, -height / 2, distance))


class BoardScene:
    """The truth of one arrangement, and views of it."""

    def __init__(self, arrangement: Arrangement, spec: BoardSpec, seed: int) -> None:
        self.arrangement, self.spec = arrangement, spec
        self.rng = np.random.default_rng(seed)
        self.urdf = URDF.read_text()
        self.kinematics = Fr3Kinematics.from_urdf(self.urdf)
        self._texture = pattern_picture(spec, _PIXELS_PER_SQUARE)
        T_parent_carrier = arrangement.parent_to_carrier(self.T_base_hand(np.array(HOME_Q)))
        if arrangement is Arrangement.EYE_TO_HAND:
            # The board is held between the fingers, tilted against the hand.
            self.T_carrier_board = pose((0.3, -0.2, 0.4), (-0.13, -0.08, 0.12))
            T_cam_board = centred(spec, 0.75) @ pose((0.25, 0.15, 0.0), (0.0, 0.0, 0.0))
            self.T_parent_cam = T_parent_carrier @ self.T_carrier_board @ inverse(T_cam_board)
        else:
            self.T_parent_cam = pose((0.05, -0.02, 1.5), (0.0755, -0.026, 0.024))
            T_cam_board = centred(spec, 0.5) @ pose((0.1, -0.15, 0.0), (0.0, 0.0, 0.0))
            self.T_carrier_board = inverse(T_parent_carrier) @ self.T_parent_cam @ T_cam_board

    def T_base_hand(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Forward kinematics (4, 4)."""
        return self.kinematics.fk(q, "fr3_hand")

    def T_cam_board(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the camera sees the board."""
        T_parent_carrier = self.arrangement.parent_to_carrier(self.T_base_hand(q))
        return inverse(self.T_parent_cam) @ T_parent_carrier @ self.T_carrier_board

    def configurations(self, count: int, spread: float = 0.45) -> list[NDArray[np.float64]]:
        """Joint positions from which the whole board is in the picture, less than 50 deg tilted."""
        limits = JointLimits.fr3()
        found: list[NDArray[np.float64]] = []
        while len(found) < count:
            q = np.array(HOME_Q) + self.rng.uniform(-spread, spread, 7)
            T = self.T_cam_board(q)
            p_cam = self.outline() @ T[:3, :3].T + T[:3, 3]
            if not limits.contains(q) or p_cam[:, 2].min() < 0.2 or T[2, 2] < np.cos(0.87):
                continue
            pixels = CAMERA.project(p_cam)
            if (pixels > 8).all() and (pixels < (CAMERA.width - 9, CAMERA.height - 9)).all():
                found.append(q)
        return found

    def outline(self) -> NDArray[np.float64]:
        """(4, 3) corners of the pattern in the board frame."""
        width, height = self.spec.size
        return np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]], float)

    def render(self, T_cam_board: NDArray[np.float64]) -> NDArray[np.uint8]:
        """(H, W, 3): the board on grey ground, blurred, with noise of two grey levels."""
        size, s = (CAMERA.width, CAMERA.height), _SUPERSAMPLING
        margin = _PIXELS_PER_SQUARE // 3
        paper = cv2.copyMakeBorder(self._texture, *[margin] * 4, cv2.BORDER_CONSTANT, value=(255,))
        height, width = paper.shape
        # The corner of a texture pixel is half a pixel off its centre, which warping counts from.
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        p_board = np.zeros((4, 3))
        p_board[:, :2] = (corners - margin) * self.spec.square / _PIXELS_PER_SQUARE
        pixels = CAMERA.project(p_board @ T_cam_board[:3, :3].T + T_cam_board[:3, 3])
        homography, _ = cv2.findHomography(corners - 0.5, (pixels + 0.5) * s - 0.5)
        large = np.full((size[1] * s, size[0] * s), 120, np.uint8)
        cv2.warpPerspective(
            paper,
            homography,
            (size[0] * s, size[1] * s),
            dst=large,
            flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        small = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(small, (0, 0), 0.7).astype(float)
        # Printed and lit: black is not 0, white is not 255.
        lit = 25.0 + blurred * (200.0 / 255.0) + self.rng.normal(0.0, 2.0, blurred.shape)
        grey = np.clip(np.round(lit), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
