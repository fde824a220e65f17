"""Which way a camera is opened, from what the operator has asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from gensim2_control.kinematics import Fr3Kinematics

from .realsense_capture import FrameSource, SourceError
from .realsense_device import open_recording
from .realsense_settings import FilterSettings, StreamSettings
from .recorded_scene import load_view
from .software_camera import SoftwareCamera, SoftwareSource
from .software_views import SoftwareView, home_pose, recorded_view, rendered_view
from .table_scene import TABLE_WITH_BOXES

Opener = Callable[[], FrameSource]


def recording_opener(path: Path, repeat: bool, filters: FilterSettings) -> Opener:
    """Opens a recording."""
    return lambda: open_recording(path, repeat, filters)


@dataclass
class SceneOpener:
    """Opens a camera without hardware.

    Attributes:
        camera: Its name.
        stream: Size and rate; with a recorded scene only the rate, the size is that of the scene.
        filters: What is done to the depth.
        now_ns: Time its frames are stamped with [ns].
        calibrations: Where the cameras sit, for the built-in scene.
        kinematics: Of the robot, once known, for a camera that sits on it.
        view: What it sees, once known.
    """

    camera: str
    stream: StreamSettings
    filters: FilterSettings
    now_ns: Callable[[], int]
    calibrations: CameraCalibrations | None
    kinematics: Fr3Kinematics | None = None
    view: SoftwareView | None = None

    def load(self, scene: Path) -> None:
        """Show a recorded scene instead of the built-in one.

        Raises:
            RecordedSceneError: there is none of this camera, or it is damaged.
        """
        self.view = recorded_view(load_view(scene, self.camera))

    def __call__(self) -> SoftwareSource:
        """Open it.

        Raises:
            SourceError: where it sits is not known yet, or librealsense refuses it.
        """
        if self.view is None:
            self.view = self._render()
        camera = SoftwareCamera(self.camera, self.view, self.stream.fps, self.now_ns)
        return SoftwareSource(camera, self.filters)

    def _render(self) -> SoftwareView:
        if self.calibrations is None:
            raise SourceError("the built-in scene needs the calibration of the cameras")
        try:
            T_base_optical = home_pose(self.calibrations, self.camera, self.kinematics)
        except CalibrationError as error:
            raise SourceError(str(error)) from error
        return rendered_view(
            TABLE_WITH_BOXES, T_base_optical, self.stream.width, self.stream.height
        )
