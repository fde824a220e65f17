"""Moves the stamps of a camera to the clock of this computer."""

from __future__ import annotations

from .rgbd_frame import TimeDomain


class StampClock:
    """Stamps in ROS time, of one opening of a camera.

    Global and system time are that of this computer already. For the camera's own clock, and for
    recordings, the difference is taken once: at the first frame. The delay of that frame is then
    in all stamps, and the two clocks drift apart; the order and spacing of frames are kept.
    """

    def __init__(self, rebase: bool) -> None:
        """Begin.

        Args:
            rebase: take the difference whatever the clock: what plays was recorded long ago.
        """
        self._rebase = rebase
        self._offset_ns: int | None = None
        self._last_ns: int | None = None

    def stamp(self, device_ns: int, domain: TimeDomain, arrival_ns: int) -> int | None:
        """Stamp of a frame [ns]; None where it is the same frame again.

        Args:
            device_ns: its stamp, of the clock `domain` [ns].
            domain: whose clock that is.
            arrival_ns: now, of the clock wanted [ns].
        """
        if device_ns == self._last_ns:
            return None
        backwards = self._last_ns is not None and device_ns < self._last_ns
        self._last_ns = device_ns
        if not (self._rebase or domain is TimeDomain.HARDWARE):
            return device_ns
        # A recording that begins again, or a counter that has run over, jumps back.
        if self._offset_ns is None or backwards:
            self._offset_ns = arrival_ns - device_ns
        return device_ns + self._offset_ns
