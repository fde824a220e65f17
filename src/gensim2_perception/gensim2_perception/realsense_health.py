"""How a camera is, for the diagnostics."""

from __future__ import annotations

from gensim2_control.report import Level, Report

from .realsense_capture import RATE_WINDOW_S, CaptureState, CaptureStatus
from .rgbd_frame import TimeDomain

# A camera that delivers less than this part of its rate is reported.
SLOW = 0.5
# Before it has run so long its rate says nothing.
SETTLING_S = 2.0 * RATE_WINDOW_S


def assess_camera(status: CaptureStatus, frame_timeout_s: float, rebased: bool) -> Report:
    """The report on a camera.

    Args:
        status: of the capture.
        frame_timeout_s: how long a frame may take [s].
        rebased: stamps are counted from the first frame on purpose.
    """
    level, message = _verdict(status, frame_timeout_s, rebased)
    return Report(level, message, _values(status))


def _verdict(status: CaptureStatus, frame_timeout_s: float, rebased: bool) -> tuple[Level, str]:
    if status.state is CaptureState.ENDED:
        return Level.OK, "the recording has ended"
    if status.state is CaptureState.OPENING and not status.problem:
        return Level.WARN, "opening"
    if status.state is not CaptureState.STREAMING:
        return Level.ERROR, f"{status.state.value}: {status.problem}"
    if status.problem and (status.age_s is None or status.age_s > frame_timeout_s):
        return Level.ERROR, f"no frames: {status.problem}"
    if status.frames == 0:
        return Level.WARN, "opened, no frame yet"
    warnings = _warnings(status, rebased)
    if warnings:
        return Level.WARN, "streaming, but " + "; ".join(warnings)
    return Level.OK, "streaming"


def _warnings(status: CaptureStatus, rebased: bool) -> list[str]:
    found = []
    if status.info is not None:
        if status.info.usb.startswith(("1", "2")):
            found.append("over USB 2: plug it into a USB 3 port with a USB 3 cable")
        if status.streaming_s > SETTLING_S and status.rate < SLOW * status.info.fps:
            found.append("with less than half the rate asked for")
    if status.domain is TimeDomain.HARDWARE and not rebased:
        found.append(
            "stamps are of the camera's own clock, moved to now at the first frame; they drift "
            "(set global_time, or update the firmware)"
        )
    return found


def _values(status: CaptureStatus) -> dict[str, object]:
    values: dict[str, object] = {
        "state": status.state.value,
        "frames": status.frames,
        "rate [1/s]": f"{status.rate:.1f}",
        "age of last frame [s]": "-" if status.age_s is None else f"{status.age_s:.3f}",
        "timeouts": status.timeouts,
        "reconnects": status.reconnects,
        "resets": status.resets,
        "stale frames dropped": status.stale,
        "time domain": "-" if status.domain is None else status.domain.value,
    }
    if status.info is not None:
        values |= {
            "name": status.info.name,
            "serial": status.info.serial or "-",
            "firmware": status.info.firmware or "-",
            "usb": status.info.usb or "-",
        }
    return values
