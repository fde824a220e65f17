"""Simulated depth cameras: colour and aligned depth, as a RealSense gives them.

Optical frames are z forward, x right, y down; SAPIEN's cameras are x forward, y left, z up. The
turn between the two is made here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sapien
from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from numpy.typing import NDArray

from gensim2_tasks import se3

from .depth_noise import DepthNoise
from .world import World

Array = NDArray[np.float64]
# Axes of SAPIEN's camera (forward, left, up) in the optical frame (right, down, forward).
R_OPTICAL_SAPIEN = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
FARTHEST = 10.0
NEAREST = 0.05
MILLIMETRES = 1000.0
# A point of a cloud: metres in the optical frame; rgb is 0x00RRGGBB in the bits of a float, as
# point clouds in ROS have it.
POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<f4")])


@dataclass(frozen=True)
class CameraConfig:
    """Size and vertical field of view of every camera; shader is SAPIEN's shader pack."""

    width: int = 320
    height: int = 240
    fovy: float = 1.012  # rad, 58 degrees: the depth field of a D435
    shader: str = "minimal"


@dataclass(frozen=True)
class CameraFrame:
    """One picture: rgb (H, W, 3) uint8 and depth (H, W) uint16 in mm along the optical axis.

    Depth 0 means that nothing was seen.
    """

    camera: str
    rgb: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]


def point_cloud(frame: CameraFrame, K: Array) -> NDArray[np.void]:
    """Points (N,) of type ``POINT`` that a camera with matrix K (3, 3) has seen, row by row."""
    v, u = np.nonzero(frame.depth_mm)
    z = frame.depth_mm[v, u] / MILLIMETRES
    points = np.empty(len(z), POINT)
    points["x"] = (u - K[0, 2]) / K[0, 0] * z
    points["y"] = (v - K[1, 2]) / K[1, 1] * z
    points["z"] = z
    r, g, b = frame.rgb[v, u].T.astype(np.uint32)
    points["rgb"] = (r << 16 | g << 8 | b).view(np.float32)
    return points


class NoRenderDeviceError(RuntimeError):
    """There is no Vulkan device to render on."""


class CameraRig:
    """The cameras of a world.

    Args:
        calibrations: Where the cameras sit.
        config: Size and field of view.

    A scene may have them elsewhere than they are calibrated to be, and noise in what they see; see
    `gensim2_tasks.conditions`.
    """

    def __init__(
        self, calibrations: CameraCalibrations, config: CameraConfig | None = None
    ) -> None:
        self.calibrations = calibrations
        self.config = config or CameraConfig()
        self._cameras: dict[str, sapien.render.RenderCameraComponent] = {}
        self._scene: sapien.Scene | None = None
        try:
            sapien.render.RenderSystem()
        except RuntimeError as error:
            raise NoRenderDeviceError(
                f"SAPIEN cannot render: {error}. Install a Vulkan driver; on a machine without GPU "
                "Mesa's lavapipe, version 23.1 or newer (package mesa-vulkan-drivers)"
            ) from None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return tuple(self.calibrations.cameras)

    @property
    def intrinsics(self) -> Array:
        """Matrix K (3, 3), the same for all cameras; whole numbers are centres of pixels."""
        config = self.config
        f = 0.5 * config.height / np.tan(0.5 * config.fovy)
        cx, cy = 0.5 * (config.width - 1), 0.5 * (config.height - 1)
        return np.array([[f, 0.0, cx], [0.0, f, cy], [0.0, 0.0, 1.0]])

    def attach(self, world: World) -> None:
        """Mounts the cameras in the present scene of a world; needed after every reset.

        Raises:
            CalibrationError: A camera sits on a frame that does not exist.
        """
        if self._scene is world.scene:
            return
        links = {link.name: link for link in world.robot.links}
        # A setting of the process, taken when a camera is made.
        sapien.render.set_camera_shader_dir(self.config.shader)
        self._cameras = {}
        for name, calibration in self.calibrations.cameras.items():
            T_parent_optical = calibration.matrix @ world.conditions.camera_offset(name)
            T = T_parent_optical @ se3.transform(rotation=R_OPTICAL_SAPIEN)
            size = (self.config.width, self.config.height, self.config.fovy, NEAREST, FARTHEST)
            if calibration.parent == "base":
                camera = world.scene.add_camera(name, *size)
                camera.set_entity_pose(sapien.Pose(T))
            elif calibration.parent in links:
                entity = links[calibration.parent].entity
                camera = world.scene.add_mounted_camera(name, entity, sapien.Pose(T), *size)
            else:
                raise CalibrationError(
                    f"camera {name}: parent frame {calibration.parent!r} is neither 'base' nor a "
                    "link of the robot"
                )
            self._cameras[name] = camera
        self._scene = world.scene

    def capture(self, world: World) -> list[CameraFrame]:
        """Takes a picture with every camera at the present state of the world."""
        self.attach(world)
        world.scene.update_render()
        for camera in self._cameras.values():
            camera.take_picture()
        frames = [self._read(name, camera) for name, camera in self._cameras.items()]
        return [self._with_noise(frame, world) for frame in frames]

    def _with_noise(self, frame: CameraFrame, world: World) -> CameraFrame:
        conditions = world.conditions
        if not conditions.depth:
            return frame
        rng = conditions.depth_rng(frame.camera, world.steps - world.began)
        depth = DepthNoise().applied(
            frame.depth_mm, float(self.intrinsics[0, 0]), conditions.depth, rng
        )
        return replace(frame, depth_mm=depth)

    def _read(self, name: str, camera: sapien.render.RenderCameraComponent) -> CameraFrame:
        colour = camera.get_picture("Color")[..., :3]
        if colour.dtype != np.uint8:
            colour = (np.clip(colour, 0.0, 1.0) * 255.0).astype(np.uint8)
        if self.config.shader == "minimal":
            # Camera coordinates in mm, OpenGL axes: the depth is the negative third one.
            depth = -camera.get_picture("PositionSegmentation")[..., 2].astype(np.int32)
        else:
            depth = -camera.get_picture("Position")[..., 2] * MILLIMETRES
        limit = np.iinfo(np.uint16).max
        depth = np.where((depth > 0) & (depth < FARTHEST * MILLIMETRES), depth, 0)
        return CameraFrame(
            name,
            np.ascontiguousarray(colour),
            np.rint(np.clip(depth, 0, limit)).astype(np.uint16),
        )
