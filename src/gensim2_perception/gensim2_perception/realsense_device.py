"""Opens RealSense cameras and recordings of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyrealsense2 as rs

from .realsense_capture import RecordingEnded, SourceError, SourceInfo
from .realsense_frames import FrameConverter
from .realsense_settings import DeviceSettings, FilterSettings, StreamSettings
from .rgbd_frame import RgbdFrame

_WANTED = ((rs.stream.depth, rs.format.z16), (rs.stream.color, rs.format.rgb8))


class PipelineSource:
    """A running pipeline of librealsense as a `FrameSource`."""

    def __init__(
        self, pipeline: rs.pipeline, profile: rs.pipeline_profile, filters: FilterSettings, fps: int
    ) -> None:
        """Take over a pipeline.

        Args:
            pipeline: started.
            profile: what `start` has returned.
            filters: what is done to the depth.
            fps: frames per second it was asked for; 0 = whatever comes.
        """
        self._pipeline: rs.pipeline | None = pipeline
        self._device = profile.get_device()
        self._playback = self._device.as_playback() if self._device.is_playback() else None
        self._converter = FrameConverter(filters)
        self._info = device_info(self._device, fps)

    @property
    def info(self) -> SourceInfo:
        """What it is."""
        return self._info

    def wait(self, timeout_s: float) -> RgbdFrame | None:
        """The next complete frame; see `FrameSource`.

        Raises:
            SourceError: the camera was unplugged, or librealsense fails.
            RecordingEnded: the recording was played to its end.
        """
        pipeline = self._running
        try:
            ends = time.monotonic() + timeout_s
            while (left_s := ends - time.monotonic()) > 0.0:
                arrived, frames = pipeline.try_wait_for_frames(max(1, int(left_s * 1000.0)))
                if not arrived:
                    break
                # At first, and after a loss, colour comes without depth or the other way round.
                frame = self._converter.convert(frames)
                if frame is not None:
                    return frame
            self._check_alive()
        except (RuntimeError, ValueError) as error:
            raise SourceError(f"{self._name}: {error}") from error
        return None

    def _check_alive(self) -> None:
        if self._playback is not None:
            if self._playback.current_status() == rs.playback_status.stopped:
                raise RecordingEnded
        elif not self._device.is_connected():
            raise RuntimeError("it was unplugged")

    @property
    def _name(self) -> str:
        return f"{self._info.name} {self._info.serial}".strip()

    @property
    def _running(self) -> rs.pipeline:
        if self._pipeline is None:
            raise SourceError(f"{self._name} is closed")
        return self._pipeline

    def reset(self) -> None:
        """Restart the camera, which takes it off the bus for seconds, and close."""
        self.close()
        # One that is gone cannot be told, and a recording has nothing to restart: both are opened
        # anew in any case.
        with suppress(RuntimeError):
            self._device.hardware_reset()

    def close(self) -> None:
        """Stop the pipeline."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            with suppress(RuntimeError):
                pipeline.stop()


