"""Units and limits of depth, and what a picture consists of."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.realsense_settings import CaptureSettings, FilterSettings, StreamSettings
from gensim2_perception.rgbd_frame import RgbdFrame, TimeDomain, clamp, to_millimetres
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

RAW = hnp.arrays(np.uint16, (4, 5), elements=st.integers(0, 65535))
# As librealsense tells them: float32.
UNITS = [float(np.float32(unit)) for unit in (0.001, 0.0001, 0.00025, 0.000125, 0.01)]


@given(RAW, st.sampled_from(UNITS))
def test_depth_in_any_unit_becomes_millimetres(raw: np.ndarray, unit_m: float) -> None:
    depth_mm = to_millimetres(raw, unit_m)
    assert depth_mm.dtype == np.uint16
    exact = raw.astype(float) * unit_m * 1000.0
    inside = exact <= 65535.0
    # Half a millimetre of rounding, and the seventh digit of a float32.
    assert np.abs(depth_mm - exact)[inside].max(initial=0.0) <= 0.5 + 0.01
    assert (depth_mm[~inside] == 65535).all()
    assert (depth_mm[raw == 0] == 0).all()


def test_the_usual_unit_changes_nothing() -> None:
    raw = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(to_millimetres(raw, UNITS[0]), raw)


@pytest.mark.parametrize("unit_m", [0.0, -0.001, float("nan"), float("inf")])
def test_a_unit_that_is_none_is_refused(unit_m: float) -> None:
    with pytest.raises(ValueError, match="unit"):
        to_millimetres(np.zeros((2, 2), np.uint16), unit_m)


@given(RAW, st.floats(0.0, 30.0), st.floats(30.1, 65.535))
def test_only_what_lies_within_the_limits_stays(raw: np.ndarray, low: float, high: float) -> None:
    kept = clamp(raw, low, high)
    inside = (raw >= low * 1000.0) & (raw <= high * 1000.0)
    np.testing.assert_array_equal(kept[inside], raw[inside])
    assert (kept[~inside] == 0).all()


def test_the_limits_may_be_left_open() -> None:
    raw = np.array([[0, 1, 65535]], np.uint16)
    np.testing.assert_array_equal(clamp(raw, 0.0, FilterSettings().depth_max_m), raw)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        RgbdFrame(
            0,
            TimeDomain.SYSTEM,
            np.zeros((4, 5, 3), np.uint8),
            np.zeros((2, 5), np.uint16),
            PinholeIntrinsics(5, 4, 5.0, 5.0, 2.0, 1.5),
        )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (lambda: FilterSettings(decimation=1), "2 to 8"),
        (lambda: FilterSettings(decimation=9), "2 to 8"),
        (lambda: FilterSettings(hole_filling="right"), "left, farthest, nearest"),
        (lambda: FilterSettings(depth_min_m=1.0, depth_max_m=1.0), "depth range is empty"),
        (lambda: StreamSettings(fps=0), "fps"),
        (lambda: CaptureSettings(frame_timeout_s=0.0), "frame_timeout"),
        (lambda: CaptureSettings(reset_after=0), "reset_after"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        settings()  # type: ignore[operator]
