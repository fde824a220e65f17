"""From the frames of librealsense to ours: filter the depth, align it, convert it."""

from __future__ import annotations

import numpy as np
import pyrealsense2 as rs
from numpy.typing import NDArray

from .frames import PinholeIntrinsics
from .realsense_settings import HOLE_FILLING, FilterSettings
from .rgbd_frame import RgbdFrame, TimeDomain, clamp, to_millimetres

_DOMAINS = {
    rs.timestamp_domain.hardware_clock: TimeDomain.HARDWARE,
    rs.timestamp_domain.system_time: TimeDomain.SYSTEM,
    rs.timestamp_domain.global_time: TimeDomain.GLOBAL,
}
# Which channels are red, green and blue.
_COLOUR_FORMATS = {rs.format.rgb8: slice(None), rs.format.bgr8: slice(None, None, -1)}
_NS_PER_MS = 1_000_000


class ColourFormatError(ValueError):
    """The colour images are of a kind that is not understood."""


class FrameConverter:
    """Makes an `RgbdFrame` of a set of frames.

    The order is that librealsense recommends: decimation, then smoothing in disparity, where the
    noise of a stereo camera is even, then holes; alignment last, so that the depth has the size
    of the colour image whatever was done before.
    """

    def __init__(self, filters: FilterSettings) -> None:
        """Prepare the filters; those over time begin anew."""
        self._filters = filters
        self._blocks = []
        if filters.decimation:
            block = rs.decimation_filter()
            block.set_option(rs.option.filter_magnitude, float(filters.decimation))
            self._blocks.append(block)
        if filters.spatial or filters.temporal:
            self._blocks.append(rs.disparity_transform(True))
            if filters.spatial:
                self._blocks.append(rs.spatial_filter())
            if filters.temporal:
                self._blocks.append(rs.temporal_filter())
            self._blocks.append(rs.disparity_transform(False))
        if filters.hole_filling != "off":
            # The modes of librealsense are numbered in this order, from 0.
            mode = HOLE_FILLING.index(filters.hole_filling) - 1
            self._blocks.append(rs.hole_filling_filter(mode))
        self._align = rs.align(rs.stream.color)

    def convert(self, frames: rs.composite_frame) -> RgbdFrame | None:
        """Filter, align and convert; None where colour or depth is missing.

        Args:
            frames: of one instant, from a pipeline.

        Raises:
            ColourFormatError: colour is neither rgb8 nor bgr8.
            RuntimeError: librealsense refuses the frames.
        """
        if not frames.get_depth_frame() or not frames.get_color_frame():
            return None
        for block in self._blocks:
            frames = block.process(frames).as_frameset()
        if not _aligned(frames):
            frames = self._align.process(frames)
        depth, colour = frames.get_depth_frame(), frames.get_color_frame()
        if not depth or not colour:
            return None
        intrinsics = colour.profile.as_video_stream_profile().intrinsics
        raw = np.asanyarray(depth.get_data())
        depth_mm = to_millimetres(raw, depth.get_units())
        return RgbdFrame(
            stamp_ns=round(colour.get_timestamp() * _NS_PER_MS),
            domain=_DOMAINS[colour.get_frame_timestamp_domain()],
            rgb=_rgb(colour),
            depth_mm=clamp(depth_mm, self._filters.depth_min_m, self._filters.depth_max_m),
            intrinsics=PinholeIntrinsics(
                width=intrinsics.width,
                height=intrinsics.height,
                fx=intrinsics.fx,
                fy=intrinsics.fy,
                cx=intrinsics.ppx,
                cy=intrinsics.ppy,
            ),
            distortion=tuple(float(c) for c in intrinsics.coeffs),
        )


def _aligned(frames: rs.composite_frame) -> bool:
    """Whether both images are of one imager: aligning them anew leaves out a pixel in fifteen."""
    depth = frames.get_depth_frame().profile.as_video_stream_profile()
    colour = frames.get_color_frame().profile.as_video_stream_profile()
    if _model(depth.intrinsics) != _model(colour.intrinsics):
        return False
    T_colour_depth = depth.get_extrinsics_to(colour)
    return np.allclose(T_colour_depth.rotation, np.eye(3).ravel(), rtol=0.0, atol=1e-7) and (
        np.allclose(T_colour_depth.translation, 0.0, rtol=0.0, atol=1e-7)
    )


def _model(i: rs.intrinsics) -> tuple[float, ...]:
    return (i.width, i.height, i.fx, i.fy, i.ppx, i.ppy, *i.coeffs)


def _rgb(colour: rs.video_frame) -> NDArray[np.uint8]:
    kind = colour.profile.format()
    if kind not in _COLOUR_FORMATS:
        raise ColourFormatError(
            f"colour is of the format {kind.name}; only "
            f"{' and '.join(known.name for known in _COLOUR_FORMATS)} are understood: record anew "
            "with one of them"
        )
    # A copy: librealsense uses the memory again for a later frame.
    return np.array(np.asanyarray(colour.get_data())[..., _COLOUR_FORMATS[kind]])
