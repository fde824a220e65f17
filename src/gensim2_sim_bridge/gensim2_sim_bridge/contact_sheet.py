"""Pictures of drawn scenes side by side, for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations
from gensim2_control.description import resolve_packages, robot_description
from gensim2_tasks.placement import PlacedObject
from numpy.typing import NDArray

from .cameras import CameraConfig, CameraRig
from .shadow import captioned, looking_at
from .world import World

Picture = NDArray[np.uint8]
TILE = CameraConfig(width=400, height=300, fovy=0.62)
EYE, TARGET = np.array([-0.05, -1.15, 0.80]), np.array([0.55, 0.0, 0.15])
CAMERA = "eye"


class Studio:
    """Takes pictures of scenes that are only shown; see `gensim2_tasks.catalogue_cli.Studio`.

    Raises:
        NoRenderDeviceError: There is nothing to render on.
    """

    def __init__(self) -> None:
        self._world = World(resolve_packages(robot_description()))
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

    def save(
        self, scenes: Sequence[tuple[Sequence[PlacedObject], str]], file: Path, columns: int
    ) -> None:
        """Saves scenes with a line of text each, in rows of so many; the rest is white.

        Raises:
            AssetError: A mesh cannot be shown.
        """
        tiles = [captioned(self.take(scene), text, planned=False) for scene, text in scenes]
        tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
        rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
        cv2.imwrite(str(file), np.vstack(rows)[..., ::-1])
