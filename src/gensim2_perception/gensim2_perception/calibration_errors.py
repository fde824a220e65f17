"""What stops a calibration, in words for the operator."""

from __future__ import annotations


class CalibrationRefusedError(ValueError):
    """The views, clouds or files do not allow a trustworthy result; the text says what to do."""
