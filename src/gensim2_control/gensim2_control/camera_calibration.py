"""The calibration file: where each camera sits on its parent frame."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from scipy.spatial.transform import Rotation

Finite = Annotated[float, Field(allow_inf_nan=False)]


class CalibrationError(ValueError):
    """The calibration file cannot be used; the text names file, entry and remedy."""


class CameraCalibration(BaseModel):
    """Pose of the colour camera's optical frame (z forward, x right, y down) in its parent frame.

    Attributes:
        parent: Frame the camera is fixed to: ``base``, or ``fr3_hand`` for the wrist camera.
        xyz: Origin of the optical frame in the parent frame [m].
        xyzw: Orientation of the optical frame in the parent frame, unit quaternion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: str = Field(min_length=1, pattern=r"^[A-Za-z][A-Za-z0-9_/]*$")
    xyz: tuple[Finite, Finite, Finite]
    xyzw: tuple[Finite, Finite, Finite, Finite]

    @field_validator("xyzw")
    @classmethod
    def _unit(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        norm = math.sqrt(sum(v * v for v in value))
        if abs(norm - 1.0) > 1e-3:
            raise ValueError(f"quaternion (x y z w) has length {norm:.4f}, it must be 1")
        return tuple(v / norm for v in value)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """T_parent_optical (4, 4), maps optical coordinates to the parent frame."""
        T = np.eye(4)
        T[:3, :3] = Rotation.from_quat(self.xyzw).as_matrix()
        T[:3, 3] = self.xyz
        return T

    @classmethod
    def from_matrix(cls, parent: str, T_parent_optical: NDArray[np.float64]) -> CameraCalibration:
        """The same from a rigid (4, 4) matrix.

        Raises:
            CalibrationError: the matrix is not a rigid transform.
        """
        T = np.asarray(T_parent_optical, np.float64)
        if T.shape != (4, 4) or not np.isfinite(T).all():
            raise CalibrationError(f"camera on {parent}: a finite 4 x 4 matrix is needed")
        R = T[:3, :3]
        if (
            np.abs(R @ R.T - np.eye(3)).max() > 1e-4
            or np.linalg.det(R) < 0.0
            or np.abs(T[3] - [0.0, 0.0, 0.0, 1.0]).max() > 1e-9
        ):
            raise CalibrationError(f"camera on {parent}: the matrix is not a rigid transform")
        x, y, z = (float(v) for v in T[:3, 3])
        qx, qy, qz, qw = (float(v) for v in Rotation.from_matrix(R).as_quat(canonical=True))
        return cls(parent=parent, xyz=(x, y, z), xyzw=(qx, qy, qz, qw))


class CameraCalibrations(BaseModel):
    """All cameras of one setup.

    Attributes:
        cameras: By name, for example ``left_camera``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: dict[str, CameraCalibration] = Field(min_length=1)

    @field_validator("cameras")
    @classmethod
    def _names(cls, value: dict[str, CameraCalibration]) -> dict[str, CameraCalibration]:
        for name in value:
            if not name.isidentifier():
                raise ValueError(f"camera name {name!r} must be letters, digits and underscores")
        return value

    @classmethod
    def load(cls, path: Path) -> CameraCalibrations:
        """Reads a calibration file.

        Raises:
            CalibrationError: it is absent, not YAML, or an entry is wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise CalibrationError(f"calibration {path}: {error.strerror or error}") from error
        except yaml.YAMLError as error:
            raise CalibrationError(f"calibration {path}: not valid YAML: {error}") from error
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
                for e in error.errors()
            )
            raise CalibrationError(f"calibration {path}: {problems}") from error

    def dump(self, path: Path) -> None:
        """Writes the file that `load` reads; numbers survive to the bit."""
        document = {
            "cameras": {
                name: {"parent": c.parent, "xyz": list(c.xyz), "xyzw": list(c.xyzw)}
                for name, c in self.cameras.items()
            }
        }
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def optical_frame(camera: str) -> str:
    """Name of the colour camera's optical frame."""
    return f"{camera}_color_optical_frame"
