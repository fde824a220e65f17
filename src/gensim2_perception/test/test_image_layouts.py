"""Byte layouts: pixels and points must arrive unchanged, nonsense must be named."""

from array import array
from dataclasses import replace

import numpy as np
import pytest
from gensim2_perception.frame_assembly import FrameAssembler
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.layouts import (
    XYZRGB_FIELDS,
    XYZRGB_STEP,
    LayoutError,
    PointField,
    colour_image,
    depth_image,
    pack_xyzrgb,
    unpack_xyzrgb,
)
from hypothesis import given, settings
from hypothesis import strategies as st

INTRINSICS = PinholeIntrinsics(4, 3, 5.0, 5.0, 1.5, 1.0)


@pytest.mark.parametrize(
    ("encoding", "channels"),
    [("rgb8", "rgb"), ("bgr8", "bgr"), ("rgba8", "rgba"), ("bgra8", "bgra")],
)
@pytest.mark.parametrize("padding", [0, 5])
def test_colours_come_out_red_first(encoding: str, channels: str, padding: int) -> None:
    rng = np.random.default_rng(0)
    planes = {c: rng.integers(0, 255, (3, 4), dtype=np.uint8) for c in "rgba"}
    rows = np.stack([planes[c] for c in channels], axis=-1).reshape(3, -1)
    rows = np.concatenate([rows, np.full((3, padding), 77, np.uint8)], axis=1)
    image = colour_image(array("B", rows.tobytes()), 3, 4, rows.shape[1], encoding)
    assert np.array_equal(image, np.stack([planes[c] for c in "rgb"], axis=-1))


def test_grey_becomes_colour() -> None:
    image = colour_image(bytes(range(12)), 3, 4, 4, "mono8")
    assert image.shape == (3, 4, 3)
    assert (image[1, 2] == 6).all()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_depth_survives_byte_order_and_padding(encoding: str, big: bool, padding: int) -> None:
    kind = np.dtype(np.uint16 if encoding == "16UC1" else np.float32)
    values = np.arange(12).reshape(3, 4).astype(kind) * 100
    raw = values.astype(kind.newbyteorder(">" if big else "<")).tobytes()
    step = 4 * kind.itemsize + padding
    rows = b"".join(
        raw[i * 4 * kind.itemsize : (i + 1) * 4 * kind.itemsize] + b"\x01" * padding
        for i in range(3)
    )
    image = depth_image(rows, 3, 4, step, encoding, big)
    assert image.dtype == kind and image.dtype.isnative
    assert np.array_equal(image, values)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: colour_image(b"", 3, 4, 12, "yuv422"), "yuv422.*rgb8"),
        (lambda: colour_image(bytes(35), 3, 4, 12, "rgb8"), "35 bytes do not hold 3 rows"),
        (lambda: colour_image(bytes(36), 3, 4, 11, "rgb8"), "rows of 11 bytes"),
        (lambda: colour_image(b"", 0, 0, 0, "rgb8"), "do not hold"),
        (lambda: depth_image(bytes(24), 3, 4, 8, "8UC1", False), "8UC1"),
        (lambda: unpack_xyzrgb(bytes(16), 2, 16, XYZRGB_FIELDS), "2 points of 16 bytes"),
        (lambda: unpack_xyzrgb(bytes(16), 1, 16, XYZRGB_FIELDS[1:]), "'x' is absent"),
        (
            lambda: unpack_xyzrgb(
                bytes(16), 1, 16, [*XYZRGB_FIELDS[:3], PointField("rgb", 14, 7, 1)]
            ),
            "1 points of 16",
        ),
    ],
)
def test_nonsense_is_named(call: object, text: str) -> None:
    with pytest.raises(LayoutError, match=text):
        call()  # type: ignore[operator]


@given(st.integers(0, 50), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_cloud_survives_the_wire_to_the_bit(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = rng.normal(size=(count, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    data = pack_xyzrgb(xyz, rgb)
    assert len(data) == count * XYZRGB_STEP
    back_xyz, back_rgb = unpack_xyzrgb(data, count, XYZRGB_STEP, XYZRGB_FIELDS)
    assert np.array_equal(back_xyz, xyz) and np.array_equal(back_rgb, rgb)


def test_colour_is_packed_as_viewers_expect() -> None:
    data = pack_xyzrgb(np.zeros((1, 3), np.float32), np.array([[1, 2, 3]], np.uint8))
    assert int.from_bytes(data[12:16], "little") == 0x010203


def test_foreign_clouds_can_be_read() -> None:
    """Another driver puts the colour elsewhere, or has none."""
    kind = np.dtype(
        {
            "names": ["z", "y", "x", "rgba"],
            "formats": ["<f4"] * 3 + ["<u4"],
            "offsets": [4, 8, 12, 20],
            "itemsize": 32,
        }
    )
    points = np.zeros(2, kind)
    points["x"], points["y"], points["z"], points["rgba"] = 1, 2, 3, 0xFF102030
    fields = [
        PointField(n, o, 7 if n != "rgba" else 6, 1) for n, o in zip("zyx", (4, 8, 12), strict=True)
    ]
    fields.append(PointField("rgba", 20, 6, 1))
    xyz, rgb = unpack_xyzrgb(points.tobytes(), 2, 32, fields)
    assert xyz.tolist() == [[1, 2, 3]] * 2
    assert rgb.tolist() == [[0x10, 0x20, 0x30]] * 2
    _, black = unpack_xyzrgb(points.tobytes(), 2, 32, fields[:3])
    assert not black.any()


# --- joining colour, depth and camera model

RGB = np.zeros((3, 4, 3), np.uint8)
DEPTH = np.zeros((3, 4), np.uint16)


def test_frames_wait_for_the_camera_model_and_none_is_lost() -> None:
    a = FrameAssembler("cam")
    for stamp in (20, 10):
        assert a.add_colour(stamp, "optical", RGB) is None
        assert a.add_depth(stamp, DEPTH) is None
    assert [f.stamp_ns for f in a.set_intrinsics(INTRINSICS)] == [10, 20]
    a.add_depth(30, DEPTH)
    frame = a.add_colour(30, "optical", RGB)
    assert frame is not None and (frame.camera, frame.stamp_ns, frame.frame_id) == (
        "cam",
        30,
        "optical",
    )
    assert a.unpaired == 0


def test_only_images_of_the_same_instant_are_joined() -> None:
    """Colour of one moment on the shape of another would paint the arm onto the object."""
    a = FrameAssembler("cam", depth=4)
    a.set_intrinsics(INTRINSICS)
    a.add_colour(10, "o", RGB)
    assert a.add_depth(11, DEPTH) is None
    a.add_colour(20, "o", RGB)
    assert a.add_depth(20, DEPTH) is not None
    assert a.unpaired == 2
    for stamp in range(100, 120):
        a.add_colour(stamp, "o", RGB)
    assert a.unpaired == 2 + 16, "waiting images are bounded"


def test_images_that_do_not_fit_the_model_are_counted_and_named() -> None:
    a = FrameAssembler("cam")
    a.set_intrinsics(replace(INTRINSICS, width=8))
    a.add_colour(1, "o", RGB)
    assert a.add_depth(1, DEPTH) is None
    assert "do not belong together" in a.last_error


@pytest.mark.parametrize("k", [[0.0] * 9, [1.0] * 8, [np.nan, 0, 1, 0, 1, 1, 0, 0, 1]])
def test_an_uncalibrated_camera_is_refused(k: list[float]) -> None:
    with pytest.raises(ValueError, match="camera"):
        PinholeIntrinsics.from_k(4, 3, k)
