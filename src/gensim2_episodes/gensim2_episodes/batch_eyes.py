"""What the simulated cameras see, and the cloud that is made of it, without transport."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gensim2_control.camera_calibration import CameraCalibrations, optical_frame
from gensim2_control.hardware import ARM_DOF, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_perception.frames import CameraFrame, PinholeIntrinsics
from gensim2_perception.fusion import FusedCloud, Fusion
from gensim2_sim_bridge.cameras import CameraRig
from gensim2_sim_bridge.world import World
from numpy.typing import NDArray

from gensim2_episodes.manifest import CameraRecord


class BatchEyes:
    """Clouds of the simulated cameras, as the node `pointcloud_fusion` makes them.

    Args:
        calibrations: Where the cameras sit.
        kinematics: Of the robot, on which some of them are mounted.

    Attributes:
        pictures: (H, W, 3) RGB of every camera, of the newest cloud.

    Raises:
        NoRenderDeviceError: There is nothing to render on.
    """

    def __init__(self, calibrations: CameraCalibrations, kinematics: Fr3Kinematics) -> None:
        self._rig, self._kinematics, self._fusion = CameraRig(calibrations), kinematics, Fusion()
        self.pictures: dict[str, NDArray[np.uint8]] = {}
        K, size = self._rig.intrinsics, self._rig.config
        self._intrinsics = PinholeIntrinsics(
            size.width, size.height, K[0, 0], K[1, 1], K[0, 2], K[1, 2]
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the cameras."""
        return self._rig.names

    def cloud(self, world: World, q: Array) -> FusedCloud:
        """The cloud of the present moment; ``q`` (7,) or more, rad, is where the arm is."""
        stamp_ns = round(world.t * 1e9)
        frames: list[CameraFrame] = []
        T_base_optical = {}
        for picture in self._rig.capture(world):
            self.pictures[picture.camera] = picture.rgb
            name, calibration = picture.camera, self._rig.calibrations.cameras[picture.camera]
            frames.append(
                CameraFrame(
                    name,
                    stamp_ns,
                    optical_frame(name),
                    picture.rgb,
                    picture.depth_mm,
                    self._intrinsics,
                )
            )
            T_base_parent = self._kinematics.fk(q[:ARM_DOF], calibration.parent)
            T_base_optical[name] = T_base_parent @ calibration.matrix
        return self._fusion.fuse(frames, T_base_optical)

    def records(self) -> Mapping[str, CameraRecord]:
        """The cameras, for a manifest."""
        K = tuple(float(x) for x in self._rig.intrinsics.reshape(-1))
        config = self._rig.config
        return {
            name: CameraRecord(
                width=config.width,
                height=config.height,
                intrinsics=K,
                distortion_model="plumb_bob",
                distortion=(0.0,) * 5,
                frame=optical_frame(name),
                parent=calibration.parent,
                T_parent_cam=tuple(float(x) for x in calibration.matrix.reshape(-1)),
            )
            for name, calibration in self._rig.calibrations.cameras.items()
        }
