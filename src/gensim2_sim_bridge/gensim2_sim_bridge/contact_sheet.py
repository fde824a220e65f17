"""Pictures of drawn scenes side by side, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations
from gensim2_tasks.placement import PlacedObject
from numpy.typing import NDArray

from .cameras import CameraConfig, CameraRig
from .shadow import captioned, looking_at
from .world import World

Picture = NDArray[np.uint8]
TILE = CameraConfig(width=400, height=300, fovy=0.62)
EYE, TARGET = np.array([1.35, -1.15, 0.85]), np.array([0.5, 0.0, 0.12])
CAMERA = "eye"


class SceneCamera:
    """Takes pictures of scenes that are only shown.

    Args:
        urdf: Text of the robot description with absolute mesh paths.

    Raises:
        NoRenderDeviceError: There is nothing to render on.
    """

    def __init__(self, urdf: str) -> None:
        self._world = World(urdf)
        place = CameraCalibration.from_matrix("base", looking_at(EYE, TARGET))
        self._rig = CameraRig(CameraCalibrations(cameras={CAMERA: place}), TILE)

    def take(self, objects: Sequence[PlacedObject]) -> Picture:
        """One picture (H, W, 3) of a scene with the robot at home.

        Raises:
            AssetError: A mesh cannot be shown.
        """
        self._world.show(objects)
        for placed in objects:
            self._world.set_object(placed.name, placed.joint_position)
        (frame,) = self._rig.capture(self._world)
        return frame.rgb


def sheet(pictures: Sequence[Picture], captions: Sequence[str], columns: int) -> Picture:
    """Pictures of one size with a line of text each, in rows of so many; the rest is white."""
    tiles = [captioned(p, c, planned=False) for p, c in zip(pictures, captions, strict=True)]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)
