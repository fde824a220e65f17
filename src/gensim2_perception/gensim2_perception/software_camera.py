"""A camera without hardware: a software device of librealsense, fed with pictures.

Its frames take the way of real ones: pipeline, matching, filters, alignment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyrealsense2 as rs

from .frames import PinholeIntrinsics
from .realsense_capture import SourceInfo
from .realsense_device import PipelineSource, open_device
from .realsense_settings import DeviceSettings, FilterSettings, StreamSettings
from .rgbd_frame import RgbdFrame
from .software_views import SoftwareView

DEPTH_UNIT_M = 0.001
# Of a D435: the filters compute disparities with it.
BASELINE_MM = 50.0
_COLOUR_BYTES, _DEPTH_BYTES = 3, 2


class SoftwareCamera:
    """The device, and the thread that feeds it.

    Attributes:
        device: For a pipeline or a recorder.
        stream: The one profile it has.
    """

    def __init__(self, name: str, view: SoftwareView, fps: int, now_ns: Callable[[], int]) -> None:
        """Make the device; it is fed from `start` on.

        Args:
            name: goes for its serial number.
            view: what it sees.
            fps: frames per second.
            now_ns: time its frames are stamped with [ns].
        """
        self._view = view
        self._now_ns = now_ns
        self._number = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.stream = StreamSettings(view.colour.width, view.colour.height, fps)
        self.device = rs.software_device()
        for what, text in (
            (rs.camera_info.name, "software camera"),
            (rs.camera_info.serial_number, name),
        ):
            self.device.register_info(what, text)
        self._depth = self.device.add_sensor("Stereo Module")
        self._colour = self.device.add_sensor("RGB Camera")
        self._depth.add_read_only_option(rs.option.depth_units, DEPTH_UNIT_M)
        self._depth.add_read_only_option(rs.option.stereo_baseline, BASELINE_MM)
        self._depth_profile = self._depth.add_video_stream(
            _video_stream(rs.stream.depth, rs.format.z16, _DEPTH_BYTES, view.depth, fps), True
        )
        self._colour_profile = self._colour.add_video_stream(
            _video_stream(rs.stream.color, rs.format.rgb8, _COLOUR_BYTES, view.colour, fps), True
        )
        extrinsics = rs.extrinsics()
        # Rotations of librealsense are written column by column.
        extrinsics.rotation = view.T_colour_depth[:3, :3].T.ravel().tolist()
        extrinsics.translation = view.T_colour_depth[:3, 3].tolist()
        self._depth_profile.register_extrinsics_to(self._colour_profile, extrinsics)
        self.device.create_matcher(rs.matchers.dlr_c)

    def feed(self) -> None:
        """Show the next picture, now; the streams must have been started."""
        self._number += 1
        stamp_ms = self._now_ns() / 1e6
        index = (self._number - 1) % len(self._view.rgb)
        for sensor, profile, pixels in (
            (self._depth, self._depth_profile, self._view.depth_mm[index]),
            (self._colour, self._colour_profile, self._view.rgb[index]),
        ):
            frame = rs.software_video_frame()
            frame.profile = profile.as_video_stream_profile()
            frame.pixels = pixels
            frame.stride = pixels.strides[0]
            frame.bpp = pixels.strides[1]
            frame.timestamp = stamp_ms
            frame.domain = rs.timestamp_domain.system_time
            frame.frame_number = self._number
            frame.depth_units = DEPTH_UNIT_M
            sensor.on_video_frame(frame)

    def start(self) -> None:
        """Feed it in a thread of its own, at its rate."""
        self._thread = threading.Thread(target=self._run, name="software camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(until_next(self._now_ns(), self.stream.fps)):
            self.feed()


def until_next(now_ns: int, fps: int) -> float:
    """How long until the next picture is due, s.

    All cameras take theirs at the same instants of the clock, as if a cable synchronised them, in
    whatever process they are. One that is held up leaves pictures out.

    Args:
        now_ns: time of the clock.
        fps: pictures per second.
    """
    period_ns = round(1e9 / fps)
    left_ns = period_ns - now_ns % period_ns
    # A clock that is set back by a hair must not give the same picture twice.
    return (left_ns + (period_ns if left_ns < period_ns / 10 else 0)) * 1e-9


class SoftwareSource:
    """A running software camera as a `FrameSource`."""

    def __init__(self, camera: SoftwareCamera, filters: FilterSettings) -> None:
        """Start a camera.

        Raises:
            SourceError: librealsense refuses it.
        """
        self._camera = camera
        self._source: PipelineSource = open_device(
            rs.context(), camera.device, DeviceSettings(), camera.stream, filters
        )
        camera.start()

    @property
    def info(self) -> SourceInfo:
        """What it is."""
        return self._source.info

    def wait(self, timeout_s: float) -> RgbdFrame | None:
        """The next frame; see `FrameSource`."""
        return self._source.wait(timeout_s)

    def reset(self) -> None:
        """Close; it is made anew when it is opened again."""
        self.close()

    def close(self) -> None:
        """Stop feeding, then the pipeline."""
        self._camera.stop()
        self._source.close()


def _video_stream(
    kind: rs.stream, pixels: rs.format, size: int, intrinsics: PinholeIntrinsics, fps: int
) -> rs.video_stream:
    stream = rs.video_stream()
    stream.type, stream.fmt, stream.bpp = kind, pixels, size
    stream.uid = int(kind)
    stream.index, stream.fps = 0, fps
    stream.width, stream.height = intrinsics.width, intrinsics.height
    model = rs.intrinsics()
    model.width, model.height = intrinsics.width, intrinsics.height
    model.fx, model.fy = intrinsics.fx, intrinsics.fy
    model.ppx, model.ppy = intrinsics.cx, intrinsics.cy
    model.model, model.coeffs = rs.distortion.none, [0.0] * 5
    stream.intrinsics = model
    return stream