class CameraOpener:
    """Opens a camera that is plugged in, as often as needed."""

    def __init__(
        self, device: DeviceSettings, stream: StreamSettings, filters: FilterSettings
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            device: which camera, and how it is set.
            stream: the profile wanted.
            filters: what is done to the depth.
        """
        self._device = device
        self._stream = stream
        self._filters = filters
        self._context: rs.context | None = None

    def __call__(self) -> PipelineSource:
        """Open it.

        Raises:
            SourceError: it is not there, has no such profile or preset, or is in use.
        """
        try:
            # One for all attempts: each watches the bus with threads of its own.
            self._context = self._context or rs.context()
            device = find_device(self._context, self._device.serial)
            return open_device(self._context, device, self._device, self._stream, self._filters)
        except RuntimeError as error:
            raise _as_source_error(error) from error


def open_device(
    context: rs.context,
    device: rs.device,
    settings: DeviceSettings,
    stream: StreamSettings,
    filters: FilterSettings,
) -> PipelineSource:
    """Set a device and start its colour and depth streams.

    Args:
        context: of the device.
        device: the camera.
        settings: how it is set.
        stream: the profile wanted.
        filters: what is done to the depth.

    Raises:
        SourceError: it has no such profile or preset, or is in use.
    """
    check_profiles(device, stream)
    try:
        _set_global_time(device, settings.global_time)
        if settings.preset:
            _set_preset(device, settings.preset)
        pipeline, config = rs.pipeline(context), rs.config()
        pipeline.set_device(device)
        for kind, pixels in _WANTED:
            config.enable_stream(kind, stream.width, stream.height, pixels, stream.fps)
        profile = pipeline.start(config)
    except RuntimeError as error:
        raise _as_source_error(error) from error
    return PipelineSource(pipeline, profile, filters, stream.fps)


def open_recording(path: Path, repeat: bool, filters: FilterSettings) -> PipelineSource:
    """Open a recording, which plays in the time it was made.

    Args:
        path: a file of librealsense: .db3, or .bag of an older version.
        repeat: begin again at its end.
        filters: what is done to the depth.

    Raises:
        SourceError: it is no such file, or lacks colour or depth.
    """
    pipeline, config = rs.pipeline(), rs.config()
    try:
        config.enable_device_from_file(str(path), repeat)
        profile = pipeline.start(config)
        streams = {p.stream_type(): p for p in profile.get_streams()}
        source = PipelineSource(pipeline, profile, filters, 0)
    except RuntimeError as error:
        raise SourceError(f"recording {path} cannot be played: {error}") from error
    missing = [kind.name for kind, _ in _WANTED if kind not in streams]
    if missing:
        source.close()
        raise SourceError(f"recording {path} holds no {' and no '.join(missing)} stream")
    return source


def find_device(context: rs.context, serial: str) -> rs.device:
    """The device of a serial number; with an empty one the first.

    Raises:
        SourceError: it is not there; the text lists those that are.
    """
    devices = list(context.query_devices())
    serials = [_text(device, rs.camera_info.serial_number) for device in devices]
    for device, found in zip(devices, serials, strict=True):
        if serial in ("", found):
            return device
    wanted = f"RealSense device {serial}" if serial else "RealSense device"
    raise SourceError(
        f"no {wanted} found; is it plugged into a USB 3 port? "
        f"Found serials: {', '.join(serials) or 'none'}"
    )


def check_profiles(device: rs.device, stream: StreamSettings) -> None:
    """Make sure that a device has the colour and the depth profile wanted.

    Raises:
        SourceError: one is missing; the text lists those that exist.
    """
    for kind, pixels in _WANTED:
        profiles = [
            profile.as_video_stream_profile()
            for sensor in device.query_sensors()
            for profile in sensor.get_stream_profiles()
            if profile.stream_type() == kind and profile.format() == pixels
        ]
        offered = [(p.width(), p.height(), p.fps()) for p in profiles]
        if (stream.width, stream.height, stream.fps) not in offered:
            raise SourceError(
                f"{_text(device, rs.camera_info.name)} has no {kind.name} profile {stream} on this "
                f"port; it has: {describe_profiles(offered)}"
            )


def describe_profiles(profiles: Sequence[tuple[int, int, int]]) -> str:
    """Profiles (width, height, fps) as a line of text, the largest first."""
    rates: dict[tuple[int, int], set[int]] = {}
    for width, height, fps in profiles:
        rates.setdefault((width, height), set()).add(fps)
    return (
        "; ".join(
            f"{width} x {height} at {', '.join(map(str, sorted(rates[width, height])))} fps"
            for width, height in sorted(rates, reverse=True)
        )
        or "none"
    )


def choose_preset(wanted: str, offered: Mapping[int, str]) -> int:
    """Number of a visual preset by its name; case, blanks and underscores do not count.

    Raises:
        SourceError: there is none of that name; the text lists those that exist.
    """
    for number, name in offered.items():
        if _plain(name) == _plain(wanted):
            return number
    raise SourceError(
        f"no visual preset {wanted!r}; this camera has: {', '.join(offered.values()) or 'none'}"
    )


def device_info(device: rs.device, fps: int) -> SourceInfo:
    """What a device tells of itself."""
    return SourceInfo(
        name=_text(device, rs.camera_info.name) or "RealSense",
        serial=_text(device, rs.camera_info.serial_number),
        firmware=_text(device, rs.camera_info.firmware_version),
        usb=_text(device, rs.camera_info.usb_type_descriptor),
        fps=fps,
    )


def _set_global_time(device: rs.device, on: bool) -> None:
    for sensor in device.query_sensors():
        if sensor.supports(rs.option.global_time_enabled):
            sensor.set_option(rs.option.global_time_enabled, float(on))


def _set_preset(device: rs.device, name: str) -> None:
    option = rs.option.visual_preset
    for sensor in device.query_sensors():
        if sensor.supports(option):
            span = sensor.get_option_range(option)
            numbers = range(int(span.min), int(span.max) + 1)
            offered = {n: sensor.get_option_value_description(option, float(n)) for n in numbers}
            known = {number: text for number, text in offered.items() if text}
            sensor.set_option(option, float(choose_preset(name, known)))
            return
    choose_preset(name, {})


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _text(device: rs.device, what: rs.camera_info) -> str:
    return str(device.get_info(what)) if device.supports(what) else ""


def _as_source_error(error: RuntimeError) -> SourceError:
    if isinstance(error, SourceError):
        return error
    return SourceError(
        f"the camera cannot be opened: {error}; does another program use it, and may you use it "
        "(udev rules of librealsense)?"
    )
