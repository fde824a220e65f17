"""Pictures of one camera in a file: what was seen once is shown again without hardware.

A scene is a folder with one file per camera, ``<camera>.npz``; a camera can also be given its
file alone.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .frames import PinholeIntrinsics

FORMAT = 1
_KEYS = ("format", "rgb", "depth_mm", "intrinsics", "T_base_optical")


class RecordedSceneError(ValueError):
    """A file cannot be used; the text names it and what is wrong."""


@dataclass(frozen=True)
class RecordedView:
    """What one camera saw.

    Attributes:
        rgb: (N, H, W, 3) uint8.
        depth_mm: (N, H, W) uint16 [mm], aligned to the colour, 0 = no reading.
        intrinsics: Of the colour images, hence of both.
        T_base_optical: (4, 4), pose of the camera's optical frame.
    """

    rgb: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]
    intrinsics: PinholeIntrinsics
    T_base_optical: NDArray[np.float64]

    def __post_init__(self) -> None:
        size = (self.intrinsics.height, self.intrinsics.width)
        shapes = self.rgb.shape, self.depth_mm.shape
        count = len(self.rgb) if self.rgb.ndim == 4 else 0
        if count == 0 or shapes != ((count, *size, 3), (count, *size)):
            raise RecordedSceneError(
                f"rgb {shapes[0]} and depth_mm {shapes[1]} must be (N, {size[0]}, {size[1]}, 3) "
                f"and (N, {size[0]}, {size[1]}) with N at least 1"
            )
        if self.rgb.dtype != np.uint8 or self.depth_mm.dtype != np.uint16:
            raise RecordedSceneError(
                f"rgb must be uint8 and depth_mm uint16, not {self.rgb.dtype} and "
                f"{self.depth_mm.dtype}"
            )
        T = self.T_base_optical
        if T.shape != (4, 4) or not np.isfinite(T).all():
            raise RecordedSceneError("T_base_optical must be a finite 4 x 4 matrix")
        if np.abs(T[:3, :3] @ T[:3, :3].T - np.eye(3)).max() > 1e-4 or np.linalg.det(T) < 0.0:
            raise RecordedSceneError("T_base_optical is not a rigid transform")


def save_view(view: RecordedView, folder: Path, camera: str) -> Path:
    """Write a view as ``<folder>/<camera>.npz``; an older one is replaced at once or not at all.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{camera}.npz"
    K = view.intrinsics
    # A name that no camera has, and in the same folder, so that it can be renamed.
    partial = folder / f".{camera}.{os.getpid()}.partial"
    with partial.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.int64(FORMAT),
            rgb=view.rgb,
            depth_mm=view.depth_mm,
            intrinsics=np.array([K.fx, K.fy, K.cx, K.cy]),
            T_base_optical=view.T_base_optical,
        )
    partial.replace(path)
    return path


def load_view(path: Path, camera: str) -> RecordedView:
    """Read the view of a camera.

    Args:
        path: folder of a scene, or the file of this camera.
        camera: name of the camera.

    Raises:
        RecordedSceneError: there is none, or the file is damaged or of another kind.
    """
    file = path / f"{camera}.npz" if path.is_dir() else path
    try:
        return _read(file)
    except FileNotFoundError:
        if not path.is_dir():
            raise RecordedSceneError(
                f"recorded scene {path}: there is no such folder or file"
            ) from None
        beside = ", ".join(sorted(p.stem for p in file.parent.glob("*.npz"))) or "none"
        raise RecordedSceneError(
            f"recorded scene {path}: there is no {file.name}; cameras there: {beside}"
        ) from None
    except (OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
        raise RecordedSceneError(f"recorded scene {file}: {error}") from error


def _read(file: Path) -> RecordedView:
    with np.load(file, allow_pickle=False) as stored:
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise RecordedSceneError("this is a single array, not a .npz file")
        missing = [key for key in _KEYS if key not in stored]
        if missing:
            raise RecordedSceneError(f"entries are missing: {', '.join(missing)}")
        values = {key: stored[key] for key in _KEYS}
    if values["format"].shape != () or int(values["format"]) != FORMAT:
        raise RecordedSceneError(f"format {values['format']} is not {FORMAT}, the one known here")
    if values["intrinsics"].shape != (4,):
        raise RecordedSceneError("intrinsics must be four numbers: fx, fy, cx, cy")
    rgb = values["rgb"]
    if rgb.ndim != 4:
        raise RecordedSceneError(f"rgb must be (N, H, W, 3), not {rgb.shape}")
    fx, fy, cx, cy = (float(v) for v in values["intrinsics"])
    return RecordedView(
        rgb=rgb,
        depth_mm=values["depth_mm"],
        intrinsics=PinholeIntrinsics(rgb.shape[2], rgb.shape[1], fx, fy, cx, cy),
        T_base_optical=np.asarray(values["T_base_optical"], np.float64),
    )
