"""The camera model of a calibration: pinhole with lens distortion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy.spatial.transform import Rotation

from .calibration_board import Detection
from .frames import PinholeIntrinsics

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Array = NDArray[np.float64]
_COEFFICIENTS = (0, 4, 5, 8)
_MODELS = ("plumb_bob", "rational_polynomial")


class CameraModel(BaseModel):
    """Intrinsics of the colour camera, which a calibration takes as given.

    Attributes:
        width: Columns [pixel].
        height: Rows [pixel].
        fx: Focal length along the columns [pixel].
        fy: Focal length along the rows [pixel].
        cx: Column of the optical axis [pixel]; the centre of the first pixel is 0.
        cy: Row of the optical axis [pixel].
        distortion: Coefficients k1 k2 p1 p2 (k3 (k4 k5 k6)) of the models `plumb_bob` and
            `rational_polynomial` of sensor_msgs/CameraInfo; none = no distortion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(gt=0, le=20_000)
    height: int = Field(gt=0, le=20_000)
    fx: Finite = Field(gt=0.0)
    fy: Finite = Field(gt=0.0)
    cx: Finite
    cy: Finite
    distortion: tuple[Finite, ...] = ()

    @field_validator("distortion")
    @classmethod
    def _known(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) not in _COEFFICIENTS:
            raise ValueError(f"{len(value)} coefficients; 0, 4, 5 or 8 are understood")
        return value

    @classmethod
    def from_camera_info(
        cls, width: int, height: int, k: Sequence[float], d: Sequence[float], model: str
    ) -> CameraModel:
        """Builds the model from the fields of a sensor_msgs/CameraInfo.

        Raises:
            ValueError: the camera is not calibrated, or its distortion model is not understood.
        """
        pinhole = PinholeIntrinsics.from_k(width, height, k)
        coefficients = tuple(float(value) for value in d)
        if not any(coefficients):
            coefficients = ()
        elif model not in _MODELS:
            raise ValueError(
                f"distortion model {model!r} is not one of {', '.join(_MODELS)}; publish "
                "rectified pictures, whose distortion is zero"
            )
        return cls(
            width=pinhole.width,
            height=pinhole.height,
            fx=pinhole.fx,
            fy=pinhole.fy,
            cx=pinhole.cx,
            cy=pinhole.cy,
            distortion=coefficients,
        )

    @property
    def matrix(self) -> Array:
        """(3, 3) matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def project(self, p_cam: Array) -> Array:
        """Pixels (N, 2) of points (N, 3) in the optical frame [m]."""
        pixels, _ = cv2.projectPoints(
            p_cam.reshape(-1, 1, 3),
            np.zeros(3),
            np.zeros(3),
            self.matrix,
            np.array(self.distortion, np.float64) if self.distortion else None,
        )
        return np.asarray(pixels, np.float64).reshape(-1, 2)

    def board_pose(self, detection: Detection) -> Array:
        """T_cam_board (4, 4) from one picture alone.

        A flat board has two poses that look nearly alike from afar; the better one is returned.
        """
        _, rotations, translations, errors = cv2.solvePnPGeneric(
            detection.p_board,
            detection.pixels,
            self.matrix,
            np.array(self.distortion, np.float64) if self.distortion else None,
            flags=cv2.SOLVEPNP_IPPE,
        )
        best = int(np.argmin(np.asarray(errors).ravel()))
        rotation, translation = cv2.solvePnPRefineLM(
            detection.p_board,
            detection.pixels,
            self.matrix,
            np.array(self.distortion, np.float64) if self.distortion else None,
            rotations[best],
            translations[best],
        )
        T_cam_board = np.eye(4)
        T_cam_board[:3, :3] = Rotation.from_rotvec(np.asarray(rotation).ravel()).as_matrix()
        T_cam_board[:3, 3] = np.asarray(translation).ravel()
        return T_cam_board
