"""Clouds and pictures are read as they were written; short or strange ones are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gensim2_view.sensors import MAX_POINTS, MAX_WIDTH, SensorError, cloud, picture


def field(name: str, offset: int, datatype: int = 7) -> SimpleNamespace:
    return SimpleNamespace(name=name, offset=offset, datatype=datatype)


def cloud_message(xyz: Any, words: Any, **changes: Any) -> SimpleNamespace:
    """Points with padding between the fields, as drivers send them: step 32, rgb at 16."""
    table = np.zeros(len(xyz), dtype=[("xyz", "<f4", 3), ("_", "V4"), ("rgb", "<u4"), ("+", "V12")])
    table["xyz"], table["rgb"] = xyz, words
    values = {
        "height": 1,
        "width": len(xyz),
        "fields": [field("x", 0), field("y", 4), field("z", 8), field("rgb", 16)],
        "is_bigendian": False,
        "point_step": 32,
        "row_step": 32 * len(xyz),
        "data": table.tobytes(),
    } | changes
    return SimpleNamespace(**values)


def test_points_and_colours_are_read() -> None:
    xyz, rgb = cloud(cloud_message([[1, 2, 3], [4, 5, 6]], [0x112233, 0xFF0080]))
    np.testing.assert_array_equal(xyz, [[1, 2, 3], [4, 5, 6]])
    assert rgb.tolist() == [[0x11, 0x22, 0x33], [0xFF, 0x00, 0x80]]


def test_points_that_are_nowhere_are_left_out() -> None:
    xyz, rgb = cloud(cloud_message([[np.nan, 0, 0], [1, 1, 1]], [1, 2]))
    assert len(xyz) == len(rgb) == 1
    assert rgb.tolist() == [[0, 0, 2]]


def test_a_huge_cloud_is_thinned() -> None:
    count = 3 * MAX_POINTS
    xyz, rgb = cloud(cloud_message(np.ones((count, 3)), np.zeros(count)))
    assert MAX_POINTS / 2 < len(xyz) <= MAX_POINTS and len(rgb) == len(xyz)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": b""},
        {"width": 3},
        {"point_step": 8},
        {"row_step": 16},
        {"is_bigendian": True},
        {"fields": [field("x", 0), field("y", 4)]},
        {"fields": [field("x", 0, 8), field("y", 4), field("z", 8)]},
        {"fields": [field("x", 0), field("y", 4), field("z", 8), field("rgb", 30)]},
    ],
    ids=str,
)
def test_clouds_that_lie_about_their_size_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SensorError, match="cloud"):
        cloud(cloud_message([[0, 0, 0]] * 2, [0, 0], **changes))


def test_an_empty_cloud_is_one() -> None:
    xyz, rgb = cloud(cloud_message(np.zeros((0, 3)), []))
    assert xyz.shape == rgb.shape == (0, 3)


def image(encoding: str, pixels: Any, padding: int = 0, **changes: Any) -> SimpleNamespace:
    table = np.asarray(pixels, dtype=np.uint8)
    rows = table.reshape(len(table), -1)
    padded = np.pad(rows, ((0, 0), (0, padding)))
    values = {
        "encoding": encoding,
        "height": len(table),
        "width": table.shape[1],
        "step": padded.shape[1],
        "data": padded.tobytes(),
    } | changes
    return SimpleNamespace(**values)


@pytest.mark.parametrize(("encoding", "wanted"), [("rgb8", [1, 2, 3]), ("bgr8", [3, 2, 1])])
def test_pictures_are_rgb_whatever_came(encoding: str, wanted: list[int]) -> None:
    shown = picture(image(encoding, [[[1, 2, 3]] * 2] * 2, padding=5))
    assert shown.shape == (2, 2, 3) and (shown == wanted).all()


def test_grey_pictures_have_three_channels_too() -> None:
    assert picture(image("mono8", [[7, 9]])).tolist() == [[[7] * 3, [9] * 3]]


def test_wide_pictures_are_made_smaller() -> None:
    assert picture(image("rgb8", np.zeros((20, 4 * MAX_WIDTH, 3)))).shape == (5, MAX_WIDTH, 3)


@pytest.mark.parametrize(
    "changes",
    [{"encoding": "16UC1"}, {"data": b"12"}, {"step": 1}, {"height": 0}, {"width": 9}],
    ids=str,
)
def test_pictures_that_cannot_be_shown_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SensorError, match="picture"):
        picture(image(**{"encoding": "rgb8", "pixels": [[[1, 2, 3]] * 2] * 2} | changes))
