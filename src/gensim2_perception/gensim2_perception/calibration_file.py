"""Puts a result into the calibration file of the cameras; the previous file is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gensim2_control.atomic_file import write_atomically
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations

_HEADER = (
    "# Where the cameras sit: pose of the colour camera's optical frame (z forward, x right,\n"
    "# y down) in its parent frame; xyz in m, orientation as a quaternion x y z w.\n"
)


def backup_of(path: Path) -> Path:
    """Where the previous content of a calibration file is kept."""
    return path.with_name(path.name + ".bak")


def put_camera(path: Path, camera: str, calibration: CameraCalibration) -> bool:
    """Adds or replaces one camera; the others stay as they are.

    Args:
        path: The calibration file, made if it is absent.
        camera: Name.
        calibration: Pose of its colour optical frame.

    Returns:
        Whether there was a file before, which is now beside it as `.bak`.

    Raises:
        CalibrationError: the present file is not a calibration; it is left as it is.
        OSError: it cannot be written.
    """
    existed = path.exists()
    cameras = dict(CameraCalibrations.load(path).cameras) if existed else {}
    cameras[camera] = calibration
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "cameras.yaml"
        CameraCalibrations(cameras=cameras).dump(draft)
        text = _HEADER + draft.read_text(encoding="utf-8")
    if existed:
        write_atomically(backup_of(path), path.read_bytes())
    write_atomically(path, text.encode())
    return existed
