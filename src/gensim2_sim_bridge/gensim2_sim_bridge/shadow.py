"""The digital shadow: a world that is set to what is known of the real one, and looked at.

Nothing in it is simulated: the robot is where its joints were measured, objects are where the
scene says. A camera therefore shows what a real one should see.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations
from gensim2_control.hardware import FINGER_MAX, HOME_Q
from gensim2_tasks.placement import PlacedObject
from numpy.typing import NDArray

from .cameras import CameraConfig, CameraFrame, CameraRig
from .world import World

Array = NDArray[np.float64]
OVERVIEW = "overview"
SAME_POSE = 1e-9  # m and entries of a rotation
SAME_JOINT = 1e-5  # rad and m
CAPTION_HEIGHT = 22  # pixels
CAPTION_COLOURS = {False: (45, 45, 48), True: (190, 95, 20)}
TEXT_COLOUR = (255, 255, 255)
BACKGROUND = (225, 228, 232)  # of the overview, behind everything


class Shadow:
    """The world of a shadow with its cameras.

    Args:
        world: Made with a renderer; never stepped again.
        calibrations: Where the real cameras sit.
        cameras: Their size and field of view.
        overview: Where somebody looks from (3,) and at (3,), m in base.
        overview_config: Size and field of view of that picture.

    Raises:
        CalibrationError: A camera sits on a frame that does not exist.
    """

    def __init__(
        self,
        world: World,
        calibrations: CameraCalibrations,
        cameras: CameraConfig,
        overview: tuple[Array, Array],
        overview_config: CameraConfig,
    ) -> None:
        self.world = world
        self.rig = CameraRig(calibrations, cameras)
        place = CameraCalibration.from_matrix("base", looking_at(*overview))
        self.rig.attach(world)
        self._overview = CameraRig(CameraCalibrations(cameras={OVERVIEW: place}), overview_config)
        # The first picture takes seconds, in which the renderer is made ready.
        self.look(np.array([*HOME_Q, FINGER_MAX, FINGER_MAX]))

    def set_scene(self, objects: Sequence[PlacedObject]) -> bool:
        """Shows these objects; only other ones, or other places, take longer than a joint.

        Returns:
            Whether anything has changed.

        Raises:
            AssetError: A mesh cannot be shown; the robot is alone then.
        """
        changed = not same_places(objects, self.world.objects)
        if changed:
            self.world.show(objects)
        for placed in objects:
            before, _ = self.world.joint_state(placed.name)
            changed |= abs(placed.joint_position - before) > SAME_JOINT
            self.world.set_object(placed.name, placed.joint_position)
        return changed

    def look(self, q: Array) -> NDArray[np.uint8]:
        """The overview (H, W, 3) with the robot's joints (9,) at q."""
        self.world.set_robot(q)
        (frame,) = self._overview.capture(self.world)
        return on_ground(frame)

    def see(self, q: Array) -> list[CameraFrame]:
        """What the cameras see with the robot's joints (9,) at q."""
        self.world.set_robot(q)
        return self.rig.capture(self.world)


def on_ground(frame: CameraFrame) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with `BACKGROUND` where nothing is seen."""
    nothing = (frame.depth_mm == 0).astype(np.uint8)
    # Seams of meshes leave single pixels open.
    seams = (nothing > cv2.medianBlur(nothing, 5))[..., None]
    rgb = np.where(seams, cv2.medianBlur(frame.rgb, 5), frame.rgb)
    return np.where((nothing > 0)[..., None] & ~seams, np.array(BACKGROUND, np.uint8), rgb)


def same_places(a: Sequence[PlacedObject], b: Sequence[PlacedObject]) -> bool:
    """Tells whether the same objects stand at the same places, however far they are open."""
    return len(a) == len(b) and all(
        one.name == other.name
        and one.asset.ref == other.asset.ref
        and np.allclose(one.T_base_root, other.T_base_root, rtol=0.0, atol=SAME_POSE)
        for one, other in zip(a, b, strict=True)
    )


def looking_at(p_eye: Array, p_target: Array) -> Array:
    """T_base_optical (4, 4) of an upright camera at one point (3,) that looks at another, m.

    Raises:
        ValueError: It would look straight up or down, or nowhere.
    """
    forward = p_target - p_eye
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-6:
        raise ValueError("the overview must not look straight up or down")
    z, x = forward / np.linalg.norm(forward), right / np.linalg.norm(right)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    T[:3, 3] = p_eye
    return T


def captioned(rgb: NDArray[np.uint8], text: str, *, planned: bool) -> NDArray[np.uint8]:
    """A picture (H, W, 3) with a line of text on top, on another ground where it is a plan."""
    picture = rgb.copy()
    picture[:CAPTION_HEIGHT] = CAPTION_COLOURS[planned]
    origin = (6, CAPTION_HEIGHT - 6)
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, TEXT_COLOUR, 1, cv2.LINE_AA)
    return picture
