"""Reads what a refinement needs: clouds from files, and poses of fixed cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from gensim2_control.camera_calibration import CameraCalibrations
from numpy.typing import NDArray

from .calibration_errors import CalibrationRefusedError


def load_cloud(path: Path) -> NDArray[np.float64]:
    """Points (N, 3) of a file `.npy` or `.ply` [m].

    Raises:
        CalibrationRefusedError: it is absent, or holds no points; the text names it.
    """
    try:
        if path.suffix == ".npy":
            points = np.load(path, allow_pickle=False)
        elif path.suffix == ".ply":
            points = trimesh.load(path).vertices
        else:
            raise CalibrationRefusedError(f"cloud {path}: .npy and .ply are understood")
        points = np.asarray(points, np.float64)
    except OSError as error:
        raise CalibrationRefusedError(f"cloud {path}: {error.strerror or error}") from error
    except CalibrationRefusedError:
        raise
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise CalibrationRefusedError(f"cloud {path}: not a cloud: {error}") from error
    if points.ndim != 2 or points.shape[1] != 3:
        raise CalibrationRefusedError(f"cloud {path}: shape {points.shape}, (N, 3) is needed")
    return points


def pose_in_base(calibration: Path, camera: str) -> NDArray[np.float64]:
    """T_base_cam (4, 4) of a fixed camera.

    Raises:
        CalibrationRefusedError: the file does not name it, or it moves with the hand.
        CalibrationError: the file cannot be used.
    """
    cameras = CameraCalibrations.load(calibration).cameras
    if camera not in cameras:
        raise CalibrationRefusedError(
            f"{calibration} has no camera {camera!r}; it has {', '.join(cameras)}"
        )
    if cameras[camera].parent != "base":
        raise CalibrationRefusedError(
            f"{camera} is fixed to {cameras[camera].parent}; only cameras fixed to base can be "
            "aligned by clouds. Calibrate it with a board: calibrate record --arrangement "
            "eye_in_hand"
        )
    return cameras[camera].matrix
