"""Files of a refinement: clouds, and the poses of fixed cameras."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import trimesh
from gensim2_control.atomic_file import write_atomically
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


def save_cloud(path: Path, p_cam: NDArray[np.float32], T_base_cam: NDArray[np.float64]) -> int:
    """Writes a cloud in base, without the points that were not measured.

    Args:
        path: `.npy`, which `load_cloud` reads.
        p_cam: (N, 3) in the optical frame [m]; not finite or at the origin = not measured.
        T_base_cam: (4, 4).

    Returns:
        Number of points written.

    Raises:
        CalibrationRefusedError: another kind of file, or no points.
        OSError: it cannot be written.
    """
    if path.suffix != ".npy":
        raise CalibrationRefusedError("the name of the file must end with .npy")
    measured = p_cam[np.isfinite(p_cam).all(axis=1) & (p_cam[:, 2] > 0.0)].astype(np.float64)
    if not len(measured):
        raise CalibrationRefusedError("the cloud holds no measured points")
    buffer = io.BytesIO()
    np.save(buffer, measured @ T_base_cam[:3, :3].T + T_base_cam[:3, 3], allow_pickle=False)
    write_atomically(path, buffer.getvalue())
    return len(measured)


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
